//! A request that is sent twice runs once (docs/wire.md, Idempotency).
//!
//! [`Idempotency`] stands before handlers that change something. A request with an unsafe method and a key
//! (`Idempotency-Key`, else `X-Request-Id`) claims its key in the store, runs, and leaves its answer there; a twin is
//! answered 409 while it runs and with the stored answer afterwards. Requests without a key, and safe ones, pass.
//!
//! * The key belongs to the verified [`Caller`](crate::caller::Caller), and to the user whose `Authorization` or `Cookie` it
//!   passes on: in axum the layer added last runs first, so
//!   `TrustService` is added after `Idempotency`. Without a caller the answer is 500 `idempotency.no_caller`, unless
//!   the layer is [`anonymous`](IdempotencyLayer::anonymous).
//! * Only 2xx is stored. The handler runs to its end even when the client has gone (see
//!   [`unattended`](IdempotencyLayer::unattended)); its claim is renewed meanwhile, and released when it fails or panics.
//! * A body of known length up to `max_body` is stored; any other is delivered as it comes and remembered as done, and
//!   its replay is 409 `idempotency.not_replayable`.
//! * When the store is down, twins are held apart within the process and the answer says
//!   `X-Idempotency-Status: not-stored`; a [`required`](IdempotencyLayer::required) layer answers 503 and runs nothing.
//!
//! Needs a tokio runtime: a keyed request runs in a task of its own.
//!
//! ```
//! use std::sync::Arc;
//! use axum::{Router, routing::post};
//! use mesh_core::{clock::SystemClock, name::ServiceName, secret::Secret};
//! use mesh_core::{signature::{Keyring, Verifier}, store::MemoryStore};
//! use mesh_http::{idempotency::Idempotency, verify::TrustService};
//!
//! async fn sync() -> &'static str { "synced" }
//!
//! let keyring = Keyring::new(Secret::try_new("an example secret, 30 bytes ..")?);
//! let verifier = Verifier::new(keyring, std::time::Duration::from_secs(60));
//! let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
//! let app: Router = Router::new()
//!     .route("/internal/sync", post(sync))
//!     .layer(Idempotency::layer(store).service(ServiceName::parse("stock")?))
//!     .layer(TrustService::layer(verifier));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod asking;
mod execution;
mod layer;
mod ledger;
mod reply;
mod run;
mod service;
mod terms;

pub use layer::IdempotencyLayer;
pub use service::{Idempotency, Scope};
