//! What reaches a service, and what comes back.

use mesh_core::signature::Signer;
use mesh_gateway::GatewaySettings;
use mesh_testkit::upstream::{Canned, FakeUpstream};

use crate::support::{Node, keyring, manifest, service};

async fn node_before(upstream: &FakeUpstream, routes: &[(&str, &str)]) -> Node {
    let settings = GatewaySettings {
        configured: vec![service("orders", &[upstream.url()])],
        ..GatewaySettings::default()
    };
    Node::start(settings, &[manifest("orders", routes)]).await
}

#[tokio::test]
async fn a_request_goes_to_its_service_signed_and_its_answer_comes_back() {
    let upstream = FakeUpstream::scripted([Canned::json("{\"id\":7}")]).await.unwrap();
    let node = node_before(&upstream, &[("GET", "/api/orders/{order}")]).await;

    let answer = node.get("/api/orders/7?a=1&a=2&b=&c&x=%zz").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.text(), "{\"id\":7}");
    assert_eq!(answer.header("content-type"), ["application/json"]);

    let requests = upstream.requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert_eq!(request.target, "/api/orders/7?a=1&a=2&b=&c&x=%zz");
    assert_eq!(request.header("x-service-name"), [b"gateway"]);
    assert_eq!(request.header("host"), [upstream.address().to_string().as_bytes()]);
    let timestamp: u64 = str::from_utf8(request.header("x-timestamp")[0]).unwrap().parse().unwrap();
    let expected = Signer::new(&keyring()).sign("GET", &request.target, timestamp, b"");
    assert_eq!(request.header("x-signature"), [expected.as_str().as_bytes()]);
    assert_eq!(request.header("x-request-id")[0].len(), 36);
    assert_eq!(request.header("x-forwarded-for"), [b"127.0.0.1"]);
    assert_eq!(request.header("x-forwarded-host"), [b"street"]);
    assert!(request.header("content-type").is_empty());
    assert!(request.header("content-length").is_empty());
    assert!(request.header("connection").is_empty());
    node.stop().await;
}
