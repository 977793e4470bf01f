//! What reaches a service.

use mesh_core::{route::registration::Cidr, signature::Signer};
use mesh_gateway::GatewaySettings;
use mesh_testkit::upstream::{Canned, FakeUpstream, Recorded};

use crate::support::{Node, keyring, manifest, name, service};

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

async fn node_before(upstream: &FakeUpstream, settings: GatewaySettings) -> Node {
    let routes: Vec<_> = METHODS.iter().map(|method| (*method, "/api/orders/{order}")).collect();
    let settings = GatewaySettings { configured: vec![service("orders", &[upstream.url()])], ..settings };
    Node::start(settings, &[manifest("orders", &routes)]).await
}

/// The signature holds over method, target and body exactly as they arrived.
#[track_caller]
fn is_signed(request: &Recorded) {
    let timestamp: u64 = str::from_utf8(request.header("x-timestamp")[0]).unwrap().parse().unwrap();
    let signer = Signer::new(&keyring());
    let expected = signer.sign(request.method.as_str(), &request.target, timestamp, &request.body);
    assert_eq!(request.header("x-signature"), [expected.as_str().as_bytes()]);
}

#[tokio::test]
async fn a_request_goes_to_its_service_signed_and_its_answer_comes_back() {
    let upstream = FakeUpstream::scripted([Canned::json("{\"id\":7}")]).await.unwrap();
    let node = node_before(&upstream, GatewaySettings::default()).await;

    let answer = node.get("/api/orders/7?a=1&a=2&b=&c&x=%zz").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.text(), "{\"id\":7}");
    assert_eq!(answer.header("content-type"), ["application/json"]);

    let requests = upstream.requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    is_signed(request);
    assert_eq!(request.target, "/api/orders/7?a=1&a=2&b=&c&x=%zz");
    assert_eq!(request.header("x-service-name"), [b"gateway"]);
    assert_eq!(request.header("host"), [upstream.address().to_string().as_bytes()]);
    assert_eq!(request.header("x-request-id")[0].len(), 36);
    assert_eq!(request.header("x-forwarded-for"), [b"127.0.0.1"]);
    assert_eq!(request.header("x-forwarded-host"), [b"street"]);
    assert_eq!(request.header("x-forwarded-proto"), [b"http"]);
    let port = node.running.public().port().to_string();
    assert_eq!(request.header("x-forwarded-port"), [port.as_bytes()]);
    for absent in ["content-type", "content-length", "connection", "transfer-encoding", "x-forwarded-prefix"]
    {
        assert!(request.header(absent).is_empty(), "{absent}");
    }
    node.stop().await;
}

#[tokio::test]
async fn every_method_and_body_arrives_as_it_was_sent() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node_before(&upstream, GatewaySettings::default()).await;
    let large = vec![0xff; 200_000];
    let bodies: [&[u8]; 4] = [b"", b"{\"a\":\"\\u00e4\"}", b"a=1&b=%20", &large];
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        for body in bodies {
            let head = format!(
                "{method} /api/orders/7 HTTP/1.1\r\nHost: street\r\nConnection: close\r\n\
                 Content-Type: application/x-anything; q=1\r\nContent-Length: {}",
                body.len()
            );
            assert_eq!(node.send(&head, body).await.status, 200, "{method}");
            let request = upstream.requests().pop().unwrap();
            is_signed(&request);
            assert_eq!(request.method, method);
            assert_eq!(request.body, body);
            assert_eq!(request.header("content-type"), [b"application/x-anything; q=1"]);
            if method != "DELETE" || !body.is_empty() {
                assert_eq!(request.header("content-length"), [body.len().to_string().as_bytes()], "{method}");
            }
        }
    }
    for method in ["GET", "HEAD", "OPTIONS"] {
        let head = format!("{method} /api/orders/7 HTTP/1.1\r\nHost: street\r\nConnection: close");
        assert_eq!(node.send(&head, b"").await.status, 200, "{method}");
        let request = upstream.requests().pop().unwrap();
        is_signed(&request);
        assert_eq!(request.method, method);
    }
    node.stop().await;
}

#[tokio::test]
async fn a_chunked_body_goes_on_with_its_length() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node_before(&upstream, GatewaySettings::default()).await;
    let head =
        "POST /api/orders/7 HTTP/1.1\r\nHost: street\r\nConnection: close\r\nTransfer-Encoding: chunked";
    let answer = node.send(head, b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nX-Signature: 0\r\n\r\n").await;
    assert_eq!(answer.status, 200);
    let request = upstream.requests().pop().unwrap();
    is_signed(&request);
    assert_eq!(&request.body[..], b"abcdefg");
    assert_eq!(request.header("content-length"), [b"7"]);
    assert!(request.header("transfer-encoding").is_empty());
    node.stop().await;
}

