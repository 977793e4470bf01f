//! All served routes.

use mesh_core::{
    name::ServiceName,
    route::{RouteTable, table::Entry},
};
use serde_json::{Value, json};

/// `{"routes":[{"service","method","uri","service_uri","name","metadata"}]}`; only those of `service` where it is given.
#[must_use]
pub fn routes(table: &RouteTable, service: Option<&ServiceName>) -> Value {
    let entries = table.entries().iter().filter(|entry| service.is_none_or(|only| entry.service == *only));
    json!({ "routes": entries.map(|entry| route(entry)).collect::<Vec<_>>() })
}

fn route(entry: &Entry) -> Value {
    json!({
        "service": entry.service,
        "method": entry.route.method.as_str(),
        "uri": entry.uri.as_str(),
        "service_uri": entry.route.uri.as_str(),
        "name": entry.route.name,
        "metadata": entry.route.metadata,
    })
}
