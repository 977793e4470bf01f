//! Several calls at once.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use mesh_testkit::Canned;
use tokio::sync::Barrier;

use super::{builder, client, nobody, until, upstream};
use crate::{
    CallError, InvalidCall, ServiceClient,
    transport::{BodyStream, HttpTransport, Limits, TransportError},
};

/// Answers with the path, as the path says: at once, together with two others, after a while, never, or not at all.
#[derive(Clone, Debug)]
struct Told {
    together: Arc<Barrier>,
    under_way: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

/// One request under way, until it is dropped.
struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl HttpTransport for Told {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        _: Limits,
    ) -> Result<http::Response<BodyStream>, TransportError> {
        let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        let _under_way = UnderWay(Arc::clone(&self.under_way));
        match request.uri().path() {
            "/together" => {
                let _leader = self.together.wait().await;
            }
            "/later" => tokio::time::sleep(Duration::from_millis(10)).await,
            "/never" => pending().await,
            "/panic" => panic!("as told"),
            _ => {}
        }
        let body = Bytes::from(request.uri().path().to_owned());
        Ok(http::Response::new(stream::iter([Ok(body)]).boxed()))
    }
}

fn told() -> (Told, ServiceClient) {
    let told = Told { together: Arc::new(Barrier::new(3)), under_way: Arc::default(), most: Arc::default() };
    let client = builder(&["http://127.0.0.1:9".to_owned()]).transport(told.clone()).build().unwrap();
    (told, client)
}

