//! The gateway as one service: what all workers share, and what each has of its own.

mod builder;
mod embedded;
mod shared;
mod tunnels;

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{Arc, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use arc_swap::Guard;
use bytes::Bytes;
use http::{Request, Response, Version, header::CONNECTION, request::Parts};
use mesh_core::{error::Code, signature::Keyring};
use tokio::time::sleep;

use crate::{
    admin,
    body::{Body, BodyError},
    door,
    metrics::{Cells, Worker},
    peer::Peer,
    refresh::{self, Command},
    registry::RouteRegistry,
    reloadable::Reloadable,
    settings::GatewaySettings,
    snapshot::{Held, Snapshot},
    transport::Pool,
};
pub use builder::{BuildError, GatewayBuilder};
pub use embedded::Embedded;
pub(crate) use shared::Shared;
pub(crate) use tunnels::Tunnels;

/// How often connections to instances that waited too long are closed.
const SWEEP: Duration = Duration::from_secs(10);

/// A gateway: takes requests from the street, and answers each. Cheap to clone; clones share everything.
///
/// It serves what its snapshot holds. Somebody must keep the snapshot and the view of health current:
/// [`serve`](crate::server::serve) does, and [`embed`](Self::embed) in a server of somebody else's.
#[derive(Clone, Debug)]
pub struct Gateway {
    shared: Arc<Shared>,
    worker: Arc<Worker>,
    tunnels: Tunnels,
}

impl Gateway {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let worker = Worker::begin(&shared.metrics, &shared.clock, &shared.snapshot);
        Self { shared, worker, tunnels: Tunnels::default() }
    }

    /// The same gateway with connections of its own to the instances: one for each worker, on whose runtime those
    /// connections live.
    #[must_use]
    pub fn worker(&self) -> Self {
        Self::new(Arc::clone(&self.shared))
    }

    /// The work beside the requests: reads manifests, takes registrations, shares health. Runs until dropped; spawn
    /// it on the runtime that owns the store's connections. A second call gives a future that does nothing.
    pub fn control(&self) -> impl Future<Output = ()> + Send + 'static {
        let control = self.shared.control.lock().unwrap_or_else(PoisonError::into_inner).take();
        let shared = Arc::clone(&self.shared);
        async move {
            if let Some(control) = control {
                refresh::run(shared, control).await;
            }
        }
    }

    /// The routes of the admin listener, for a listener of its own or nested in an app: health, metrics, routes,
    /// explanations, instances, and at `/` the page for people. They tell much and ask nobody who he is: not for the
    /// street.
    pub fn admin_router<S: Clone + Send + Sync + 'static>(&self) -> axum::Router<S> {
        admin::router(self)
    }

    /// Closes connections to instances that waited too long, now and then, until dropped.
    pub(crate) async fn sweep(self) {
        loop {
            sleep(SWEEP).await;
            self.pool().sweep(self.shared.clock.monotonic());
        }
    }

    /// Lets other settings and another keyring apply, to requests that begin after the control task took them. The
    /// name, the stores, the health policy and the listeners stay; connections that are open keep their limits.
    ///
    /// # Errors
    ///
    /// See [`BuildError`]; everything stays as it was then.
    pub async fn reload(&self, settings: GatewaySettings, keyring: Keyring) -> Result<(), BuildError> {
        let command = Command::Reload(Reloadable::new(settings, keyring)?);
        self.shared.commands.send(command).await.map_err(|_| BuildError::Stopped)
    }

    /// Whether routes were loaded and the gateway is not draining.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.shared.is_ready()
    }

    /// What can be asked of the routes that are served, at any moment.
    #[must_use]
    pub fn registry(&self) -> RouteRegistry {
        RouteRegistry::of(Arc::clone(&self.shared))
    }

    /// What stands in the code for routes and services that no manifest declares now: `pim GET /api/products`, `pim`.
    /// It takes effect when one does.
    #[must_use]
    pub fn idle_overrides(&self) -> Vec<String> {
        self.shared.snapshot.load().idle.clone()
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn pool(&self) -> &Arc<Pool> {
        &self.worker.pool
    }

    /// What is served now, held by this worker.
    pub(crate) fn snapshot(&self) -> Guard<Arc<Held<Snapshot>>> {
        self.worker.snapshot.load(&self.shared.snapshot)
    }

    /// What this worker counts.
    pub(crate) fn cells(&self) -> &Arc<Cells> {
        &self.worker.cells
    }

    pub(crate) const fn tunnels(&self) -> &Tunnels {
        &self.tunnels
    }

    /// Answers one request that came from `peer`.
    pub async fn answer<B>(&self, request: Request<B>, peer: Peer) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        let (parts, body) = request.into_parts();
        self.answer_to(Box::new(parts), body, peer).await
    }

    /// Like [`answer`](Self::answer), for a request in parts: they are large, and handed on several times.
    pub(crate) async fn answer_to<B>(&self, mut parts: Box<Parts>, body: B, peer: Peer) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        let is_http1 = parts.version <= Version::HTTP_11;
        if !is_http1 {
            door::join_cookies(&mut parts.headers);
        }
        let mut response = door::enter(self, parts, body, peer).await;
        if !is_http1 {
            response.headers_mut().remove(CONNECTION);
        }
        if let Some(code) = response.extensions().get::<Code>() {
            self.cells().refused(*code);
        }
        response
    }
}

impl<B> tower::Service<Request<B>> for Gateway
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BodyError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let gateway = self.clone();
        Box::pin(async move {
            let peer = Peer::of(request.extensions());
            Ok(gateway.answer(request, peer).await)
        })
    }
}
