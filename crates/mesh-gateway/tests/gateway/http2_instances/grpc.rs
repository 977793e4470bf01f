//! gRPC through the gateway, from its clients to instances that speak HTTP/2.

use std::{future::poll_fn, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{net::TcpStream, sync::mpsc, time::timeout};

use super::{
    METHOD,
    instance::{Asked, Instance, message, status},
    node_before,
};
use crate::{
    http2::{prior_knowledge, request},
    support::{Answer, PATIENCE, until},
};

/// A call of gRPC with one message.
pub(super) fn call(bytes: &[u8]) -> Request<Full<Bytes>> {
    let mut call = request("POST", METHOD, &message(bytes));
    call.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    call.headers_mut().insert("te", HeaderValue::from_static("trailers"));
    call
}

/// Answers each call with its own message.
pub(super) async fn echo(mut asked: Asked) {
    let said = asked.whole().await;
    let mut stream = asked.begin();
    stream.send_data(said, false).unwrap();
    stream.send_trailers(status("0")).unwrap();
}

#[tokio::test]
async fn a_unary_call_and_its_trailers_go_through_signed_and_with_what_is_said_about_the_client() {
    let (tell, mut told) = mpsc::channel(1);
    let instance = Instance::start(move |mut asked| {
        let tell = tell.clone();
        async move {
            let said = asked.whole().await;
            let verifies = asked.verifies(&said);
            let mut stream = asked.begin();
            stream.send_data(said, false).unwrap();
            stream.send_trailers(status("0")).unwrap();
            assert!(tell.send((verifies, asked)).await.is_ok());
        }
    });
    let instance = instance.await;
    let node = node_before(&[instance.url()]).await;
    let response = prior_knowledge(&node).await.send_request(call(b"a book")).await.unwrap();
    assert_eq!((response.status().as_u16(), response.version()), (200, Version::HTTP_2));
    assert_eq!(response.headers()["content-type"], "application/grpc");
    let whole = response.into_body().collect().await.unwrap();
    assert_eq!(whole.trailers().unwrap().get("grpc-status").unwrap(), "0");
    assert_eq!(whole.to_bytes(), message(b"a book"));

    let (verifies, asked) = told.recv().await.unwrap();
    assert!(verifies, "{:?}", asked.head);
    assert_eq!(asked.head.version, Version::HTTP_2);
    assert_eq!(asked.head.uri.to_string(), format!("{}{METHOD}", instance.url()));
    assert_eq!(asked.header("te"), ["trailers"]);
    assert_eq!(asked.header("content-type"), ["application/grpc"]);
    assert_eq!(asked.header("x-service-name"), ["gateway"]);
    assert_eq!(asked.header("x-forwarded-host"), ["street"]);
    assert_eq!(asked.header("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(asked.header("x-request-id").len(), 1);
    assert_eq!(asked.header("traceparent").len(), 1);
    assert_eq!(asked.header("host"), [""; 0]);
    node.stop().await;
}

#[tokio::test]
async fn messages_of_a_stream_arrive_one_by_one() {
    let (go_on, told) = mpsc::channel::<()>(1);
    let told = Arc::new(tokio::sync::Mutex::new(told));
    let instance = Instance::start(move |mut asked| {
        let told = Arc::clone(&told);
        async move {
            let mut stream = asked.begin();
            for number in 0..3 {
                stream.send_data(message(&[number]), false).unwrap();
                told.lock().await.recv().await.unwrap();
            }
            stream.send_trailers(status("0")).unwrap();
        }
    });
    let instance = instance.await;
    let node = node_before(&[instance.url()]).await;
    let response = prior_knowledge(&node).await.send_request(call(b"")).await.unwrap();
    let mut body = response.into_body();
    for number in 0..3 {
        let frame = timeout(PATIENCE, body.frame()).await.unwrap().unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), message(&[number]), "the instance waits for the go-ahead");
        go_on.send(()).await.unwrap();
    }
    let frame = timeout(PATIENCE, body.frame()).await.unwrap().unwrap().unwrap();
    assert_eq!(frame.into_trailers().unwrap(), status("0"));
    node.stop().await;
}

#[tokio::test]
async fn an_error_that_is_all_trailers_arrives_as_it_is() {
    let instance = Instance::start(|mut asked| async move {
        let head = Response::builder()
            .header("content-type", "application/grpc")
            .header("grpc-status", "5")
            .header("grpc-message", "no such order");
        asked.answer.send_response(head.body(()).unwrap(), true).unwrap();
    });
    let instance = instance.await;
    let node = node_before(&[instance.url()]).await;
    let response = prior_knowledge(&node).await.send_request(call(b"")).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["grpc-status"], "5");
    assert_eq!(response.headers()["grpc-message"], "no such order");
    assert!(response.into_body().collect().await.unwrap().to_bytes().is_empty());
    assert_eq!(instance.requests(), 1, "an answer is no failure");
    node.stop().await;
}

