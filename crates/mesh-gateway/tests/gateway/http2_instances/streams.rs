//! Requests whose bodies go on as they come: gRPC whose clients stream.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use h2::Reason;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody, combinators::UnsyncBoxBody};
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use mesh_core::service::RequestBodies;
use mesh_gateway::{GatewaySettings, Limits};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};

use super::{
    METHOD,
    grpc::{call, echo},
    instance::{Asked, Instance, message, send, status},
    node_with,
};
use crate::{
    http2::{prior_knowledge, whole},
    support::{Answer, Node, PATIENCE},
};

type Said = UnsyncBoxBody<Bytes, Infallible>;

fn settings(urls: &[String]) -> GatewaySettings {
    let mut settings = super::settings(urls);
    settings.configured[0].request_bodies = RequestBodies::Streamed;
    // Nothing of this concerns a body that is not held.
    settings.body_limit = 5;
    settings.limits = Limits { body_window: Duration::from_millis(1), ..Limits::default() };
    settings
}

/// A client whose calls say what is sent to them, until nobody sends any more.
async fn client(node: &Node) -> SendRequest<Said> {
    let io = TokioIo::new(TcpStream::connect(node.running.public()).await.unwrap());
    let (client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    client
}

fn streaming() -> (mpsc::Sender<Frame<Bytes>>, Request<Said>) {
    let (say, said) = mpsc::channel(1);
    let frames = stream::unfold(said, async |mut said| {
        said.recv().await.map(|frame| (Ok::<_, Infallible>(frame), said))
    });
    let (head, ()) = call(b"").map(|_| ()).into_parts();
    (say, Request::from_parts(head, StreamBody::new(frames).boxed_unsync()))
}

/// Answers each message as it comes, and tells the trailers of the request.
async fn answer_each(mut asked: Asked) {
    assert!(asked.verifies(b""), "signed as empty");
    let mut stream = asked.begin();
    while let Some(Ok(data)) = asked.body.data().await {
        asked.body.flow_control().release_capacity(data.len()).unwrap();
        send(&mut stream, data).await;
    }
    let trailers = asked.body.trailers().await.unwrap().unwrap_or_default();
    assert!(!trailers.contains_key("x-signature"), "{trailers:?}");
    let mut ending = status("0");
    ending.extend(trailers);
    stream.send_trailers(ending).unwrap();
}

#[tokio::test]
async fn messages_go_both_ways_while_a_call_lasts() {
    let instance = Instance::start(answer_each).await;
    let node = node_with(settings(&[instance.url()])).await;
    let (say, request) = streaming();
    let response = client(&node).await.send_request(request).await.unwrap();
    let mut body = response.into_body();
    for number in 0..50 {
        let said = message(&[number; 100]);
        say.send(Frame::data(said.clone())).await.unwrap();
        let heard = timeout(PATIENCE, body.frame()).await.unwrap().unwrap().unwrap();
        assert_eq!(heard.into_data().unwrap(), said);
    }
    let sum = (HeaderName::from_static("x-sum"), HeaderValue::from_static("7"));
    let forged = (HeaderName::from_static("x-signature"), HeaderValue::from_static("7"));
    say.send(Frame::trailers(HeaderMap::from_iter([sum, forged]))).await.unwrap();
    drop(say);
    let ending = timeout(PATIENCE, body.frame()).await.unwrap().unwrap().unwrap().into_trailers().unwrap();
    assert_eq!((&ending["grpc-status"], &ending["x-sum"]), (&"0".parse().unwrap(), &"7".parse().unwrap()));
    let figures = node.admin("/microservice/metrics").await.text();
    assert!(figures.contains("\nmesh_unsigned_bodies_total 1\n"), "{figures}");
    node.stop().await;
}

#[tokio::test]
async fn a_unary_call_a_large_one_and_one_without_a_body_work_too() {
    let instance = Instance::start(answer_each).await;
    let node = node_with(settings(&[instance.url()])).await;
    let mut client = prior_knowledge(&node).await;
    let large = vec![7; 5_000_000];
    for said in [&b"a book"[..], &large] {
        let (status, _, body) = whole(client.send_request(call(said)).await.unwrap()).await;
        assert_eq!((status.as_u16(), body), (200, message(said)));
    }
    assert_eq!(node.get("/api/orders").await.status, 200);
    assert_eq!(node.post("/api/orders", "", b"a book").await.status, 200);
    node.stop().await;
}

#[tokio::test]
async fn a_client_that_goes_takes_its_call_along_and_no_instance_is_blamed() {
    let (tell, mut told) = mpsc::channel(1);
    let instance = Instance::start(move |mut asked| {
        let tell = tell.clone();
        async move {
            let first = asked.body.data().await;
            tell.send(first.is_some_and(|data| data.is_ok()).then_some(Reason::NO_ERROR)).await.unwrap();
            let reason = asked.taken_back().await;
            tell.send(Some(reason)).await.unwrap();
        }
    });
    let instance = instance.await;
    let node = node_with(settings(&[instance.url()])).await;
    let (say, request) = streaming();
    let mut client = client(&node).await;
    let asked = tokio::spawn(async move { client.send_request(request).await });
    say.send(Frame::data(message(b"a book"))).await.unwrap();
    assert_eq!(timeout(PATIENCE, told.recv()).await.unwrap(), Some(Some(Reason::NO_ERROR)));
    asked.abort();
    assert_eq!(timeout(PATIENCE, told.recv()).await.unwrap(), Some(Some(Reason::CANCEL)));

    // What is no body is refused, as it is where bodies are held.
    let mut stream = TcpStream::connect(node.running.public()).await.unwrap();
    let head = format!("POST {METHOD} HTTP/1.1\r\nHost: street\r\nTransfer-Encoding: chunked\r\n\r\n");
    stream.write_all(format!("{head}3\r\nabc\r\n").as_bytes()).await.unwrap();
    assert_eq!(timeout(PATIENCE, told.recv()).await.unwrap(), Some(Some(Reason::NO_ERROR)));
    stream.write_all(b"no chunk\r\n").await.unwrap();
    assert_eq!(timeout(PATIENCE, told.recv()).await.unwrap(), Some(Some(Reason::CANCEL)));
    Answer::read(&mut stream).await.is_refusal(400, "bad_framing");
    let figures = node.admin("/microservice/metrics").await.text();
    let blamed = figures.lines().filter(|line| line.starts_with("mesh_instance_failures_total{"));
    assert!(blamed.clone().all(|line| line.ends_with(" 0")), "{figures}");
    node.stop().await;
}

#[tokio::test]
async fn a_call_whose_body_was_not_begun_is_taken_over_and_one_whose_body_was_is_lost() {
    let away = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", away.local_addr().unwrap());
    drop(away);
    let instance = Instance::start(echo).await;
    let node = node_with(settings(&[nobody, instance.url()])).await;
    let mut client = prior_knowledge(&node).await;
    for _ in 0..4 {
        let (status, _, body) = whole(client.send_request(call(b"a book")).await.unwrap()).await;
        assert_eq!((status.as_u16(), body), (200, message(b"a book")));
    }
    node.stop().await;

    let refuses = Instance::start(|mut asked| async move {
        let _first = asked.body.data().await;
        asked.answer.send_reset(Reason::REFUSED_STREAM);
    });
    let refuses = refuses.await;
    let node = node_with(settings(&[refuses.url()])).await;
    let response = prior_knowledge(&node).await.send_request(call(b"a book")).await.unwrap();
    assert_eq!(response.status(), 502);
    assert_eq!(refuses.requests(), 1);
    node.stop().await;
}
