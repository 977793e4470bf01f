//! What the gateway tells its sink.

use std::sync::Arc;

use mesh_core::{
    clock::SystemClock,
    event::Event,
    health::{BreakerState, HealthPolicy},
    store::MemoryStore,
};
use mesh_gateway::{Gateway, GatewaySettings};
use mesh_testkit::{Canned, RecordingSink, upstream::FakeUpstream};

use crate::support::{Node, keyring, manifest, name, service, until};

/// A gateway that tells `sink`, with one instance of `pim` that opens at the first failure.
async fn told(upstream: &FakeUpstream, sink: &Arc<RecordingSink>) -> Node {
    let store = MemoryStore::new(Arc::new(SystemClock));
    let settings = GatewaySettings {
        configured: vec![service("pim", &[upstream.url()])],
        health: HealthPolicy::try_new(1, std::time::Duration::from_secs(30)).unwrap(),
        ..GatewaySettings::default()
    };
    let gateway =
        Gateway::builder(name("gateway"), keyring(), Arc::new(store.clone()), Arc::new(store.clone()))
            .settings(settings)
            .events(sink.clone())
            .build()
            .unwrap();
    let node = Node::serving(&gateway, store);
    until("the gateway is ready", async || node.running.gateway().is_ready()).await;
    node
}

#[tokio::test]
async fn a_manifest_that_was_taken_is_told_and_a_refused_one_is_not() {
    let (upstream, sink) = (FakeUpstream::scripted([]).await.unwrap(), Arc::new(RecordingSink::new()));
    let node = told(&upstream, &sink).await;
    let routes = manifest("pim", &[("GET", "/api/a"), ("POST", "/api/a")]);
    assert_eq!(node.register("other", &routes).await.status, 403);
    assert_eq!(sink.take(), []);
    assert_eq!(node.register("pim", &routes).await.status, 200);
    assert_eq!(sink.take(), [Event::ManifestReceived { service: name("pim"), routes: 2 }]);
    node.stop().await;
}

#[tokio::test]
async fn failures_changes_of_health_and_a_failed_health_check_are_told() {
    let (upstream, sink) =
        (FakeUpstream::scripted([Canned::reset()]).await.unwrap(), Arc::new(RecordingSink::new()));
    let node = told(&upstream, &sink).await;
    assert_eq!(node.register("pim", &manifest("pim", &[("POST", "/api/a")])).await.status, 200);
    assert_eq!(node.admin("/microservice/health").await.status, 200);
    assert!(matches!(sink.take()[..], [Event::ManifestReceived { .. }]), "healthy: nothing more is told");
    assert_eq!(node.post("/api/a", "", b"{}").await.status, 502);
    let events = sink.take();
    let [
        Event::ServiceRequestFailed { service, url, method, path, status: None, message },
        Event::ServiceHealthChanged { from: BreakerState::Closed, to: BreakerState::Open, .. },
        Event::ServiceBecameUnavailable { service: unavailable, .. },
    ] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!((service, unavailable), (&name("pim"), &name("pim")));
    assert_eq!((url.as_str(), method.as_str(), &path[..]), (&upstream.url()[..], "POST", "/api/a"));
    assert!(message.starts_with("reset"), "{message}");
    assert_eq!(node.admin("/microservice/health").await.status, 503);
    let checked = Event::HealthCheckFailed { service: name("pim"), url: url.clone(), failures: 1 };
    assert_eq!(sink.take(), [checked]);
    node.stop().await;
}
