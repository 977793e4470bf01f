//! Layers and their end, made one service for each route, and kept as long as the route is.

use std::{
    collections::HashMap,
    convert::Infallible,
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{body::Body, response::IntoResponse};
use futures_util::future::BoxFuture;
use http::{Method, Request, Response};
use mesh_core::{name::ServiceName, route::table::Entry};
use tower::{Layer, Service, ServiceExt, util::BoxCloneSyncService};

use super::Overrides;
use crate::snapshot::Snapshot;

/// What stands behind a layer: the next layer, a handler, or the proxy. Never fails; cheap to clone.
#[derive(Clone, Debug)]
pub struct RouteService(BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>);

impl RouteService {
    pub(crate) fn new<S>(service: S) -> Self
    where
        S: Service<Request<Body>, Error = Infallible> + Clone + Send + Sync + 'static,
        S::Response: IntoResponse + 'static,
        S::Future: Send + 'static,
    {
        Self(BoxCloneSyncService::new(service.map_response(IntoResponse::into_response)))
    }

    /// Answers one request.
    pub(crate) async fn answer(self, request: Request<Body>) -> Response<Body> {
        match self.0.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

impl Service<Request<Body>> for RouteService {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.0.call(request)
    }
}

/// A layer whose type is forgotten.
#[derive(Clone)]
pub(super) struct AddLayer(Arc<dyn Fn(RouteService) -> RouteService + Send + Sync>);

impl AddLayer {
    pub(super) fn new<L>(layer: L) -> Self
    where
        L: Layer<RouteService> + Send + Sync + 'static,
        L::Service: Service<Request<Body>, Error = Infallible> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request<Body>>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request<Body>>>::Future: Send + 'static,
    {
        Self(Arc::new(move |inner| RouteService::new(layer.layer(inner))))
    }

    pub(super) fn around(&self, inner: RouteService) -> RouteService {
        (self.0)(inner)
    }
}

impl fmt::Debug for AddLayer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AddLayer")
    }
}

/// The services of layers and handlers for a new snapshot: those of the one before, where they were made already, so
/// that what a layer remembers outlives new manifests.
pub(crate) struct Stacks<'s> {
    overrides: &'s Overrides,
    made: HashMap<Place<'s>, &'s RouteService>,
}

/// A route of a manifest: the service, the method, the service's URI.
type Place<'s> = (&'s ServiceName, &'s Method, &'s str);

fn place(entry: &Entry) -> Place<'_> {
    (&entry.service, &entry.route.method, entry.route.uri.as_str())
}

impl<'s> Stacks<'s> {
    pub(crate) fn of(overrides: &'s Overrides, previous: Option<&'s Snapshot>) -> Self {
        let made = previous.into_iter().flat_map(Snapshot::stacks);
        let made = made.map(|(entry, stack)| (place(entry), stack)).collect();
        Self { overrides, made }
    }

    /// What stands in the way of the route's requests; `None`: nothing.
    pub(crate) fn get(&self, entry: &Entry) -> Option<RouteService> {
        match self.made.get(&place(entry)) {
            Some(made) => Some((*made).clone()),
            None => self.overrides.stack(entry),
        }
    }
}