#[tokio::test]
async fn a_call_that_the_client_takes_back_is_taken_back_from_the_instance() {
    let (tell, mut told) = mpsc::channel(4);
    let instance = Instance::start(move |mut asked| {
        let tell = tell.clone();
        async move {
            let mut stream = (asked.number == 1).then(|| asked.begin());
            tell.send(None).await.unwrap();
            let reason = match &mut stream {
                Some(stream) => poll_fn(|context| stream.poll_reset(context)).await.unwrap(),
                None => asked.taken_back().await,
            };
            tell.send(Some(reason)).await.unwrap();
        }
    });
    let instance = instance.await;
    let node = node_before(&[instance.url()]).await;
    let mut client = prior_knowledge(&node).await;
    for has_answer in [false, true] {
        let asked = client.send_request(call(b""));
        if has_answer {
            drop(asked.await.unwrap());
            assert_eq!(timeout(PATIENCE, told.recv()).await.unwrap().unwrap(), None);
        } else {
            let asked = tokio::spawn(asked);
            assert_eq!(timeout(PATIENCE, told.recv()).await.unwrap().unwrap(), None);
            asked.abort();
        }
        let reason = timeout(PATIENCE, told.recv()).await.unwrap().unwrap();
        assert_eq!(reason, Some(h2::Reason::CANCEL));
    }
    assert_eq!(instance.connections(), 1, "the connection is nobody's fault");
    node.stop().await;
}

#[tokio::test]
async fn a_client_with_http_1_is_served_by_an_instance_with_http_2() {
    let instance = Instance::start(|mut asked| async move {
        let said = asked.whole().await;
        assert!(asked.verifies(&said));
        assert_eq!(asked.header("te"), [""; 0]);
        assert_eq!(asked.header("connection"), [""; 0]);
        let (method, length) = (asked.head.method.clone(), asked.header("content-length").concat());
        asked.answer(format!("{method} {length} {}", said.len())).await;
    });
    let instance = instance.await;
    let node = node_before(&[instance.url()]).await;
    let answer = node.get("/api/orders").await;
    assert_eq!((answer.status, &answer.text()[..]), (200, "6\r\nGET  0\r\n0\r\n\r\n"));
    let answer = node.post("/api/orders", "", &vec![7; 900_000]).await;
    assert!(answer.text().contains("POST 900000 900000"), "{answer:?}");
    let head = "HEAD /api/orders HTTP/1.1\r\nHost: street\r\nConnection: close";
    assert_eq!(node.send(head, b"").await.text(), "");
    node.stop().await;
}

#[tokio::test]
async fn a_client_with_http_1_is_not_sent_trailers_that_it_cannot_expect() {
    let instance = Instance::start(echo).await;
    let node = node_before(&[instance.url()]).await;
    let answer = node.post(METHOD, "", &message(b"a")).await;
    assert_eq!(answer.status, 200);
    assert!(answer.raw_body.ends_with(b"\r\n0\r\n\r\n"), "{answer:?}");
    node.stop().await;
}

#[tokio::test]
async fn a_large_answer_waits_for_its_reader_and_holds_up_no_other() {
    const WHOLE: usize = 40_000_000;
    let instance = Instance::start(|asked| async move {
        let length = if asked.number == 0 { WHOLE } else { 5 };
        asked.answer(vec![b'x'; length]).await;
    });
    let instance = instance.await;
    let node = node_before(&[instance.url()]).await;
    let mut client = prior_knowledge(&node).await;
    let unread = client.send_request(request("GET", "/api/orders", b"")).await.unwrap();
    for _ in 0..20 {
        let other = client.send_request(request("GET", "/api/orders", b"")).await.unwrap();
        assert_eq!(other.into_body().collect().await.unwrap().to_bytes(), "xxxxx");
    }
    assert_eq!(instance.connections(), 1);
    let read = timeout(PATIENCE, unread.into_body().collect()).await.unwrap().unwrap();
    assert_eq!(read.to_bytes().len(), WHOLE);
    until("the connection is idle", async || {
        let figures = node.admin("/microservice/metrics").await;
        is_told(&figures, "mesh_pool_idle", 1)
            && is_told(&figures, "mesh_pool_opened_total", 1)
            && is_told(&figures, "mesh_pool_reused_total", 20)
    })
    .await;
    node.stop().await;
}

#[tokio::test]
async fn small_messages_that_nobody_reads_end_no_connection_that_others_use() {
    let instance = Instance::start(|mut asked| async move {
        if asked.header("content-type").is_empty() {
            return asked.answer("ok").await;
        }
        let mut stream = asked.begin();
        for _ in 0..3_000 {
            stream.send_data(message(b"a small one"), false).unwrap();
        }
        stream.send_trailers(status("0")).unwrap();
    });
    let instance = instance.await;
    let node = node_before(&[instance.url()]).await;
    let stream = TcpStream::connect(node.running.public()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.initial_stream_window_size(2_000);
    let (mut client, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut unread = Vec::new();
    for _ in 0..30 {
        unread.push(client.send_request(call(b"")).await.unwrap());
    }
    for _ in 0..20 {
        let other = client.send_request(request("GET", "/api/orders", b"")).await.unwrap();
        assert_eq!(other.into_body().collect().await.unwrap().to_bytes(), "ok");
    }
    assert_eq!(instance.connections(), 1);
    let first = unread.swap_remove(0);
    let read = timeout(PATIENCE, first.into_body().collect()).await.unwrap().unwrap();
    assert_eq!(read.trailers(), Some(&status("0")));
    assert_eq!(read.to_bytes().len(), 3_000 * 16);
    drop((unread, client));
    node.stop().await;
}

fn is_told(figures: &Answer, name: &str, value: u32) -> bool {
    figures.text().lines().any(|line| line.starts_with(name) && line.ends_with(&format!(" {value}")))
}
