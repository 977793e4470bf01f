//! Whether a user may call a route: what the manifest asks for against what the user has.
//!
//! Refuses whatever it does not understand: a route whose `permissions` are malformed is closed.

use std::collections::BTreeSet;

use axum::{
    Json,
    extract::Request,
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use mesh_gateway::RouteMeta;
use serde_json::{Value, json};

/// What the user of a request may do. Put into its extensions by the layer that knows the user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserPermissions(pub BTreeSet<String>);

/// The package's `CheckPermissions`: lets a request pass when its user has every permission that the route asks for.
/// Without a user the answer is 401, without a permission 403. A route that asks for none is open.
pub async fn check_permissions(meta: RouteMeta, request: Request, next: Next) -> Response {
    let Ok(needed) = needed(&meta) else {
        return refuse(StatusCode::FORBIDDEN, "permissions.malformed", "The route is closed.");
    };
    if needed.is_empty() {
        return next.run(request).await;
    }
    let Some(UserPermissions(granted)) = request.extensions().get() else {
        return refuse(StatusCode::UNAUTHORIZED, "permissions.unauthenticated", "Unauthenticated.");
    };
    if needed.iter().all(|permission| granted.contains(*permission)) {
        next.run(request).await
    } else {
        refuse(StatusCode::FORBIDDEN, "permissions.missing", "Missing permissions.")
    }
}

/// The key `permissions` of the route's metadata: a text, a list of texts, or nothing.
fn needed(meta: &RouteMeta) -> Result<Vec<&str>, ()> {
    match meta.metadata().get("permissions") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(vec![one]),
        Some(Value::Array(list)) => list.iter().map(|value| value.as_str().ok_or(())).collect(),
        Some(_) => Err(()),
    }
}

fn refuse(status: StatusCode, code: &str, text: &str) -> Response {
    (status, [("cache-control", "no-store")], Json(json!({ "error": text, "code": code }))).into_response()
}
