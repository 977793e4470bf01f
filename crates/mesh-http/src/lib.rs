//! A service's front door: who calls, whether the request ran before, and what the service serves.
//!
//! Tower layers at home in axum, and as usable on any tower service of HTTP messages:
//! [`TrustGateway`] and [`TrustService`] verify, and give a
//! [`Caller`]; [`Idempotency`] lets a request that is sent twice run once;
//! [`RequestId`] gives each request an id. [`Routes`] declares what is served
//! and registered. [`reject`] has the answer of every refusal.
//!
//! Decides nothing itself: the rules are `mesh_core`'s. Never calls another service: that is `mesh-client`.
//! A service depends on this crate; a node that only calls does not.
//!
//! ```
//! use axum::{Router, routing::post};
//! use mesh_core::{secret::Secret, signature::{Keyring, Verifier}};
//! use mesh_http::{caller::Caller, verify::TrustService};
//!
//! async fn sync(caller: Caller) -> String {
//!     format!("synced for {}", caller.name())
//! }
//!
//! let keyring = Keyring::new(Secret::try_new("an example secret, 30 bytes ..")?);
//! let verifier = Verifier::new(keyring, std::time::Duration::from_secs(60));
//! let app: Router = Router::new()
//!     .route("/internal/sync", post(sync))
//!     .layer(TrustService::layer(verifier));
//! # Ok::<(), mesh_core::secret::SecretError>(())
//! ```

mod body;
pub mod caller;
pub mod health;
pub mod idempotency;
pub mod manifest;
pub mod reject;
pub mod request_id;
mod target;
pub mod trace;
pub mod verify;

pub use caller::Caller;
pub use idempotency::Idempotency;
pub use manifest::{Routes, manifest_endpoint};
pub use request_id::RequestId;
pub use trace::Trace;
pub use verify::{TrustGateway, TrustService};
