//! When an answer counts as a success of its instance.

use std::{sync::Arc, time::Duration};

use mesh_core::{
    clock::{Clock, SystemClock},
    health::HealthPolicy,
    retry::RetryPolicy,
    service::{BaseUrl, Instance},
    store::HealthStore as _,
};
use mesh_gateway::GatewaySettings;
use mesh_testkit::{
    ManualClock,
    upstream::{Canned, FakeUpstream},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::support::{Node, PATIENCE, manifest, name, service, until};

const GET: &[u8] = b"GET /api/orders HTTP/1.1\r\nHost: street\r\n\r\n";

async fn node_before(url: &str, health: HealthPolicy, clock: Arc<dyn Clock>) -> Node {
    let settings = GatewaySettings {
        configured: vec![service("orders", &[url.to_owned()])],
        retry: RetryPolicy { retries: 0, ..RetryPolicy::default() },
        health,
        ..GatewaySettings::default()
    };
    let routes = [manifest("orders", &[("GET", "/api/orders")])];
    Node::built(settings, &routes, |builder| builder.clock(clock)).await
}

async fn status(node: &Node) -> String {
    let document = node.admin("/admin/instances").await.json();
    document["services"][0]["status"].as_str().unwrap().to_owned()
}

async fn read_head(stream: &mut TcpStream) {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap());
    }
}

#[tokio::test]
async fn an_instance_whose_bodies_always_break_off_opens() {
    let broken = Canned::status(200).body(vec![b'x'; 100_000]);
    for canned in [broken.clone().cut_at(40_000), broken.chunked().cut_at(40_000)] {
        let upstream = FakeUpstream::scripted([canned]).await.unwrap();
        let health = HealthPolicy::try_new(3, Duration::from_secs(30)).unwrap();
        let node = node_before(&upstream.url(), health, Arc::new(SystemClock)).await;
        for number in 1..=3 {
            assert_eq!(status(&node).await, "healthy", "before {number}");
            let mut client = TcpStream::connect(node.running.public()).await.unwrap();
            client.write_all(GET).await.unwrap();
            let _reset_or_closed = client.read_to_end(&mut Vec::new()).await;
            until("the failure is on record", async || {
                let document = node.admin("/admin/instances").await.json();
                document["services"][0]["failures"] == number
            })
            .await;
        }
        assert_eq!(status(&node).await, "unhealthy");
        node.stop().await;
    }
}

#[tokio::test]
async fn a_probe_is_over_at_the_end_of_its_body_and_at_the_head_of_an_endless_one() {
    let streams: [(&str, &str); 2] = [("application/json", "half_open"), ("text/event-stream", "healthy")];
    for (media_type, at_the_head) in streams {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let health = HealthPolicy::try_new(1, Duration::from_secs(30)).unwrap();
        let clock = Arc::new(ManualClock::new(SystemClock.unix()));
        let url = format!("http://{}", listener.local_addr().unwrap());
        let node = node_before(&url, health, clock.clone()).await;
        let (failed, ()) = tokio::join!(node.get("/api/orders"), async { drop(listener.accept().await) });
        assert_eq!(failed.status, 502, "{media_type}");
        assert_eq!(status(&node).await, "unhealthy", "{media_type}");
        // It is written after the answer, with the time of then.
        let instance = [Instance { service: name("orders"), url: BaseUrl::parse(&url).unwrap() }];
        let told = async || node.store.read(&instance).await.unwrap()[0].is_some();
        until("the store was told of the failure", told).await;
        clock.advance(Duration::from_secs(31));
        assert_eq!(status(&node).await, "half_open", "{media_type}");
        let mut client = TcpStream::connect(node.running.public()).await.unwrap();
        client.write_all(GET).await.unwrap();
        let (mut instance, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
        read_head(&mut instance).await;
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nTransfer-Encoding: chunked\r\n\r\n");
        instance.write_all(head.as_bytes()).await.unwrap();
        read_head(&mut client).await;
        assert_eq!(status(&node).await, at_the_head, "{media_type}");
        instance.write_all(b"2\r\nok\r\n0\r\n\r\n").await.unwrap();
        until("the instance is good again", async || status(&node).await == "healthy").await;
        drop(client);
        node.stop().await;
    }
}
