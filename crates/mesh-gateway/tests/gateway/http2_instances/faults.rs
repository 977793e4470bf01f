//! What instances with HTTP/2 may do wrong, and what their clients see of it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use h2::Reason;
use http::{HeaderValue, Response};
use http_body_util::BodyExt as _;
use mesh_testkit::upstream::FakeUpstream;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::{
    grpc::{call, echo},
    instance::{Instance, message, status},
    node_before, node_with, settings,
};
use crate::http2::{prior_knowledge, request, whole};

/// The code of a refusal, and its text.
fn refusal(body: &Bytes) -> (String, String) {
    let document: serde_json::Value = serde_json::from_slice(body).unwrap();
    let text = |key: &str| document[key].as_str().unwrap().to_owned();
    (text("code"), text("error"))
}

#[tokio::test]
async fn a_refused_stream_is_sent_again_and_another_reset_is_not() {
    for (reason, requests, expected) in
        [(Reason::REFUSED_STREAM, 2, 200), (Reason::INTERNAL_ERROR, 1, 502), (Reason::CANCEL, 1, 502)]
    {
        let instance = Instance::start(move |mut asked| async move {
            if asked.number == 0 {
                asked.answer.send_reset(reason);
            } else {
                echo(asked).await;
            }
        });
        let instance = instance.await;
        let node = node_before(&[instance.url()]).await;
        let response = prior_knowledge(&node).await.send_request(call(b"")).await.unwrap();
        assert_eq!(response.status(), expected, "{reason:?}");
        assert_eq!((instance.requests(), instance.connections()), (requests, 1), "{reason:?}");
        node.stop().await;
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_never_a_short_one() {
    for reason in [Reason::CANCEL, Reason::INTERNAL_ERROR, Reason::REFUSED_STREAM] {
        let instance = Instance::start(move |mut asked| async move {
            let mut stream = asked.begin();
            stream.send_data(message(b"half of it"), false).unwrap();
            stream.send_reset(reason);
        });
        let instance = instance.await;
        let node = node_before(&[instance.url()]).await;
        let response = prior_knowledge(&node).await.send_request(request("GET", "/api/orders", b"")).await;
        // The reset may come before the head went on.
        let Ok(response) = response else { panic!("the client's own connection is not at fault") };
        if response.status() == 200 {
            assert!(response.into_body().collect().await.is_err(), "{reason:?}");
        } else {
            assert_eq!(response.status(), 502, "{reason:?}");
        }
        node.stop().await;
    }
}

#[tokio::test]
async fn an_instance_that_wants_no_more_of_a_request_that_it_answered_has_done_no_wrong() {
    let instance = Instance::start(|mut asked| async move {
        let mut stream = asked.begin();
        stream.send_data(message(b"enough"), false).unwrap();
        stream.send_trailers(status("8")).unwrap();
    });
    let instance = instance.await;
    let node = node_before(&[instance.url()]).await;
    let mut client = prior_knowledge(&node).await;
    let response = client.send_request(call(&vec![7; 900_000])).await.unwrap();
    let collected = response.into_body().collect().await.unwrap();
    let trailers = collected.trailers().cloned();
    assert_eq!((collected.to_bytes(), trailers), (message(b"enough"), Some(status("8"))));
    assert_eq!(instance.requests(), 1);
    node.stop().await;
}

#[tokio::test]
async fn answers_that_are_none_are_told() {
    let wrong = Arc::new(AtomicUsize::new(0));
    let which = Arc::clone(&wrong);
    let instance = Instance::start(move |mut asked| {
        let wrong = which.load(Ordering::SeqCst);
        async move {
            let mut response = Response::builder();
            response = match wrong {
                0 => {
                    let large = HeaderValue::try_from(vec![b'x'; 15_000]).unwrap();
                    (0..6).fold(response, |head, number| head.header(format!("x-{number}"), large.clone()))
                }
                1 => response.status(101),
                _ => response.header("content-length", "7"),
            };
            let mut stream = asked.answer.send_response(response.body(()).unwrap(), false).unwrap();
            let _taken_back = stream.send_data(Bytes::new(), true);
        }
    });
    let instance = instance.await;
    let mut settings = settings(&[instance.url()]);
    settings.retry.retries = 0;
    let node = node_with(settings).await;
    let mut client = prior_knowledge(&node).await;
    for number in 0..3 {
        wrong.store(number, Ordering::SeqCst);
        let response = client.send_request(request("GET", "/api/orders", b"")).await.unwrap();
        // An answer that is shorter than it said may have begun.
        if number == 2 && response.status() == 200 {
            assert!(response.into_body().collect().await.is_err());
            continue;
        }
        let (status, _, body) = whole(response).await;
        assert_eq!((status.as_u16(), &refusal(&body).0[..]), (502, "bad_upstream_response"), "{number}");
    }
    node.stop().await;
}

#[tokio::test]
async fn an_instance_that_speaks_http_1_alone_gets_no_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let answers = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _sent = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
            let _read = stream.read_to_end(&mut Vec::new()).await;
        }
    });
    let hangs_up = FakeUpstream::scripted([]).await.unwrap();
    for (url, expected, says) in [
        (answers, "bad_upstream_response", "the service does not speak HTTP/2, as its settings say"),
        (hangs_up.url(), "upstream_unreachable", "no instance of the service could be reached"),
    ] {
        let node = node_before(&[url]).await;
        let response = prior_knowledge(&node).await.send_request(call(b"")).await.unwrap();
        let (status, _, body) = whole(response).await;
        assert_eq!(status, 502);
        assert_eq!(refusal(&body), (expected.to_owned(), says.to_owned()));
        node.stop().await;
    }
    assert_eq!(hangs_up.count(), 0);
}
