//! From the street to the rooms: takes requests, finds their route in the manifests of services, signs, forwards and
//! fails over; takes registrations; shows what it knows on an admin listener.
//!
//! Depend on this crate to run an edge node, in a process of its own ([`server::serve`]) or inside another tower
//! service ([`Gateway`]). It brings no store: give it ports of `mesh_core::store`.
//!
//! No store command stands between a proxied request and its answer.

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
mod reloadable;
pub mod server;
mod settings;
mod snapshot;
mod transport;

pub use body::{Body, BodyError};
pub use gateway::{BuildError, Gateway, GatewayBuilder};
pub use meta::RouteMeta;
pub use overrides::{
    OverrideError, OverrideErrors, RouteOverride, RouteOverrides, RouteService, ServiceOverrides,
};
pub use peer::Peer;
pub use proxy::{DefaultProxy, Proxy};
pub use settings::{GatewaySettings, IdempotencySettings, Limits};
