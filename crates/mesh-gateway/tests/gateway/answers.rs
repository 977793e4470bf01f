//! What comes back from a service.

use http::HeaderName;
use mesh_gateway::GatewaySettings;
use mesh_testkit::upstream::{Canned, FakeUpstream};

use crate::support::{Answer, Node, manifest, name, service};

async fn node_before(upstream: &FakeUpstream, settings: GatewaySettings) -> Node {
    let settings = GatewaySettings { configured: vec![service("pim", &[upstream.url()])], ..settings };
    Node::start(settings, &[manifest("pim", &[("GET", "/api/products"), ("POST", "/api/products")])]).await
}

async fn answered(canned: Canned) -> Answer {
    let upstream = FakeUpstream::scripted([canned]).await.unwrap();
    let node = node_before(&upstream, GatewaySettings::default()).await;
    let answer = node.get("/api/products").await;
    node.stop().await;
    answer
}

#[tokio::test]
async fn two_cookies_come_back_as_two_lines() {
    let canned =
        Canned::json("{}").header("Set-Cookie", "a=1").header("Set-Cookie", "b=2").header("X-Total", "7");
    let answer = answered(canned).await;
    assert_eq!(answer.header("set-cookie"), ["a=1", "b=2"]);
    assert_eq!(answer.header("x-total"), ["7"]);
    assert_eq!(answer.header("date").len(), 1);
}

#[tokio::test]
async fn hop_by_hop_nominated_and_configured_headers_stay_behind() {
    let canned = Canned::json("{}")
        .header("Connection", "X-Secret-Hop")
        .header("X-Secret-Hop", "1")
        .header("Keep-Alive", "timeout=5")
        .header("X-Powered-By", "PHP")
        .header("Proxy-Authenticate", "Basic");
    let upstream = FakeUpstream::scripted([canned]).await.unwrap();
    let settings = GatewaySettings {
        strip_response_headers: vec![HeaderName::from_static("x-powered-by")],
        ..GatewaySettings::default()
    };
    let node = node_before(&upstream, settings).await;
    let answer = node.get("/api/products").await;
    for absent in ["x-secret-hop", "keep-alive", "x-powered-by", "proxy-authenticate"] {
        assert!(answer.header(absent).is_empty(), "{absent}");
    }
    node.stop().await;
}

#[tokio::test]
async fn a_redirect_is_returned_and_leads_to_the_street() {
    let upstream = FakeUpstream::answering(|request| {
        let host = str::from_utf8(request.header("host")[0]).unwrap_or_default().to_owned();
        match request.target.as_str() {
            "/api/products?own" => {
                Canned::status(302).header("Location", &format!("http://{host}/api/products/9?x=1"))
            }
            _ => Canned::status(301).header("Location", "https://elsewhere.example/api"),
        }
    })
    .await
    .unwrap();
    let settings = GatewaySettings {
        prefixes: [(name("pim"), "catalog".to_owned())].into(),
        ..GatewaySettings::default()
    };
    let node = node_before(&upstream, settings).await;
    let own = node.get("/api/catalog/products?own").await;
    assert_eq!((own.status, own.header("location")), (302, vec!["/api/catalog/products/9?x=1"]));
    let other = node.get("/api/catalog/products").await;
    assert_eq!((other.status, other.header("location")), (301, vec!["https://elsewhere.example/api"]));
    assert_eq!(upstream.count(), 2, "nothing was followed");
    node.stop().await;
}

#[tokio::test]
async fn a_chunked_answer_arrives_whole() {
    let answer = answered(Canned::status(200).body(vec![b'x'; 300_000]).chunked()).await;
    assert_eq!(answer.header("transfer-encoding"), ["chunked"]);
    assert!(answer.raw_body.ends_with(b"\r\n0\r\n\r\n"));
    assert_eq!(answer.raw_body.iter().filter(|byte| **byte == b'x').count(), 300_000);
}

#[tokio::test]
async fn head_204_and_304_have_no_body_and_keep_their_head() {
    let upstream = FakeUpstream::answering(|request| match request.target.as_str() {
        "/api/products?204" => Canned::status(204).header("X-A", "1"),
        "/api/products?304" => Canned::status(304).header("ETag", "\"x\""),
        _ => Canned::json("{\"a\":1}"),
    })
    .await
    .unwrap();
    let node = node_before(&upstream, GatewaySettings::default()).await;
    let head = node.send("HEAD /api/products HTTP/1.1\r\nHost: street\r\nConnection: close", b"").await;
    assert_eq!((head.status, head.raw_body.len()), (200, 0));
    assert_eq!(head.header("content-length"), ["7"]);
    assert!(head.header("transfer-encoding").is_empty());
    let none = node.get("/api/products?204").await;
    assert_eq!((none.status, none.raw_body.len(), none.header("x-a")), (204, 0, vec!["1"]));
    assert!(none.header("transfer-encoding").is_empty());
    let same = node.get("/api/products?304").await;
    assert_eq!((same.status, same.raw_body.len(), same.header("etag")), (304, 0, vec!["\"x\""]));
    node.stop().await;
}

#[tokio::test]
async fn answers_below_500_are_answers_and_are_not_repeated() {
    for status in [400, 401, 403, 404, 409, 422, 429] {
        let upstream = FakeUpstream::scripted([Canned::status(status).body("theirs")]).await.unwrap();
        let node = node_before(&upstream, GatewaySettings::default()).await;
        let answer = node.get("/api/products").await;
        assert_eq!((answer.status, answer.text()), (status, "theirs".to_owned()));
        assert_eq!(upstream.count(), 1);
        node.stop().await;
    }
}
