//! What a call is on the wire.

use http::Method;
use serde_json::json;

use super::{assert_verifies, client, nobody, upstream};
use crate::{CallError, InvalidCall, ServiceRequest};

async fn arrives(request: impl FnOnce(&crate::ServiceCalls) -> ServiceRequest) -> mesh_testkit::Recorded {
    let upstream = upstream([]).await;
    request(&client(&[upstream.url()]).service("oms")).send().await.unwrap();
    let requests = upstream.requests();
    assert_eq!(requests.len(), 1);
    assert_verifies(&requests[0]);
    requests[0].clone()
}

#[tokio::test]
async fn the_target_arrives_as_it_was_signed() {
    for (path, target) in [
        ("/api/orders", "/api/orders"),
        ("api/orders", "/api/orders"),
        ("///api/orders", "/api/orders"),
        ("/api/orders/", "/api/orders/"),
        ("/api//orders", "/api//orders"),
        ("/api/a%20b%2Fc/%c3%bc", "/api/a%20b%2Fc/%c3%bc"),
        ("/api/заказ/a b", "/api/%D0%B7%D0%B0%D0%BA%D0%B0%D0%B7/a%20b"),
        ("/api/orders#top", "/api/orders"),
        ("/api/o?page=2&sort=-id&empty=&flag", "/api/o?page=2&sort=-id&empty=&flag"),
        ("", "/"),
    ] {
        assert_eq!(arrives(|oms| oms.get(path)).await.target, target);
    }
}

#[tokio::test]
async fn a_trace_goes_on_as_its_caller_gave_it() {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let trace = [("traceparent", parent), ("tracestate", "a=1")];
    let request = arrives(|oms| oms.get("/o").with_headers(trace)).await;
    assert_eq!(request.header("traceparent"), [parent.as_bytes()]);
    assert_eq!(request.header("tracestate"), [b"a=1"]);
    assert!(arrives(|oms| oms.get("/o")).await.header("traceparent").is_empty());
}

#[tokio::test]
async fn a_path_prefix_of_the_base_url_is_sent_and_signed() {
    for prefix in ["", "/", "/prefix", "/prefix/v1/"] {
        let upstream = upstream([]).await;
        let client = client(&[format!("{}{prefix}", upstream.url())]);
        client.service("oms").get("/api/o").send().await.unwrap();
        let request = upstream.requests().remove(0);
        assert_eq!(request.target, format!("{}/api/o", prefix.trim_end_matches('/')));
        assert_verifies(&request);
    }
}

#[tokio::test]
async fn a_query_is_added_to_the_one_in_the_path() {
    let query = |oms: &crate::ServiceCalls| {
        oms.get("/api/o?x=1").with_query([("a", "1"), ("b", "2")]).with_query([("b", "3 ü"), ("b", "4&")])
    };
    assert_eq!(arrives(query).await.target, "/api/o?x=1&a=1&b=3%20%C3%BC&b=4%26");
}

#[tokio::test]
async fn a_query_of_lists_and_maps_is_what_the_package_sends() {
    let document: serde_json::Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/client.json")).unwrap();
    let case = |case: &&serde_json::Value| case["case"].as_str().unwrap().starts_with("withQuery arrays");
    let recorded = document["wire"].as_array().unwrap().iter().find(case).unwrap();
    let values = [
        ("f", json!({"a": 1, "b": [1, 2]})),
        ("l", json!([3, 4])),
        ("s", json!("a b+c&d=e")),
        ("u", json!("ü/😀")),
        ("t", json!(true)),
        ("F", json!(false)),
        ("n", json!(null)),
        ("d", json!(1.5)),
        ("e", json!("")),
        ("k k", json!("~-_.*")),
        ("p%", json!("%20")),
    ];
    let request = arrives(|oms| oms.get("/api/o").with_query([("l", "9")]).with_query_values(values)).await;
    assert_eq!(format!("GET {} HTTP/1.1", request.target), recorded["request_line"].as_str().unwrap());
}

#[tokio::test]
async fn every_method_carries_its_body_as_it_is() {
    let body = json!({"имя": "Пётр ü", "url": "http://a/b", "html": "<a&'>"});
    let text = r#"{"html":"<a&'>","url":"http://a/b","имя":"Пётр ü"}"#;
    for (method, request) in [
        (Method::POST, arrives(|oms| oms.post("/o", &body)).await),
        (Method::PUT, arrives(|oms| oms.put("/o", &body)).await),
        (Method::PATCH, arrives(|oms| oms.patch("/o", &body)).await),
        (Method::DELETE, arrives(|oms| oms.delete("/o").with_json(&body)).await),
        (Method::GET, arrives(|oms| oms.get("/o").with_json(&body)).await),
    ] {
        assert_eq!((request.method.clone(), &request.body[..]), (method, text.as_bytes()));
        assert_eq!(request.header("content-type"), [b"application/json"]);
    }
    for method in ["HEAD", "OPTIONS", "PURGE", "DELETE", "POST"] {
        let request = arrives(|oms| oms.request(method.parse().unwrap(), "/o")).await;
        assert_eq!((request.method.as_str(), request.body.len()), (method, 0));
        assert_eq!(request.header("content-type"), [b"application/json"]);
    }
}

