//! The service, asked in one process: no socket, no Redis, and a clock that stands still until it is moved.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use http_body_util::BodyExt as _;
use mesh_core::{
    clock::Clock as _,
    event::{ChannelSink, Event},
    secret::Secret,
    signature::{Keyring, Signer, Verifier},
    store::{IdempotencyStore, MemoryStore, MockIdempotencyStore, StoreError},
};
use mesh_testkit::{ManualClock, RecordingSink};
use testing::{Ground, service};
use tower::ServiceExt as _;

fn keyring() -> Keyring {
    Keyring::new(Secret::try_new("a secret that tests share").unwrap())
}

struct House {
    app: Router,
    clock: Arc<ManualClock>,
    sink: Arc<RecordingSink>,
}

/// The service on `store`; on the in-memory one, whose time is the house's, unless one is given.
fn house(store: Option<Arc<dyn IdempotencyStore>>) -> House {
    let (clock, sink) = (Arc::new(ManualClock::default()), Arc::new(RecordingSink::new()));
    let store = store.unwrap_or_else(|| Arc::new(MemoryStore::new(clock.clone())));
    let verifier = Arc::new(Verifier::new(keyring(), Duration::from_secs(60)));
    let app = service(&Ground { verifier, store, clock: clock.clone(), sink: sink.clone() });
    House { app, clock, sink }
}

impl House {
    /// Orders as the shop would, signed at this moment.
    async fn order(&self, key: &str) -> (StatusCode, String) {
        let signed = Signer::new(&keyring()).sign("POST", "/api/orders", self.clock.unix().seconds(), b"{}");
        self.ask(key, signed.as_str()).await
    }

    async fn ask(&self, key: &str, signature: &str) -> (StatusCode, String) {
        let request = Request::post("/api/orders")
            .header("X-Service-Name", "shop")
            .header("X-Timestamp", self.clock.unix().seconds())
            .header("X-Signature", signature)
            .header("Idempotency-Key", key)
            .body(Body::from("{}"))
            .unwrap();
        let (head, body) = self.app.clone().oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status, String::from_utf8(body.to_vec()).unwrap())
    }
}

#[tokio::test]
async fn who_holds_the_secret_may_order_and_a_stranger_may_not() {
    let house = house(None);
    let expected = (StatusCode::CREATED, r#"{"for":"shop","order":1}"#.to_owned());
    assert_eq!(house.order("a").await, expected);
    assert_eq!(house.ask("b", &"0".repeat(64)).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_repeated_order_runs_once_until_its_answer_is_forgotten() {
    let house = house(None);
    let first = house.order("a").await;
    assert_eq!(house.order("a").await, first);
    let [Event::IdempotentRequestDetected { key, path, .. }] = &house.sink.take()[..] else {
        panic!("a replay")
    };
    assert_eq!((&key[..], &path[..]), ("a", "/api/orders"));
    house.clock.advance(Duration::from_secs(61));
    assert_eq!(house.order("a").await.1, r#"{"for":"shop","order":2}"#, "the clock was moved, nobody waited");
}

#[tokio::test]
async fn no_order_runs_while_the_store_is_down() {
    let mut store = MockIdempotencyStore::new();
    let down = || StoreError::Unreachable("as the test says".to_owned());
    store.expect_begin().returning(move |_, _, _| Err(down()));
    let house = house(Some(Arc::new(store)));
    assert_eq!(house.order("a").await.0, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn events_can_be_received_elsewhere() {
    let (sink, events) = ChannelSink::bounded(8);
    let clock = Arc::new(ManualClock::default());
    let app = service(&Ground {
        verifier: Arc::new(Verifier::new(keyring(), Duration::from_secs(60))),
        store: Arc::new(MemoryStore::new(clock.clone())),
        clock: clock.clone(),
        sink: Arc::new(sink),
    });
    let house = House { app, clock, sink: Arc::default() };
    house.order("a").await;
    assert!(events.try_recv().is_err(), "nothing was repeated");
    house.order("a").await;
    assert_eq!(events.try_recv().unwrap().name(), "IdempotentRequestDetected");
}
