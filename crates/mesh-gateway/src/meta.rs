//! What is known of a request's route: for layers, handlers, replaced proxies, and whoever looks a route up by hand.

use std::{borrow::Cow, future::Future, sync::Arc};

use axum::{body::Body, extract::FromRequestParts};
use http::{Method, Response, request::Parts};
use mesh_core::{
    error::Code,
    forward::target::decoded,
    name::ServiceName,
    route::{Route, table::Entry},
};
use serde_json::{Map, Value};

use crate::error::Refusal;

/// A route, and a path that it matches. Stands in the extensions of every request that comes by layers, a handler or a
/// replaced proxy, and is an extractor of axum. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RouteMeta(Arc<Matched>);

#[derive(Debug)]
struct Matched {
    entry: Arc<Entry>,
    path: String,
    service_path: String,
}

impl RouteMeta {
    /// `path` is encoded, without query, and matches the entry's pattern.
    pub(crate) fn new(entry: Arc<Entry>, path: &str) -> Self {
        let service_path = entry.service_path(path).into_owned();
        Self(Arc::new(Matched { entry, path: path.to_owned(), service_path }))
    }

    /// The service that declares the route.
    #[must_use]
    pub fn service(&self) -> &ServiceName {
        &self.0.entry.service
    }

    /// The route as its manifest declares it.
    #[must_use]
    pub fn route(&self) -> &Route {
        &self.0.entry.route
    }

    /// The method that the manifest declares: GET for a HEAD request too.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.0.entry.route.method
    }

    /// The route's name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.entry.route.name.as_deref()
    }

    /// Everything else that the manifest says of the route.
    #[must_use]
    pub fn metadata(&self) -> &Map<String, Value> {
        &self.0.entry.route.metadata
    }

    /// The pattern as the service serves it: `/api/products/{product}`.
    #[must_use]
    pub fn service_uri(&self) -> &str {
        self.0.entry.route.uri.as_str()
    }

    /// The pattern on the gateway, with the service's prefix: `/api/catalog/products/{product}`.
    #[must_use]
    pub fn gateway_uri(&self) -> &str {
        self.0.entry.uri.as_str()
    }

    /// The path on the gateway as it came: encoded, without query.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The path at the service: the prefix taken out, every other byte as it came.
    #[must_use]
    pub fn service_path(&self) -> &str {
        &self.0.service_path
    }

    /// The parameters' values exactly as they came, never decoded, in the order of the pattern. An optional parameter
    /// that was left out is not among them.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&str, &str)> {
        self.0.entry.uri.parameters(&self.0.path).unwrap_or_default()
    }

    /// A parameter's value exactly as it came.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters().into_iter().find_map(|(known, value)| (known == name).then_some(value))
    }

    /// A parameter's value, percent-decoded once. For reading only: what is pasted into another URI is
    /// [`parameter`](Self::parameter), or encoded anew.
    #[must_use]
    pub fn decoded_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        decoded(self.parameter(name)?)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RouteMeta {
    /// 500: the request did not come by a gateway's route.
    type Rejection = Response<Body>;

    fn from_request_parts(
        parts: &mut Parts,
        _: &S,
    ) -> impl Future<Output = Result<Self, Self::Rejection>> + Send {
        let meta = parts.extensions.get::<Self>().cloned();
        std::future::ready(meta.ok_or_else(|| {
            tracing::error!("RouteMeta is asked for, and the request did not come by a route");
            Refusal::new(Code::Internal, "the request has no route").into_response().map(Body::new)
        }))
    }
}
