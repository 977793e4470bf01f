//! One line for each request, whatever became of it.

use std::{
    io,
    sync::{Arc, Mutex},
};

use mesh_gateway::{AccessLog, AccessLogFormat, GatewaySettings};
use mesh_testkit::upstream::{Canned, FakeUpstream};
use serde_json::Value;

use crate::support::{Node, manifest, service, until};

/// Where the lines go.
#[derive(Clone, Debug, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Page {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    async fn has(&self, lines: usize) {
        until("the lines are written", async || self.text().lines().count() >= lines).await;
    }
}

async fn node(upstreams: &[&FakeUpstream], format: AccessLogFormat, sample: f64) -> (Node, Page) {
    let urls: Vec<_> = upstreams.iter().map(|upstream| upstream.url()).collect();
    let settings =
        GatewaySettings { configured: vec![service("orders", &urls)], ..GatewaySettings::default() };
    let page = Page::default();
    let log = AccessLog::start(format, sample, page.clone()).unwrap();
    let routes = [manifest("orders", &[("GET", "/api/orders/{order}")])];
    (Node::built(settings, &routes, |builder| builder.access_log(log)).await, page)
}

#[tokio::test]
async fn a_request_is_one_line_of_json_without_its_query() {
    let upstream = FakeUpstream::answering(|_| Canned::json(r#"{"a":1}"#)).await.unwrap();
    let (node, page) = node(&[&upstream], AccessLogFormat::Json, 1.0).await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let head = format!(
        "GET /api/orders/7?token=hush HTTP/1.1\r\nHost: s\r\nConnection: close\r\nX-Request-Id: r-1\r\n\
         traceparent: {parent}\r\nAuthorization: Bearer hush"
    );
    assert_eq!(node.send(&head, b"").await.status, 200);
    page.has(1).await;
    assert!(!page.text().contains("hush"));
    let line = &page.lines()[0];
    for (name, expected) in [
        ("request_id", "r-1"),
        ("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736"),
        ("client", "127.0.0.1"),
        ("method", "GET"),
        ("path", "/api/orders/7"),
        ("route", "/api/orders/{order}"),
        ("service", "orders"),
        ("instance", &upstream.url()),
    ] {
        assert_eq!(line[name], expected, "{line}");
    }
    assert_eq!((&line["status"], &line["bytes"], &line["attempts"]), (&200.into(), &7.into(), &1.into()));
    assert_eq!(line["complete"], true, "{line}");
    assert!(line["duration_ms"].as_f64().unwrap() > 0.0);
    assert!(line["time"].as_str().unwrap().ends_with('Z'));
    assert!(line.get("code").is_none());
    node.stop().await;
}

#[tokio::test]
async fn a_refusal_has_its_code_and_a_made_id_is_the_one_that_went_on() {
    let upstream = FakeUpstream::answering(|_| Canned::reset()).await.unwrap();
    let (node, page) = node(&[&upstream], AccessLogFormat::Json, 1.0).await;
    assert_eq!(node.get("/api/orders/7").await.status, 502);
    page.has(1).await;
    assert_eq!(node.get("/nothing").await.status, 404);
    page.has(2).await;
    let [failed, refused] = &page.lines()[..] else { panic!("{}", page.text()) };
    assert_eq!((&failed["status"], &failed["code"]), (&502.into(), &"upstream_unreachable".into()));
    let sent = upstream.requests().pop().unwrap();
    assert_eq!(failed["request_id"].as_str().unwrap().as_bytes(), sent.header("x-request-id")[0]);
    assert_eq!((&refused["status"], &refused["code"]), (&404.into(), &"route_not_found".into()));
    assert!(refused.get("route").is_none() && refused["attempts"] == 0, "{refused}");
    node.stop().await;
}

#[tokio::test]
async fn lines_of_text_are_written_before_the_gateway_has_ended() {
    let upstream = FakeUpstream::answering(|_| Canned::json("{}")).await.unwrap();
    let (node, page) = node(&[&upstream], AccessLogFormat::Text, 1.0).await;
    for _ in 0..5 {
        node.get("/api/orders/7").await;
    }
    node.stop().await;
    let text = page.text();
    assert_eq!(text.lines().count(), 5, "{text}");
    assert!(text.contains(" 127.0.0.1 \"GET /api/orders/7\" 200 2 "), "{text}");
    assert!(text.contains(" route=/api/orders/{order} service=orders "), "{text}");
}

#[tokio::test]
async fn of_a_sample_only_its_share_is_written() {
    let upstream = FakeUpstream::answering(|_| Canned::json("{}")).await.unwrap();
    let (node, page) = node(&[&upstream], AccessLogFormat::Json, 0.0).await;
    for _ in 0..20 {
        node.get("/api/orders/7").await;
    }
    node.stop().await;
    assert_eq!(page.text(), "");
}
