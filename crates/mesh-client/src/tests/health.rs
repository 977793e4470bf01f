//! What a client tells the shared store, what it takes from there, and what it never waits for.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use mesh_core::{
    clock::{Clock as _, SystemClock},
    error::Origin,
    event::Event,
    health::BreakerState,
    retry::Failure,
    service::{BaseUrl, Instance},
    store::{HealthStore as _, MemoryStore},
};
use mesh_testkit::Canned;

use super::{builder, name, nobody, recording, until, upstream};
use crate::transport::{BodyStream, HttpTransport, Limits, TransportError};

fn instance(url: &str) -> Instance {
    Instance { service: name("oms"), url: BaseUrl::parse(url).unwrap() }
}

fn memory() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(Arc::new(SystemClock)))
}

async fn failures(store: &MemoryStore, url: &str) -> u32 {
    store.read(&[instance(url)]).await.unwrap()[0].map_or(0, |record| record.failures)
}

/// Waits until the store has this many failures on record, at most 30 s.
async fn on_record(store: &MemoryStore, url: &str, expected: u32) {
    let waited = async {
        while failures(store, url).await != expected {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waited).await.unwrap();
}

#[tokio::test]
async fn a_call_counts_one_failure_per_instance_and_a_success_clears_it() {
    let (store, sink) = (memory(), recording());
    let bad = Canned::status(500);
    let upstream =
        upstream([bad.clone(), bad.clone(), bad.clone(), bad.clone(), bad, Canned::json("{}")]).await;
    let client =
        builder(&[upstream.url()]).health_store(store.clone()).event_sink(sink.clone()).build().unwrap();
    client.service("oms").get("/o").send().await.unwrap_err();
    on_record(&store, &upstream.url(), 1).await;
    client.service("oms").get("/o").retries(0).send().await.unwrap_err();
    on_record(&store, &upstream.url(), 2).await;
    client.service("oms").get("/o").send().await.unwrap();
    on_record(&store, &upstream.url(), 0).await;
    let changed = |event: &Event| matches!(event, Event::ServiceHealthChanged { .. });
    assert!(!sink.events().iter().any(changed), "two failures open no breaker: {:?}", sink.events());
}

#[tokio::test]
async fn the_third_failed_call_opens_the_breaker_and_the_next_call_goes_elsewhere() {
    let (store, sink) = (memory(), recording());
    let (bad, good) = (upstream([Canned::status(500)]).await, upstream([Canned::json("{}")]).await);
    let client = builder(&[bad.url(), good.url()])
        .health_store(store.clone())
        .event_sink(sink.clone())
        .build()
        .unwrap();
    let mut calls = 0;
    while bad.count() < 3 {
        client.service("oms").get("/o").retries(0).send().await.unwrap();
        calls += 1;
        assert!(calls < 100, "ties rotate");
    }
    on_record(&store, &bad.url(), 3).await;
    for _ in 0..10 {
        client.service("oms").get("/o").send().await.unwrap();
    }
    assert_eq!(bad.count(), 3);
    let opened = |event: &Event| {
        matches!(event, Event::ServiceHealthChanged { url, from: BreakerState::Closed, to: BreakerState::Open, .. }
            if url.as_str() == bad.url())
    };
    assert_eq!(sink.events().into_iter().filter(opened).count(), 1);
}

#[tokio::test]
async fn failures_that_others_saw_are_brought_home() {
    let (store, sink) = (memory(), recording());
    let (bad, good) = (upstream([Canned::json("{}")]).await, upstream([Canned::json("{}")]).await);
    let client = builder(&[bad.url(), good.url()])
        .health_store(store.clone())
        .event_sink(sink.clone())
        .build()
        .unwrap();
    for _ in 0..3 {
        let ttl = Duration::from_secs(60);
        store.add_failure(&instance(&bad.url()), SystemClock.unix(), ttl).await.unwrap();
    }
    let opened = |event: &Event| matches!(event, Event::ServiceHealthChanged { to: BreakerState::Open, .. });
    until("the open breaker came home", || sink.events().iter().any(opened)).await;
    for _ in 0..4 {
        client.service("oms").get("/o").send().await.unwrap();
    }
    assert_eq!((bad.count(), good.count()), (0, 4));
}

/// Has no means to connect to anybody.
#[derive(Debug)]
struct NoMeans;

#[async_trait]
impl HttpTransport for NoMeans {
    async fn send(
        &self,
        _: http::Request<bytes::Bytes>,
        _: Limits,
    ) -> Result<http::Response<BodyStream>, TransportError> {
        Err(TransportError::not_sent(Failure::Local, "as told"))
    }
}

#[tokio::test]
async fn a_shortage_of_the_callers_own_is_put_on_no_record() {
    let sink = recording();
    let client = builder(&[nobody(), nobody()]).transport(NoMeans).event_sink(sink.clone()).build().unwrap();
    for _ in 0..8 {
        let error = client.service("oms").post("/o", "x").retries(0).send().await.unwrap_err();
        assert_eq!((error.origin(), error.attempts().len()), (Origin::Mesh, 2), "both are tried");
    }
    let changed = |event: &Event| matches!(event, Event::ServiceHealthChanged { .. });
    assert!(!sink.events().iter().any(changed), "{:?}", sink.events());
}
