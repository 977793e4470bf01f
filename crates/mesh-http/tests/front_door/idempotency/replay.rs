//! What is kept of an answer, for how long, and what a repeated request gets.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{body::Body, response::IntoResponse};
use bytes::Bytes;
use http::{Method, StatusCode};
use http_body::Frame;
use http_body_util::StreamBody;
use mesh_core::{event::Event, store::MemoryStore};
use mesh_http::Idempotency;
use mesh_testkit::RecordingSink;

use super::{Counted, check_refused, is_hit, keyed, layer, post};
use crate::support::clock;

#[tokio::test]
async fn a_repeated_request_gets_the_stored_status_headers_and_body() {
    let sink = Arc::new(RecordingSink::new());
    let service = Counted::new(layer().event_sink(sink.clone()));
    let first = service.ask(post("k")).await;
    assert_eq!((first.status, first.text(), is_hit(&first)), (201, "body", false));
    assert_eq!(sink.take(), []);
    for _ in 0..3 {
        let again = service.ask(post("k")).await;
        assert_eq!((again.status, again.text(), is_hit(&again)), (201, "body", true));
        assert_eq!(again.header("x-run"), Some("1"));
        assert_eq!(again.header("content-type"), first.header("content-type"));
        let expected = Event::IdempotentRequestDetected {
            key: "k".to_owned(),
            method: Method::POST,
            path: "/orders".to_owned(),
        };
        assert_eq!(sink.take(), [expected]);
    }
    assert_eq!(service.runs(), 1);
}

#[tokio::test]
async fn an_answer_is_kept_for_its_time_and_no_longer() {
    let clock = clock();
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let service = Counted::new(Idempotency::layer(store).ttl(Duration::from_secs(60)));
    service.ask(post("k")).await;
    clock.advance(Duration::from_secs(59));
    assert!(is_hit(&service.ask(post("k")).await));
    clock.advance(Duration::from_secs(1));
    assert!(!is_hit(&service.ask(post("k")).await));
    assert_eq!(service.runs(), 2);
}

#[tokio::test]
async fn an_answer_that_is_not_2xx_is_not_kept_and_the_next_request_runs() {
    for status in [302, 400, 404, 409, 500, 503] {
        let service = Counted::answering(layer(), move |run, _| match run {
            1 => (StatusCode::from_u16(status).unwrap(), "failed").into_response(),
            _ => "worked".into_response(),
        });
        let first = service.ask(post("k")).await;
        assert_eq!((first.status, first.text()), (status, "failed"));
        assert_eq!(service.ask(post("k")).await.text(), "worked");
        assert!(is_hit(&service.ask(post("k")).await));
        assert_eq!(service.runs(), 2);
    }
}

#[tokio::test]
async fn cookies_dates_and_credentials_are_delivered_once_and_never_kept() {
    let service = Counted::answering(layer(), |_, _| {
        let headers = [
            ("set-cookie", "a=1"),
            ("date", "Sat, 21 Nov 2026 00:00:00 GMT"),
            ("authorization", "Bearer x"),
            ("x-kept", "yes"),
        ];
        (headers, "body").into_response()
    });
    let first = service.ask(post("k")).await;
    let again = service.ask(post("k")).await;
    for name in ["set-cookie", "date", "authorization"] {
        assert!(first.header(name).is_some(), "{name}");
        assert_eq!(again.header(name), None, "{name}");
    }
    assert_eq!((again.header("x-kept"), again.text()), (Some("yes"), "body"));
}

#[tokio::test]
async fn every_line_of_a_header_is_kept() {
    let service = Counted::answering(layer(), |_, _| {
        let mut response = "body".into_response();
        response.headers_mut().append("link", "</a>".parse().unwrap());
        response.headers_mut().append("link", "</b>".parse().unwrap());
        response
    });
    service.ask(post("k")).await;
    let again = service.ask(post("k")).await;
    assert_eq!(again.headers.get_all("link").iter().collect::<Vec<_>>(), ["</a>", "</b>"]);
}

#[tokio::test]
async fn binary_and_empty_bodies_are_replayed_byte_for_byte() {
    let binary = Bytes::from((0..=255).collect::<Vec<u8>>());
    for body in [binary, Bytes::new()] {
        let answer = body.clone();
        let service = Counted::answering(layer(), move |_, _| answer.clone().into_response());
        assert_eq!(service.ask(post("k")).await.body, body);
        let again = service.ask(post("k")).await;
        assert!(is_hit(&again));
        assert_eq!(again.body, body);
    }
}

/// Answers with ten bytes in two frames, of unknown length.
fn streamed() -> Body {
    let frames = ["01234", "56789"].map(|part| Ok::<_, Infallible>(Frame::data(Bytes::from(part))));
    Body::new(StreamBody::new(futures_util::stream::iter(frames)))
}

#[tokio::test]
async fn an_answer_above_the_limit_or_streamed_is_delivered_whole_and_never_replayed_as_empty() {
    let large = Counted::answering(layer().max_body(9), |_, _| "0123456789".into_response());
    let stream = Counted::answering(layer(), |_, _| streamed().into_response());
    let no_store = Counted::answering(layer(), |_, _| {
        ([("cache-control", "private, No-Store")], "0123456789").into_response()
    });
    for service in [large, stream, no_store] {
        let first = service.ask(post("k")).await;
        assert_eq!((first.status, first.text()), (200, "0123456789"));
        assert_eq!(first.header("x-idempotency-status"), None);
        check_refused(&service.ask(post("k")).await, 409, "idempotency.not_replayable");
        assert_eq!(service.runs(), 1);
    }
}

#[tokio::test]
async fn an_answer_of_exactly_the_limit_is_kept() {
    let service = Counted::answering(layer().max_body(10), |_, _| "0123456789".into_response());
    service.ask(post("k")).await;
    assert_eq!(service.ask(post("k")).await.text(), "0123456789");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error_and_the_next_request_runs() {
    let service = Counted::answering(layer(), |run, body| match run {
        1 => Body::new(Breaking { left: 10 }).into_response(),
        _ => body.into_response(),
    });
    let first = service.ask(post("k")).await;
    assert_eq!((first.status, first.text()), (500, r#"{"error":"Internal error.","code":"internal"}"#));
    let again = service.ask(post("k")).await;
    assert_eq!((again.status, again.text(), is_hit(&again)), (200, "body", false));
}

/// A body that announces its length and breaks off.
struct Breaking {
    left: u64,
}

impl http_body::Body for Breaking {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        std::task::Poll::Ready(Some(Err(std::io::Error::other("broken"))))
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.left)
    }
}

#[tokio::test]
async fn a_different_body_after_a_replay_is_still_refused() {
    let service = Counted::new(layer());
    service.ask(post("k")).await;
    service.ask(post("k")).await;
    let other = keyed("POST", "/orders?a=1", "k", "other");
    check_refused(&service.ask(other).await, 422, "idempotency.key_reused");
}
