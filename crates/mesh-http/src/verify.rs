//! Who may come in: requests whose signature holds (docs/wire.md, Signature v1).
//!
//! [`TrustGateway`] verifies signature and timestamp: whoever calls holds the secret. [`TrustService`] first demands
//! a service's name, then does the same, and puts a [`Caller`](crate::caller::Caller) into the request's extensions.
//! Both read the headers and check the clock's window before a byte of the body, then read the body up to a limit,
//! verify it, and hand it on whole. A refusal is an answer; the error type is the inner service's.
//!
//! The target that is verified is the one that was sent, also inside of axum's nested routers.
//!
//! ```
//! use axum::{Router, routing::get};
//! use mesh_core::{secret::Secret, signature::{Keyring, Verifier}};
//! use mesh_http::verify::{TrustGateway, TrustService};
//!
//! let keyring = Keyring::new(Secret::try_new("an example secret, 30 bytes ..")?);
//! let verifier = std::sync::Arc::new(Verifier::new(keyring, std::time::Duration::from_secs(60)));
//! let from_the_gateway = Router::new()
//!     .route("/api/products", get(|| async { "[]" }))
//!     .layer(TrustGateway::layer(verifier.clone()));
//! let from_services = Router::new()
//!     .route("/internal/stock", get(|| async { "7" }))
//!     .layer(TrustService::layer(verifier).body_limit(64 * 1024));
//! let app: Router = from_the_gateway.merge(from_services);
//! # Ok::<(), mesh_core::secret::SecretError>(())
//! ```
//!
//! On a plain tower service, whatever its body types are:
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use mesh_core::{secret::Secret, signature::{Keyring, Verifier}};
//! use mesh_http::verify::TrustGateway;
//! use tower::{Layer, Service, ServiceExt, service_fn};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # runtime.block_on(async {
//! let keyring = Keyring::new(Secret::try_new("an example secret, 30 bytes ..")?);
//! let trust = TrustGateway::layer(Verifier::new(keyring, std::time::Duration::from_secs(60)));
//! let plain = service_fn(|_request: Request<axum::body::Body>| async {
//!     Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::from("inside"))))
//! });
//! let answer = trust.layer(plain).oneshot(Request::new(Full::<Bytes>::default())).await?;
//! assert_eq!(answer.status(), 401);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod door;
mod layer;
mod service;

pub use layer::{TrustGatewayLayer, TrustServiceLayer};
pub use service::{TrustGateway, TrustService};
