//! What a service serves, declared once: the axum router and the manifest come from the same lines.
//!
//! [`Routes`] takes method, URI, handler, name and metadata together. [`manifest_endpoint`] answers
//! `GET /microservice/manifest` with the document, to whoever holds the secret.
//!
//! ```
//! use axum::extract::Path;
//! use mesh_core::{secret::Secret, signature::{Keyring, Verifier}};
//! use mesh_http::manifest::{Routes, manifest_endpoint};
//!
//! async fn list() -> &'static str { "[]" }
//! async fn show(Path(product): Path<u64>) -> String { product.to_string() }
//!
//! let routes = Routes::new("pim")
//!     .prefix("api")
//!     .get("/api/products", list)
//!     .name("products.index")
//!     .meta("permissions", ["products.view"])
//!     .meta("rate_limit", 60)
//!     .get("/api/products/{product}", show)
//!     .name("products.show")
//!     .get("/live", || async { "served, and not registered" });
//! let (router, manifest) = routes.into_parts();
//! assert_eq!(manifest.routes.len(), 2);
//!
//! let keyring = Keyring::new(Secret::try_new("an example secret, 30 bytes ..")?);
//! let verifier = Verifier::new(keyring, std::time::Duration::from_secs(60));
//! let app: axum::Router = router.merge(manifest_endpoint(manifest, verifier));
//! # Ok::<(), mesh_core::secret::SecretError>(())
//! ```

mod endpoint;
mod error;
mod routes;
mod served;

pub use endpoint::manifest_endpoint;
pub use error::{DeclarationError, DeclarationErrors};
pub use mesh_core::route::wire::MANIFEST_PATH;
pub use routes::Routes;