#[tokio::test]
async fn reserved_headers_are_replaced_and_never_doubled() {
    let evil = [
        ("X-Signature", "evil"),
        ("x-timestamp", "1"),
        ("x-service-name", "evil"),
        ("content-type", "text/plain"),
        ("x-own", "1"),
        ("x-own", "2"),
    ];
    let request = arrives(|oms| oms.post("/o", &json!({"a": 1})).with_headers(evil)).await;
    assert_eq!(request.header("x-service-name"), [b"shop"]);
    assert_eq!(request.header("content-type"), [b"application/json"]);
    assert_eq!(request.header("x-own"), [b"1", b"2"]);
    assert_eq!(request.header("x-signature").len(), 1);
    let agent = format!("mesh/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(request.header("user-agent"), [agent.as_bytes()]);
}

#[tokio::test]
async fn a_raw_body_keeps_the_content_type_that_its_caller_gave() {
    let raw: &[u8] = b"a,b\r\n\x00\xff";
    let request = arrives(|oms| {
        oms.request(Method::POST, "/o").with_header("Content-Type", "text/csv").with_body(raw.to_vec())
    })
    .await;
    assert_eq!((request.header("content-type"), &request.body[..]), (vec![&b"text/csv"[..]], raw));
    let request = arrives(|oms| oms.request(Method::POST, "/o").with_body("{}")).await;
    assert_eq!(request.header("content-type"), [b"application/json"]);
    let request = arrives(|oms| oms.get("/o").with_header("Content-Type", "text/csv")).await;
    assert_eq!(request.header("content-type"), [b"application/json"], "there is no raw body");
}

#[tokio::test]
async fn a_multipart_post_is_signed_as_empty_towards_a_php_service_and_counted() {
    let upstream = upstream([]).await;
    let mut php = super::oms(&[upstream.url()]);
    php.multipart = mesh_core::signature::MultipartPolicy::Php;
    let identity = crate::Identity::new(super::name("shop"), super::keyring());
    let client = crate::ServiceClient::builder(identity).services([php]).build().unwrap();
    let form = |method: Method, kind| {
        let request = client.service("oms").request(method, "/o").with_header("Content-Type", kind);
        request.with_body("--x\r\n\r\nv\r\n--x--\r\n")
    };
    form(Method::POST, "multipart/form-data; boundary=x").send().await.unwrap();
    let mut seen = upstream.requests().remove(0);
    assert_eq!(&seen.body[..], b"--x\r\n\r\nv\r\n--x--\r\n", "the body itself travels");
    seen.body = Default::default();
    assert_verifies(&seen);
    assert_eq!(client.unsigned_bodies(), 1);
    form(Method::PUT, "multipart/form-data; boundary=x").send().await.unwrap();
    form(Method::POST, "multipart/mixed; boundary=x").send().await.unwrap();
    upstream.requests()[1..].iter().for_each(assert_verifies);
    assert_eq!((upstream.count(), client.unsigned_bodies()), (3, 1));
}

#[tokio::test]
async fn a_request_id_is_the_callers_or_a_uuid() {
    let request = arrives(|oms| oms.get("/o").with_header("x-request-id", "mine")).await;
    assert_eq!(request.header("x-request-id"), [b"mine"]);
    let request = arrives(|oms| oms.get("/o")).await;
    let [id] = request.header("x-request-id")[..] else { panic!("one id") };
    assert_eq!((id.len(), id[14]), (36, b'4'));
}

#[tokio::test]
async fn what_cannot_be_sent_as_it_was_written_is_told_and_not_sent() {
    let upstream = upstream([]).await;
    let client = client(&[upstream.url()]);
    let oms = client.service("oms");
    let nothing = std::collections::HashMap::from([(vec![1], 2)]);
    for (what, request) in [
        ("header injection", oms.get("/o").with_header("X-A", "a\r\nX-B: b")),
        ("a header name", oms.get("/o").with_header("X A", "a")),
        ("the connection's header", oms.get("/o").with_header("Transfer-Encoding", "chunked")),
        ("a dot segment", oms.get("/o/%2e%2e/secret")),
        ("a control character", oms.get("/o\r\nX-B: b")),
        ("a broken encoding", oms.get("/100%")),
        ("a body that is no JSON", oms.post("/o", &nothing)),
        ("a service that has no name", client.service("a b").get("/o")),
        ("too many retries", oms.get("/o").retries(11)),
        ("no time", oms.get("/o").timeout(std::time::Duration::ZERO)),
        ("too early a deadline", oms.get("/o").deadline(std::time::Duration::from_secs(1))),
    ] {
        let error = request.send().await.unwrap_err();
        assert!(matches!(error, CallError::Invalid(_)), "{what}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("X-B"), "{what}: {error:?}");
    }
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn the_first_mistake_is_the_one_that_is_told() {
    let client = client(&[nobody()]);
    let request = client.service("oms").get("/%").with_header("a b", "c").with_header("d", "\n");
    let error = request.send().await.unwrap_err();
    assert!(matches!(error, CallError::Invalid(InvalidCall::HeaderName)), "{error:?}");
}
