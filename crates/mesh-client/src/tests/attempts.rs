//! Which attempts a call makes, and where.

use std::{
    collections::HashSet,
    net::{TcpListener, TcpStream},
    time::Duration,
};

use mesh_core::{
    error::{Origin, Retry},
    event::Event,
};
use mesh_testkit::Canned;
use serde_json::json;

use super::{assert_verifies, builder, client, nobody, quick, recording, upstream};
use crate::{CallError, Defaults};

#[tokio::test]
async fn a_5xx_is_retried_at_the_same_instance_before_the_next_one_is_tried() {
    let (first, second) = (upstream([Canned::status(500)]).await, upstream([Canned::json("{}")]).await);
    let response = client(&[first.url(), second.url()]).service("oms").get("/o").send().await.unwrap();
    let outcomes: Vec<_> = response.attempts().iter().map(|attempt| &attempt.outcome[..]).collect();
    assert_eq!(outcomes, ["status 500", "status 500", "status 500", "ok"]);
    assert_eq!((first.count(), second.count()), (3, 1));
}

#[tokio::test]
async fn all_attempts_have_one_request_id_and_a_signature_each() {
    let upstream = upstream([Canned::status(500), Canned::status(502), Canned::json("{}")]).await;
    client(&[upstream.url()]).service("oms").put("/o", &json!({"a": 1})).send().await.unwrap();
    let requests = upstream.requests();
    assert_eq!(requests.len(), 3);
    requests.iter().for_each(assert_verifies);
    let ids: HashSet<_> = requests.iter().map(|request| request.headers["x-request-id"].clone()).collect();
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn what_does_not_answer_is_left_for_the_next_instance_at_once() {
    for bad in [Canned::reset(), Canned::close(), Canned::status(200).body("0123").cut_at(2)] {
        let (first, second) = (upstream([bad]).await, upstream([Canned::json("{}")]).await);
        let response = client(&[first.url(), second.url()]).service("oms").get("/o").send().await.unwrap();
        assert_eq!((first.count(), second.count(), response.attempts().len()), (1, 1, 2));
    }
}

#[tokio::test]
async fn a_request_that_was_written_is_repeated_only_if_that_is_safe() {
    let bad = [Canned::reset(), Canned::close(), Canned::status(500)];
    for canned in bad {
        let (first, second) = (upstream([canned]).await, upstream([Canned::json("{}")]).await);
        let client = client(&[first.url(), second.url()]);
        let post = || client.service("oms").post("/o", &json!({}));
        post().send().await.unwrap_err();
        assert_eq!((first.count(), second.count()), (1, 0), "an unsafe method");
        post().with_header("x-request-id", "1").send().await.unwrap();
        assert_eq!(second.count(), 1, "the second instance's turn");
        let before = first.count() + second.count();
        post().idempotent().retries(0).send().await.unwrap();
        post().with_header("idempotency-key", "1").retries(0).send().await.unwrap();
        assert!(first.count() + second.count() >= before + 2);
    }
}

#[tokio::test]
async fn an_empty_idempotency_key_makes_nothing_repeatable() {
    let (first, second) = (upstream([Canned::reset()]).await, upstream([Canned::reset()]).await);
    let client = client(&[first.url(), second.url()]);
    let post = client.service("oms").post("/o", &json!({})).with_header("idempotency-key", "");
    post.send().await.unwrap_err();
    assert_eq!(first.count() + second.count(), 1);
}

#[tokio::test]
async fn any_method_is_repeated_when_nothing_was_written() {
    let alive = upstream([Canned::json("{}")]).await;
    let client = client(&[nobody(), nobody(), alive.url()]);
    let response = client.service("oms").post("/o", &json!({})).send().await.unwrap();
    assert_eq!((alive.count(), response.attempts().len()), (1, 3));
    assert!(response.attempts()[0].outcome.starts_with("connect: "), "{:?}", response.attempts());
}

/// A listener whose queue is full: who connects gets no answer at all, as from a host that is gone.
fn blackhole() -> (TcpListener, Vec<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        queued.push(stream);
    }
    (listener, queued)
}

