//! How a gateway ends: requests under way finish, new ones go elsewhere.

use std::time::Duration;

use mesh_gateway::GatewaySettings;
use mesh_testkit::upstream::{Canned, FakeUpstream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Answer, Node, manifest, service, until};

#[tokio::test]
async fn requests_under_way_finish_and_nothing_new_is_taken() {
    let slow = Canned::json("{\"slow\":true}").after(Duration::from_millis(600));
    let upstream = FakeUpstream::scripted([slow]).await.unwrap();
    let settings = GatewaySettings {
        configured: vec![service("orders", &[upstream.url()])],
        ..GatewaySettings::default()
    };
    let node = Node::start(settings, &[manifest("orders", &[("GET", "/api/orders")])]).await;
    let (public, admin) = (node.running.public(), node.running.admin().unwrap());

    let mut idle = TcpStream::connect(public).await.unwrap();
    let mut busy = TcpStream::connect(public).await.unwrap();
    busy.write_all(b"GET /api/orders HTTP/1.1\r\nHost: street\r\n\r\n").await.unwrap();
    until("the request is under way", async || upstream.count() == 1).await;
    let stopping = tokio::spawn(node.stop());
    until("ready says no", async || {
        let ready = "GET /microservice/health/ready HTTP/1.1\r\nHost: a\r\nConnection: close";
        TcpStream::connect(admin).await.is_err()
            || crate::support::send(admin, ready, b"").await.status == 503
    })
    .await;
    until("nothing new is taken", async || TcpStream::connect(public).await.is_err()).await;

    let answer = Answer::read(&mut busy).await;
    assert_eq!((answer.status, answer.text()), (200, "{\"slow\":true}".to_owned()));
    let mut nothing = Vec::new();
    idle.read_to_end(&mut nothing).await.unwrap();
    assert!(nothing.is_empty());
    stopping.await.unwrap();
}

#[tokio::test]
async fn a_connection_that_waits_for_its_next_request_may_send_one_more() {
    let upstream = FakeUpstream::scripted([Canned::json("{}")]).await.unwrap();
    let settings = GatewaySettings {
        configured: vec![service("orders", &[upstream.url()])],
        ..GatewaySettings::default()
    };
    let node = Node::start(settings, &[manifest("orders", &[("GET", "/api/orders")])]).await;
    let public = node.running.public();
    let request = b"GET /api/orders HTTP/1.1\r\nHost: street\r\n\r\n";
    let mut kept = TcpStream::connect(public).await.unwrap();
    kept.write_all(request).await.unwrap();
    let mut first = [0; 15];
    kept.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    let mut fresh = TcpStream::connect(public).await.unwrap();
    let stopping = tokio::spawn(node.stop());
    until("nothing new is taken", async || TcpStream::connect(public).await.is_err()).await;

    fresh.write_all(request).await.unwrap();
    let answer = Answer::read(&mut fresh).await;
    assert_eq!((answer.status, answer.header("connection")), (200, vec!["close"]));
    kept.write_all(request).await.unwrap();
    let mut rest = String::new();
    kept.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest.matches("HTTP/1.1 200 OK").count(), 1, "{rest}");
    assert!(rest.contains("connection: close"), "{rest}");
    stopping.await.unwrap();
}
