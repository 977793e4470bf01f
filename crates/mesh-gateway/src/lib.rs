//! From the street to the rooms: takes requests, finds their route in the manifests of services, signs, forwards and
//! fails over; takes registrations; shows what it knows on an admin listener.
//!
//! Depend on this crate to run an edge node, in a process of its own ([`server::serve`]) or inside another server
//! ([`Gateway::embed`], docs/embedding.md). It brings no store: give it ports of `mesh_core::store`.
//!
//! No store command stands between a proxied request and its answer.
//!
//! Layers, handlers and a proxy of one's own stand before the routes of manifests:
//!
//! ```
//! use std::sync::Arc;
//! use axum::{Json, body::Body, extract::Request, middleware::{Next, from_fn}, response::Response};
//! use mesh_core::{clock::SystemClock, name::ServiceName, secret::Secret, signature::Keyring, store::MemoryStore};
//! use mesh_gateway::{DefaultProxy, Gateway, RouteMeta};
//!
//! async fn audit(meta: RouteMeta, request: Request, next: Next) -> Response {
//!     println!("{} {}", meta.service(), meta.gateway_uri());
//!     next.run(request).await
//! }
//!
//! async fn show(meta: RouteMeta) -> Json<String> {
//!     Json(meta.parameter("product").unwrap_or_default().to_owned())
//! }
//!
//! async fn proxy(request: Request, default: DefaultProxy) -> Response<Body> {
//!     default.forward(request).await
//! }
//!
//! let keyring = Keyring::new(Secret::try_new("an example secret, 30 bytes ..")?);
//! let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
//! let gateway = Gateway::builder(ServiceName::parse("gateway")?, keyring, store.clone(), store)
//!     .services(["pim", "oms"])
//!     .routes(|r| {
//!         r.service("pim").prefix("catalog");
//!         r.service("oms").post("/api/orders").layer(from_fn(audit));
//!         r.service("pim").get("/api/products/{product}").handler(show);
//!     })
//!     .proxy(proxy)
//!     .build()?;
//! assert!(gateway.registry().resolve("GET", "/api/catalog/products/1").is_none(), "no manifest yet");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod access_log;
mod admin;
mod body;
pub mod documents;
mod door;
mod error;
mod gateway;
mod http1;
mod idempotency;
mod layered;
mod meta;
mod metrics;
mod overrides;
mod peer;
mod proxy;
mod refresh;
mod registration;
mod registry;
mod reloadable;
pub mod server;
mod settings;
mod snapshot;
mod socket;
mod switch;
mod tls;
mod trail;
mod transport;

pub use access_log::{AccessLog, AccessLogFormat};
pub use body::{Body, BodyError};
pub use gateway::{BuildError, Embedded, Gateway, GatewayBuilder};
pub use mesh_client::TracingSink;
pub use meta::RouteMeta;
pub use overrides::{
    OverrideError, OverrideErrors, RouteOverride, RouteOverrides, RouteService, ServiceOverrides,
};
pub use peer::Peer;
pub use proxy::{DefaultProxy, Proxy};
pub use registry::RouteRegistry;
pub use settings::{GatewaySettings, IdempotencySettings, Limits, TraceSettings};
pub use tls::{Identity, ListenerTls, TlsError, UpstreamTls};
