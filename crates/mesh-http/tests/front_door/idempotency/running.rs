//! While a request runs: twins, long handlers, clients that go away, panics.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body, routing::post as on_post};
use futures_util::future::BoxFuture;
use http::{Request, Response};
use mesh_core::store::MemoryStore;
use mesh_http::{Idempotency, idempotency::IdempotencyLayer};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::{
    Counted, IN_FLIGHT, ask, caller, is_hit, layer, memory, post,
    stores::{FailingStore, TokioClock},
};
use crate::support::Read;

/// A handler that begins, says so, and ends when it may.
#[derive(Clone)]
struct Gated {
    app: Router,
    begun: Arc<Semaphore>,
    may_end: Arc<Semaphore>,
    ended: Arc<AtomicUsize>,
}

impl Gated {
    fn new(layer: IdempotencyLayer) -> Self {
        let (begun, may_end) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let ended = Arc::new(AtomicUsize::new(0));
        let (tell, wait, count) = (begun.clone(), may_end.clone(), ended.clone());
        let handler = move || async move {
            tell.add_permits(1);
            wait.acquire().await.unwrap().forget();
            count.fetch_add(1, Ordering::SeqCst);
            "ended"
        };
        let app = Router::new().route("/orders", on_post(handler)).layer(layer).layer(caller("orders"));
        Self { app, begun, may_end, ended }
    }

    async fn until_begun(&self) {
        tokio::time::timeout(Duration::from_secs(30), self.begun.acquire()).await.unwrap().unwrap().forget();
    }

