//! Two layers for a gateway: who the user is, and whether the user may call the route.
//!
//! A service says in its manifest what a route needs (`"permissions": ["products.view"]`); the gateway checks it
//! before anything is forwarded.

mod check;
mod tokens;

use axum::middleware::{from_fn, from_fn_with_state};
use mesh_gateway::GatewayBuilder;

pub use check::{UserPermissions, check_permissions};
pub use tokens::{Tokens, authenticate};

/// Puts both layers before all routes, those of services that register later too. The layer added last runs first.
pub fn guarded(builder: GatewayBuilder, tokens: Tokens) -> GatewayBuilder {
    builder.routes(|r| {
        r.layer(from_fn(check_permissions));
        r.layer(from_fn_with_state(tokens, authenticate));
    })
}
