//! Instances that speak HTTP/2, in the settings of their service: gRPC and everything else, over shared connections.

mod connections;
mod encrypted;
mod faults;
mod grpc;
mod instance;
mod streams;

use mesh_core::service::Protocol;
use mesh_gateway::GatewaySettings;

use crate::support::{Node, manifest, service};

/// The method that the tests call.
const METHOD: &str = "/shop.Orders/Place";

/// The service `orders`, of these instances, that speaks HTTP/2.
fn settings(urls: &[String]) -> GatewaySettings {
    let mut orders = service("orders", urls);
    orders.protocol = Protocol::Http2;
    GatewaySettings {
        configured: vec![orders],
        connect_timeout: std::time::Duration::from_secs(10),
        timeout: std::time::Duration::from_secs(10),
        ..GatewaySettings::default()
    }
}

async fn node_with(settings: GatewaySettings) -> Node {
    let routes = [("POST", METHOD), ("GET", "/api/orders"), ("POST", "/api/orders")];
    Node::start(settings, &[manifest("orders", &routes)]).await
}

async fn node_before(urls: &[String]) -> Node {
    node_with(settings(urls)).await
}
