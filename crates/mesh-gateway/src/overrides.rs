//! What the embedding code puts in the way of requests: layers, handlers, prefixes, a proxy of its own.
//!
//! Lives beside the settings: a reload and a new manifest change nothing of it.

mod checked;
mod declared;
mod error;
mod stack;

pub(crate) use checked::Overrides;
pub use declared::{RouteOverride, RouteOverrides, ServiceOverrides};
pub use error::{OverrideError, OverrideErrors};
pub use stack::RouteService;
pub(crate) use stack::Stacks;
