//! A request keeps its trace on the way, or begins one (W3C Trace Context, level 1).

use mesh_core::trace::TraceContext;
use mesh_gateway::{GatewaySettings, TraceSettings};
use mesh_testkit::upstream::{Canned, FakeUpstream};

use crate::support::{Node, manifest, service};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

async fn node(upstream: &FakeUpstream, trace: TraceSettings) -> Node {
    let settings = GatewaySettings {
        configured: vec![service("orders", &[upstream.url()])],
        trace,
        ..GatewaySettings::default()
    };
    Node::start(settings, &[manifest("orders", &[("GET", "/api/orders")])]).await
}

/// What the service sees of `traceparent` and of `tracestate` when the client sends these lines.
async fn seen(node: &Node, upstream: &FakeUpstream, lines: &str) -> (Vec<String>, Vec<String>) {
    let head = format!("GET /api/orders HTTP/1.1\r\nHost: street\r\nConnection: close\r\n{lines}X-End: 1");
    assert_eq!(node.send(&head, b"").await.status, 200, "{lines}");
    let request = upstream.requests().pop().unwrap();
    let all = |name| {
        let values = request.header(name).into_iter();
        values.map(|value| String::from_utf8(value.to_vec()).unwrap()).collect()
    };
    (all("traceparent"), all("tracestate"))
}

#[tokio::test]
async fn a_valid_traceparent_is_continued_and_its_tracestate_passed() {
    let upstream = FakeUpstream::answering(|_| Canned::json("{}")).await.unwrap();
    let node = node(&upstream, TraceSettings { create: false, sample: 0.0 }).await;
    let lines = format!("traceparent: {PARENT}\r\ntracestate: a=1\r\ntracestate: b=2\r\n");
    let (parents, states) = seen(&node, &upstream, &lines).await;
    let [parent] = &parents[..] else { panic!("{parents:?}") };
    let context = TraceContext::parse(parent.as_bytes()).unwrap();
    assert_eq!((context.trace_id().as_str(), context.is_sampled()), (TRACE, true));
    assert_ne!(parent, PARENT, "the gateway is the service's parent");
    assert_eq!(states, ["a=1", "b=2"]);
    node.stop().await;
}

#[tokio::test]
async fn a_missing_malformed_or_doubled_traceparent_is_replaced_without_its_tracestate() {
    let upstream = FakeUpstream::answering(|_| Canned::json("{}")).await.unwrap();
    let node = node(&upstream, TraceSettings::default()).await;
    let mut traces = Vec::new();
    for lines in [
        "tracestate: a=1\r\n".to_owned(),
        "traceparent: 00-1-1-00\r\ntracestate: a=1\r\n".to_owned(),
        format!("traceparent: {PARENT}\r\ntraceparent: {PARENT}\r\ntracestate: a=1\r\n"),
    ] {
        let (parents, states) = seen(&node, &upstream, &lines).await;
        let [parent] = &parents[..] else { panic!("{lines}: {parents:?}") };
        let context = TraceContext::parse(parent.as_bytes()).unwrap();
        assert!(context.is_sampled(), "{lines}");
        assert!(states.is_empty(), "{lines}: {states:?}");
        traces.push(context.trace_id());
    }
    traces.push(TRACE.to_owned());
    traces.sort_unstable();
    traces.dedup();
    assert_eq!(traces.len(), 4, "each is a trace of its own");
    node.stop().await;
}

#[tokio::test]
async fn where_no_trace_is_begun_a_malformed_one_ends() {
    let upstream = FakeUpstream::answering(|_| Canned::json("{}")).await.unwrap();
    let node = node(&upstream, TraceSettings { create: false, sample: 1.0 }).await;
    for lines in ["", "traceparent: x\r\ntracestate: a=1\r\n"] {
        assert_eq!(seen(&node, &upstream, lines).await, (Vec::new(), Vec::new()), "{lines}");
    }
    node.stop().await;
}