#[tokio::test]
async fn targets_arrive_byte_for_byte() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node_before(&upstream, GatewaySettings::default()).await;
    for target in [
        "/api/orders/K%C3%B6ln",
        "/api/orders/k%c3%b6ln/",
        "/api/orders/%252e%252e%252f",
        "/api/%6frders/7",
        "/api/orders/{other}",
        "/api/orders/a:b@c,d;e=f",
        "/api/orders/7?",
        "/api/orders/7?p=../x&u=http://a//b&x=%2f%00",
    ] {
        assert_eq!(node.get(target).await.status, 200, "{target}");
        let request = upstream.requests().pop().unwrap();
        is_signed(&request);
        assert_eq!(request.target, target);
    }
    node.stop().await;
}

#[tokio::test]
async fn the_client_s_own_headers_arrive_and_those_of_the_mesh_do_not() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node_before(&upstream, GatewaySettings::default()).await;
    let head = "GET /api/orders/7 HTTP/1.1\r\nHost: street\r\nConnection: close, X-Nominated\r\n\
        Authorization: Bearer t\r\nCookie: a=1\r\nCookie: b=2\r\nAccept: */*\r\nX-Request-Id: mine\r\n\
        X-Nominated: 1\r\nX-Service-Name: admin\r\nX-Signature: 00\r\nX-Timestamp: 1\r\nX-User-Id: 7\r\n\
        X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Host: evil\r\nX-HTTP-Method-Override: DELETE\r\nTE: trailers\r\n\
        Upgrade: foo";
    assert_eq!(node.send(head, b"").await.status, 200);
    let request = upstream.requests().pop().unwrap();
    is_signed(&request);
    assert_eq!(request.header("authorization"), [b"Bearer t"]);
    assert_eq!(request.header("cookie"), [b"a=1", b"b=2"]);
    assert_eq!(request.header("accept"), [b"*/*"]);
    assert_eq!(request.header("x-request-id"), [b"mine"]);
    assert_eq!(request.header("x-service-name"), [b"gateway"]);
    assert_eq!(request.header("x-forwarded-for"), [b"127.0.0.1"]);
    assert_eq!(request.header("x-forwarded-host"), [b"street"]);
    for absent in ["x-nominated", "x-user-id", "x-http-method-override", "te", "upgrade"] {
        assert!(request.header(absent).is_empty(), "{absent}");
    }
    node.stop().await;
}

#[tokio::test]
async fn a_trusted_proxy_is_believed() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let settings = GatewaySettings {
        trusted_proxies: vec![Cidr::parse("127.0.0.0/8").unwrap()],
        ..GatewaySettings::default()
    };
    let node = node_before(&upstream, settings).await;
    let head = "GET /api/orders/7 HTTP/1.1\r\nHost: street\r\nConnection: close\r\n\
        X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https";
    assert_eq!(node.send(head, b"").await.status, 200);
    let request = upstream.requests().pop().unwrap();
    assert_eq!(request.header("x-forwarded-for"), [b"9.9.9.9, 127.0.0.1"]);
    assert_eq!(request.header("x-forwarded-proto"), [b"https"]);
    node.stop().await;
}

#[tokio::test]
async fn a_prefix_is_taken_out_and_a_base_url_s_path_is_put_in_front() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let settings = GatewaySettings {
        configured: vec![service("pim", &[format!("{}/v1/", upstream.url())])],
        prefixes: [(name("pim"), "catalog".to_owned())].into(),
        ..GatewaySettings::default()
    };
    let node = Node::start(settings, &[manifest("pim", &[("GET", "/api/products/{product}")])]).await;
    assert_eq!(node.get("/api/catalog/products/1/?q=1").await.status, 200);
    let request = upstream.requests().pop().unwrap();
    is_signed(&request);
    assert_eq!(request.target, "/v1/api/products/1/?q=1");
    assert_eq!(request.header("x-forwarded-prefix"), [b"/catalog"]);
    node.get("/api/products/1").await.is_refusal(404, "route_not_found");
    node.stop().await;
}

#[tokio::test]
async fn connections_to_an_instance_are_used_again() {
    let upstream = FakeUpstream::scripted([Canned::json("{}")]).await.unwrap();
    let node = node_before(&upstream, GatewaySettings::default()).await;
    for _ in 0..20 {
        assert_eq!(node.get("/api/orders/7").await.status, 200);
    }
    assert_eq!(upstream.count(), 20);
    assert!(upstream.connections() <= 2, "one for each worker, not {}", upstream.connections());
    node.stop().await;
}
