//! Which trace a request belongs to, for handlers: to log it, and to pass it on with their own calls.
//!
//! ```
//! use axum::{Router, routing::get};
//! use mesh_http::Trace;
//!
//! async fn show(Trace(trace): Trace) -> String {
//!     // `.with_header("traceparent", trace.to_string())` lets a call of mesh-client join the trace.
//!     trace.map_or_else(String::new, |trace| trace.trace_id())
//! }
//! # let _: Router = Router::new().route("/", get(show));
//! ```

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;
use mesh_core::trace::TraceContext;

/// What the request's `traceparent` says; absent without a valid one. An extractor of axum that refuses nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace(
    /// The context.
    pub Option<TraceContext>,
);

impl<S: Sync> FromRequestParts<S> for Trace {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self(TraceContext::of(&parts.headers)))
    }
}