    /// Asks until the first request is no longer in flight.
    async fn until_answered(&self) -> Read {
        let asking = async {
            loop {
                let read = ask(&self.app, post("k")).await;
                if read.status != 409 {
                    return read;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), asking).await.unwrap()
    }
}

#[tokio::test]
async fn a_twin_of_a_running_request_is_told_to_come_back() {
    let service = Gated::new(layer());
    let first = tokio::spawn(service.app.clone().oneshot(post("k")));
    service.until_begun().await;
    let twin = ask(&service.app, post("k")).await;
    assert_eq!((twin.status, twin.text(), twin.header("retry-after")), (409, IN_FLIGHT, Some("1")));
    service.may_end.add_permits(1);
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    assert!(is_hit(&ask(&service.app, post("k")).await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_thousand_twins_at_once_exactly_one_runs() {
    let service = Arc::new(Counted::new(layer()));
    let twins: Vec<_> = (0..1_000)
        .map(|_| {
            let service = service.clone();
            tokio::spawn(async move { service.ask(post("k")).await })
        })
        .collect();
    let mut delivered = 0;
    for twin in twins {
        let read = twin.await.unwrap();
        match read.status {
            201 => delivered += usize::from(!is_hit(&read)),
            status => assert_eq!((status, read.text()), (409, IN_FLIGHT)),
        }
    }
    assert_eq!((service.runs(), delivered), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_outlives_its_lock_is_still_the_only_one() {
    let clock = TokioClock::new();
    let store = FailingStore::new(clock.clone());
    let lock_timeout = Duration::from_secs(10);
    // Two layers on one store: as two processes, which share nothing else.
    let here = Gated::new(Idempotency::layer(store.clone()).lock_timeout(lock_timeout).clock(clock.clone()));
    let there = Counted::new(Idempotency::layer(store.clone()).lock_timeout(lock_timeout).clock(clock));
    let first = tokio::spawn(here.app.clone().oneshot(post("k")));
    here.until_begun().await;
    for _ in 0..7 {
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(there.ask(post("k")).await.status, 409);
    }
    assert!(store.renewals.load(Ordering::SeqCst) >= 9, "renewed at a third of the lock's time");
    here.may_end.add_permits(1);
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    assert!(is_hit(&there.ask(post("k")).await));
    assert_eq!(there.runs(), 0);

    let renewals = store.renewals.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(store.renewals.load(Ordering::SeqCst), renewals, "nothing is renewed after the answer");
}

#[tokio::test(start_paused = true)]
async fn a_claim_whose_holder_is_gone_ends_with_its_time() {
    let clock = TokioClock::new();
    let store = FailingStore::new(clock.clone());
    let here = Gated::new(Idempotency::layer(store.clone()).lock_timeout(Duration::from_secs(10)));
    let there = Counted::new(Idempotency::layer(store.clone()));
    store.renew_down.store(true, Ordering::SeqCst);
    let first = tokio::spawn(here.app.clone().oneshot(post("k")));
    here.until_begun().await;
    assert_eq!(there.ask(post("k")).await.status, 409);
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(there.ask(post("k")).await.status, 201);

    here.may_end.add_permits(1);
    let late = first.await.unwrap().unwrap();
    assert_eq!(
        late.headers()["x-idempotency-status"],
        "not-stored",
        "a late answer says that it was not kept"
    );
    assert_eq!(there.ask(post("k")).await.text(), "body", "and overwrites nothing");
}

/// Adds a permit to `gone` when the server stops waiting for the answer.
fn tell_when_dropped<S>(gone: Arc<Semaphore>) -> impl Layer<S, Service = Dropping<S>> + Clone {
    tower::layer::layer_fn(move |inner| Dropping { inner, gone: gone.clone() })
}

#[derive(Clone)]
struct Dropping<S> {
    inner: S,
    gone: Arc<Semaphore>,
}

struct Tell(Arc<Semaphore>);

impl Drop for Tell {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

impl<S: Service<Request<Body>, Future: Send + 'static>> Service<Request<Body>> for Dropping<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (answer, tell) = (self.inner.call(request), Tell(self.gone.clone()));
        Box::pin(async move {
            let _tell = tell;
            answer.await
        })
    }
}

#[tokio::test]
async fn a_request_whose_client_goes_away_runs_to_its_end_and_is_stored() {
    let service = Gated::new(layer());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let gone = Arc::new(Semaphore::new(0));
    let app = service.app.clone().layer(tell_when_dropped(gone.clone()));
    let server = tokio::spawn(async move { axum::serve(listener, app).await });

    let mut client = TcpStream::connect(address).await.unwrap();
    let request =
        "POST /orders?a=1 HTTP/1.1\r\nHost: a\r\nIdempotency-Key: k\r\nContent-Length: 4\r\n\r\nbody";
    client.write_all(request.as_bytes()).await.unwrap();
    service.until_begun().await;
    drop(client);
    tokio::time::timeout(Duration::from_secs(30), gone.acquire()).await.unwrap().unwrap().forget();
    service.may_end.add_permits(1);

    let again = service.until_answered().await;
    assert_eq!((again.status, again.text(), is_hit(&again)), (200, "ended", true));
    assert_eq!(service.ended.load(Ordering::SeqCst), 1);
    server.abort();
}

#[tokio::test]
async fn a_client_that_stops_waiting_does_not_stop_what_it_began() {
    let service = Gated::new(layer());
    let first = tokio::spawn(service.app.clone().oneshot(post("k")));
    service.until_begun().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert_eq!(ask(&service.app, post("k")).await.status, 409);
    service.may_end.add_permits(1);
    assert!(is_hit(&service.until_answered().await));
    assert_eq!(service.ended.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_the_next_request_runs() {
    let service = Counted::answering(layer(), |run, _| match run {
        1 => panic!("the handler is wrong"),
        _ => Response::new(Body::from("worked")),
    });
    let first = service.ask(post("k")).await;
    assert_eq!((first.status, first.text()), (500, r#"{"error":"Internal error.","code":"internal"}"#));
    let again = service.ask(post("k")).await;
    assert_eq!((again.status, again.text(), is_hit(&again)), (200, "worked", false));
}

#[tokio::test]
async fn an_error_of_a_plain_tower_service_is_its_own_and_the_next_request_runs() {
    let runs = Arc::new(AtomicUsize::new(0));
    let counter = runs.clone();
    let plain = service_fn(move |_request: Request<Body>| {
        let run = counter.fetch_add(1, Ordering::SeqCst);
        async move {
            match run {
                0 => Err(std::io::Error::other("no")),
                _ => Ok(Response::new(http_body_util::Full::from("plain"))),
            }
        }
    });
    let service = layer().anonymous().layer(plain);
    let error = service.clone().oneshot(post("k")).await.unwrap_err();
    assert_eq!(error.to_string(), "no");
    for hit in [false, true] {
        let read = Read::of(service.clone().oneshot(post("k")).await.unwrap()).await;
        assert_eq!((read.text(), is_hit(&read)), ("plain", hit));
    }
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn two_processes_on_one_store_run_a_request_once() {
    let store: Arc<MemoryStore> = memory();
    let (here, there) =
        (Counted::new(Idempotency::layer(store.clone())), Counted::new(Idempotency::layer(store)));
    for round in 0..100 {
        let key = format!("round-{round}");
        let (a, b) = tokio::join!(here.ask(post(&key)), there.ask(post(&key)));
        let ran = [&a, &b].into_iter().filter(|read| read.status == 201 && !is_hit(read)).count();
        assert_eq!(ran, 1, "{key}");
    }
    assert_eq!(here.runs() + there.runs(), 100);
}

#[test]
fn the_layers_are_infallible_where_what_they_guard_is() {
    fn same_error<S, L>(_layer: &L)
    where
        L: Layer<S>,
        L::Service: Service<Request<Body>, Error = Infallible>,
    {
    }
    same_error::<axum::routing::Route, _>(&layer());
}

#[tokio::test]
async fn of_duplicates_that_come_together_one_asks_the_store() {
    let store = FailingStore::new(TokioClock::new());
    let gated = Gated::new(Idempotency::layer(store.clone()));
    store.slow.store(true, Ordering::SeqCst);
    let mut twins = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let app = gated.app.clone();
        twins.spawn(async move { ask(&app, post("k")).await.status });
    }
    for _ in 0..99 {
        assert_eq!(twins.join_next().await.unwrap().unwrap(), 409);
    }
    gated.may_end.add_permits(1);
    assert_eq!(twins.join_next().await.unwrap().unwrap(), 200);
    assert_eq!(store.begins.load(Ordering::SeqCst), 1);
}