#[tokio::test]
async fn the_parts_of_a_pool_are_under_way_at_once() {
    let (told, client) = told();
    let oms = client.service("oms");
    // None is answered before all three were sent.
    let pool = client.pool().add("a", oms.get("/together")).add("b", oms.get("/together"));
    let answers = pool.add("c", oms.get("/together")).send().await;
    assert!(answers.iter().all(|(_, result)| result.as_ref().is_ok_and(|answer| answer.ok())), "{answers:?}");
    assert_eq!((answers.len(), told.most.load(Ordering::SeqCst)), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn answers_stand_in_the_order_of_adding_under_their_names() {
    let (_, client) = told();
    let oms = client.service("oms");
    let pool = client.pool().add("slow", oms.get("/later")).add("quick", oms.get("/o"));
    assert_eq!(format!("{pool:?}"), r#"CallPool { parts: ["slow", "quick"], concurrency: 64 }"#);
    let mut answers = pool.send().await;
    let names: Vec<_> = answers.iter().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(names, ["slow", "quick"]);
    assert_eq!(answers.get("quick").unwrap().as_ref().unwrap().text(), "/o");
    assert_eq!(answers.take("slow").unwrap().unwrap().text(), "/later");
    assert!(answers.take("slow").is_none() && answers.get("other").is_none());
    assert_eq!((answers.len(), answers.is_empty()), (1, false));
    let left: Vec<_> = answers.into_iter().map(|(name, result)| (name, result.is_ok())).collect();
    assert_eq!(left, [("quick".to_owned(), true)]);
    assert!(client.pool().send().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_cap_holds_and_no_part_is_left_out() {
    for (cap, expected) in [(3, 3), (1, 1), (0, 1), (100, 10)] {
        let (told, client) = told();
        let pool = (0..10).fold(client.pool().concurrency(cap), |pool, index| {
            pool.add(index.to_string(), client.service("oms").get("/later"))
        });
        let answers = pool.send().await;
        assert!(answers.iter().all(|(_, result)| result.is_ok()), "{answers:?}");
        assert_eq!((answers.len(), told.most.load(Ordering::SeqCst)), (10, expected), "cap {cap}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_failing_or_panicking_part_takes_no_other_along() {
    let (_, client) = told();
    let oms = client.service("oms");
    let mut answers = client
        .pool()
        .add("panics", oms.get("/panic"))
        .add("slow", oms.get("/never").timeout(Duration::from_millis(50)).retries(0))
        .add("unknown", client.service("unknown").get("/o"))
        .add("mistaken", oms.get("/%"))
        .add("good", oms.get("/o"))
        .send()
        .await;
    let mut error = |name: &str| answers.take(name).unwrap().unwrap_err();
    let panicked = error("panics");
    assert_eq!(panicked.to_string(), "the call to the service [oms] panicked");
    assert!(matches!(panicked, CallError::Panicked { .. }), "{panicked:?}");
    let CallError::Unavailable { attempts, .. } = error("slow") else { panic!("{answers:?}") };
    assert_eq!(attempts[0].outcome, "timeout: no whole answer within 50 ms");
    assert_eq!(error("unknown").to_string(), "No instances configured for service [unknown].");
    assert!(matches!(error("mistaken"), CallError::Invalid(_)));
    assert_eq!(answers.take("good").unwrap().unwrap().text(), "/o");
}

#[tokio::test(start_paused = true)]
async fn each_part_has_its_own_timeout_from_its_own_beginning() {
    let (_, client) = told();
    let oms = client.service("oms");
    let never = |timeout| oms.get("/never").timeout(Duration::from_millis(timeout)).retries(0);
    let pool =
        client.pool().concurrency(1).add("a", never(40)).add("b", never(70)).add("c", oms.get("/later"));
    // The last part waits longer for its place than it may take itself.
    let pool = pool.add("d", oms.get("/later").timeout(Duration::from_millis(20)));
    let outcomes: Vec<_> = pool
        .send()
        .await
        .into_iter()
        .map(|(_, result)| result.map_err(|error| error.attempts()[0].outcome.to_string()))
        .map(|result| result.map_or_else(|outcome| outcome, |answer| answer.text().into_owned()))
        .collect();
    let timeout = |limit| format!("timeout: no whole answer within {limit} ms");
    assert_eq!(outcomes, [timeout(40), timeout(70), "/later".to_owned(), "/later".to_owned()]);
}

#[tokio::test]
async fn a_part_whose_name_is_taken_is_not_sent() {
    let upstream = upstream([Canned::json("1"), Canned::json("2")]).await;
    let client = client(&[upstream.url()]);
    let oms = client.service("oms");
    let answers = client.pool().add("user", oms.get("/1")).add("user", oms.get("/2")).send().await;
    assert_eq!(upstream.count(), 1);
    assert_eq!(answers.get("user").unwrap().as_ref().unwrap().text(), "1");
    let (name, second) = answers.into_iter().nth(1).unwrap();
    let error = second.unwrap_err();
    assert_eq!(
        (&name[..], error.to_string()),
        ("user", "the call cannot be made: the name is taken by an earlier part of the pool".to_owned())
    );
    assert!(matches!(error, CallError::Invalid(InvalidCall::DoubledName)), "{error:?}");
}

#[tokio::test]
async fn whoever_drops_a_pool_ends_all_its_parts() {
    let (told, client) = told();
    let oms = client.service("oms");
    let pool = client.pool().add("a", oms.get("/never")).add("b", oms.get("/never"));
    tokio::select! {
        answers = pool.send() => panic!("{answers:?}"),
        () = until("both are under way", || told.under_way.load(Ordering::SeqCst) == 2) => {}
    }
    assert_eq!(told.under_way.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn parts_go_to_several_services_over_real_sockets() {
    let (users, orders) =
        (upstream([Canned::json(r#"{"id":1}"#)]).await, upstream([Canned::status(500)]).await);
    let service = |name, url: String| {
        mesh_core::service::Service::new(
            super::name(name),
            vec![mesh_core::service::BaseUrl::parse(&url).unwrap()],
        )
    };
    let services =
        [service("users", users.url()), service("orders", orders.url()), service("gone", nobody())];
    let client = builder(&[]).services(services).build().unwrap();
    let get = |name: &str| client.service(name).get("/x").retries(0);
    let pool = client.pool().add("user", get("users")).add("orders", get("orders")).add("gone", get("gone"));
    let answers = pool.concurrency(8).send().await;
    assert_eq!(answers.get("user").unwrap().as_ref().unwrap().get("id"), Some(1.into()));
    for name in ["orders", "gone"] {
        let error = answers.get(name).unwrap().as_ref().unwrap_err();
        assert!(matches!(error, CallError::Unavailable { .. }), "{error:?}");
    }
    assert_eq!((users.count(), orders.count()), (1, 1));
}

#[tokio::test]
async fn a_pool_can_be_sent_from_any_thread() {
    fn is_send<T: Send>(_: &T) {}
    let (_, client) = told();
    is_send(&client.pool().add("a", client.service("oms").get("/o")).send());
}
