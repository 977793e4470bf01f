//! One id for a request, in its headers, its extensions and its answer.
//!
//! A well-formed `X-Request-Id` is kept; a missing, doubled or malformed one is replaced by a UUID v4.
//!
//! An id that this layer makes is also an idempotency key, one that never comes twice: where both are used, add
//! `RequestId` before [`Idempotency`](crate::idempotency::Idempotency), so that it runs after it.
//!
//! ```
//! use axum::{Extension, Router, routing::get};
//! use mesh_http::request_id::{Id, RequestId};
//!
//! async fn show(Extension(id): Extension<Id>) -> String {
//!     format!("request {}", id.as_str())
//! }
//! let app: Router = Router::new().route("/", get(show)).layer(RequestId::layer());
//! ```

mod layer;
mod service;

pub use layer::RequestIdLayer;
pub use service::{Id, RequestId};
