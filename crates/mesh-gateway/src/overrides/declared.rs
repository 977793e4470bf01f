//! How overrides are written down: by service, then by route. Mistakes are told together at the end.

use std::convert::Infallible;

use axum::{body::Body, extract::DefaultBodyLimit, handler::Handler, response::IntoResponse};
use http::{Method, Request};
use tower::{Layer, Service};

use super::stack::{AddLayer, RouteService};

/// What [`GatewayBuilder::routes`](crate::GatewayBuilder::routes) is told.
///
/// Routes are those of manifests: nothing here makes one. What stands for a route that no manifest declares takes
/// effect as soon as one does; until then the gateway warns of it, and [`Gateway::idle_overrides`](crate::Gateway::idle_overrides)
/// lists it.
#[derive(Debug, Default)]
pub struct RouteOverrides {
    pub(super) layers: Vec<AddLayer>,
    pub(super) services: Vec<Declared>,
}

/// What stands for one service. A second one of the same name adds to the first.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) service: String,
    pub(super) prefix: Option<String>,
    pub(super) layers: Vec<AddLayer>,
    pub(super) routes: Vec<DeclaredRoute>,
}

#[derive(Debug)]
pub(super) struct DeclaredRoute {
    pub(super) method: Method,
    pub(super) uri: String,
    pub(super) layers: Vec<AddLayer>,
    pub(super) handlers: Vec<RouteService>,
}

/// What stands for all routes of one service. Made by [`RouteOverrides::service`].
#[derive(Debug)]
pub struct ServiceOverrides<'r>(&'r mut Declared);

/// What stands for one route. Made by [`ServiceOverrides::get`] and its like.
#[derive(Debug)]
pub struct RouteOverride<'r>(&'r mut DeclaredRoute);

impl RouteOverrides {
    /// Puts `layer` before all routes of all services, those that are not known yet too, outside of all other layers:
    /// the layer added last runs first. See [`ServiceOverrides::layer`].
    pub fn layer<L>(&mut self, layer: L)
    where
        L: Layer<RouteService> + Send + Sync + 'static,
        L::Service: Service<Request<Body>, Error = Infallible> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request<Body>>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request<Body>>>::Future: Send + 'static,
    {
        self.layers.push(AddLayer::new(layer));
    }

    /// Goes on with the service of this name.
    pub fn service(&mut self, name: &str) -> ServiceOverrides<'_> {
        let services = &mut self.services;
        let known = services.iter().position(|declared| declared.service == name);
        let position = known.unwrap_or(services.len());
        if known.is_none() {
            let service = name.to_owned();
            services.push(Declared { service, prefix: None, layers: Vec::new(), routes: Vec::new() });
        }
        ServiceOverrides(&mut services[position])
    }
}

impl<'r> ServiceOverrides<'r> {
    /// Inserts `prefix` into the service's URIs on the gateway; wins over the settings. An empty one: none.
    #[expect(
        clippy::return_self_not_must_use,
        reason = "what stands for a service is kept by whoever made it"
    )]
    pub fn prefix(self, prefix: &str) -> Self {
        self.0.prefix = Some(prefix.to_owned());
        self
    }

    /// Puts `layer` before all routes of the service, outside of what stands before each: the layer added last runs
    /// first. It is applied once for each route. Its service may answer by itself, and never fails.
    #[expect(
        clippy::return_self_not_must_use,
        reason = "what stands for a service is kept by whoever made it"
    )]
    pub fn layer<L>(self, layer: L) -> Self
    where
        L: Layer<RouteService> + Send + Sync + 'static,
        L::Service: Service<Request<Body>, Error = Infallible> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request<Body>>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request<Body>>>::Future: Send + 'static,
    {
        self.0.layers.push(AddLayer::new(layer));
        self
    }

    /// Goes on with a GET route of the service, which serves HEAD too. `uri` is the service's own, as its manifest
    /// declares it, without the gateway's prefix; names of parameters may differ.
    pub fn get(self, uri: &str) -> RouteOverride<'r> {
        self.route(Method::GET, uri)
    }

    /// Goes on with a POST route; see [`get`](Self::get).
    pub fn post(self, uri: &str) -> RouteOverride<'r> {
        self.route(Method::POST, uri)
    }

    /// Goes on with a PUT route; see [`get`](Self::get).
    pub fn put(self, uri: &str) -> RouteOverride<'r> {
        self.route(Method::PUT, uri)
    }

    /// Goes on with a PATCH route; see [`get`](Self::get).
    pub fn patch(self, uri: &str) -> RouteOverride<'r> {
        self.route(Method::PATCH, uri)
    }

    /// Goes on with a DELETE route; see [`get`](Self::get).
    pub fn delete(self, uri: &str) -> RouteOverride<'r> {
        self.route(Method::DELETE, uri)
    }

    /// Goes on with an OPTIONS route; see [`get`](Self::get).
    pub fn options(self, uri: &str) -> RouteOverride<'r> {
        self.route(Method::OPTIONS, uri)
    }

    fn route(self, method: Method, uri: &str) -> RouteOverride<'r> {
        let routes = &mut self.0.routes;
        let position = routes.len();
        routes.push(DeclaredRoute { method, uri: uri.to_owned(), layers: Vec::new(), handlers: Vec::new() });
        RouteOverride(&mut routes[position])
    }
}

impl RouteOverride<'_> {
    /// Puts `layer` before the route, inside of what stands before the service: the layer added last runs first. It
    /// runs before idempotency. Its service may answer by itself, and never fails.
    #[expect(clippy::return_self_not_must_use, reason = "what stands for a route is kept by whoever made it")]
    pub fn layer<L>(self, layer: L) -> Self
    where
        L: Layer<RouteService> + Send + Sync + 'static,
        L::Service: Service<Request<Body>, Error = Infallible> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request<Body>>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request<Body>>>::Future: Send + 'static,
    {
        self.0.layers.push(AddLayer::new(layer));
        self
    }

    /// Answers the route's requests in place of the service. [`RouteMeta`](crate::RouteMeta) is an extractor; the
    /// largest body is the route's, not axum's.
    #[expect(clippy::return_self_not_must_use, reason = "what stands for a route is kept by whoever made it")]
    pub fn handler<H, T>(self, handler: H) -> Self
    where
        H: Handler<T, ()>,
        T: 'static,
    {
        self.handler_service(handler.with_state(()))
    }

    /// Answers the route's requests in place of the service; see [`handler`](Self::handler).
    #[expect(clippy::return_self_not_must_use, reason = "what stands for a route is kept by whoever made it")]
    pub fn handler_service<S>(self, service: S) -> Self
    where
        S: Service<Request<Body>, Error = Infallible> + Clone + Send + Sync + 'static,
        S::Response: IntoResponse + 'static,
        S::Future: Send + 'static,
    {
        let unlimited = DefaultBodyLimit::disable().layer(service);
        self.0.handlers.push(RouteService::new(unlimited));
        self
    }
}