#[tokio::test]
async fn a_host_that_is_gone_costs_the_connect_timeout_and_nothing_was_written() {
    let (gone, _queued) = blackhole();
    let alive = upstream([Canned::json("{}")]).await;
    let urls = [format!("http://{}", gone.local_addr().unwrap()), alive.url()];
    let client = builder(&urls).connect_timeout(Duration::from_secs(1)).build().unwrap();
    let response = client.service("oms").post("/o", &json!({})).send().await.unwrap();
    assert_eq!((alive.count(), response.attempts().len()), (1, 2));
    assert!(response.attempts()[0].outcome.starts_with("timeout: "), "{:?}", response.attempts());
}

#[tokio::test]
async fn a_tls_handshake_that_fails_is_no_connection() {
    let plain = upstream([Canned::json("{}")]).await;
    let client = client(&[plain.url().replace("http:", "https:"), plain.url()]);
    let response = client.service("oms").post("/o", &json!({})).send().await.unwrap();
    assert_eq!((plain.count(), response.attempts().len()), (1, 2));
    assert!(response.attempts()[0].outcome.starts_with("connect: "), "{:?}", response.attempts());
}

#[tokio::test]
async fn any_method_is_repeated_after_a_503_that_says_when() {
    let upstream = upstream([Canned::status(503).header("retry-after", "0"), Canned::json("{}")]).await;
    let response = client(&[upstream.url()]).service("oms").post("/o", &json!({})).send().await.unwrap();
    assert_eq!((upstream.count(), response.attempts().len()), (2, 2));
}

#[tokio::test]
async fn on_another_5xx_retry_after_says_nothing() {
    let upstream = upstream([Canned::status(500).header("retry-after", "0"), Canned::json("{}")]).await;
    client(&[upstream.url()]).service("oms").post("/o", &json!({})).send().await.unwrap_err();
    assert_eq!(upstream.count(), 1);
}

#[tokio::test]
async fn when_all_fail_every_attempt_is_listed() {
    let sink = recording();
    let (dead, silent) = (nobody(), upstream([Canned::silence()]).await);
    let defaults = Defaults { timeout: Duration::from_millis(80), retries: 0, ..quick() };
    let client =
        builder(&[dead.clone(), silent.url()]).defaults(defaults).event_sink(sink.clone()).build().unwrap();
    let error = client.service("oms").get("/o?token=secret").send().await.unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("the service [oms] is unavailable: http://127.0.0.1:"), "{text}");
    assert!(text.contains(&format!("{dead} connect: ")) && text.contains(&silent.url()), "{text}");
    assert!(text.contains("timeout: no whole answer within 80 ms ("), "{text}");
    assert!(!format!("{text} {error:?}").contains("secret"), "{error:?}");
    let CallError::Unavailable { attempts, last: None, .. } = error else { panic!("{error:?}") };
    assert_eq!(attempts.len(), 2);
    let events = sink.events();
    let failed = events.iter().filter(
        |event| matches!(event, Event::ServiceRequestFailed { path, status: None, .. } if path == "/o"),
    );
    assert_eq!(failed.count(), 2, "{events:?}");
    assert!(matches!(events.last(), Some(Event::ServiceBecameUnavailable { .. })), "{events:?}");
}

#[tokio::test]
async fn a_service_without_instances_is_told_in_the_packages_words() {
    let client = client(&[]);
    for service in ["oms", "unknown"] {
        let error = client.service(service).get("/o").send().await.unwrap_err();
        assert_eq!(error.to_string(), format!("No instances configured for service [{service}]."));
        assert_eq!((error.origin(), error.retry()), (Origin::Mesh, Retry::Never));
        assert!(matches!(error, CallError::Unavailable { last: None, .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_failed_attempt_is_told_with_its_status() {
    let sink = recording();
    let upstream = upstream([Canned::status(502), Canned::status(404)]).await;
    let client = builder(&[upstream.url()]).event_sink(sink.clone()).build().unwrap();
    client.service("oms").get("/o").send().await.unwrap();
    let [Event::ServiceRequestFailed { service, url, method, path, status, message }] = &sink.events()[..]
    else {
        panic!("{:?}", sink.events())
    };
    assert_eq!((service.as_str(), url.as_str()), ("oms", &upstream.url()[..]));
    assert_eq!((method.as_str(), &path[..], *status, &message[..]), ("GET", "/o", Some(502), "status 502"));
}

#[test]
fn a_call_can_be_sent_from_any_thread() {
    fn is_send<T: Send>(_: &T) {}
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    let client = client(&[]);
    is_send(&client.service("oms").get("/").send());
    is_send(&client.service("oms").get("/").send_streaming());
}
