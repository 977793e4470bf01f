//! Which connection a request goes over, and what becomes of requests on connections that end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::join_all;
use http_body_util::BodyExt as _;
use mesh_gateway::GatewaySettings;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::{Barrier, Semaphore, watch},
};

use super::{
    grpc::{call, echo},
    instance::{Instance, Shared, message},
    node_before, node_with, settings,
};
use crate::{
    http2::{Client, prior_knowledge, request, whole},
    support::until,
};

async fn places(client: &mut Client) {
    let response = client.send_request(call(b"a book")).await.unwrap();
    let (status, _, body) = whole(response).await;
    assert_eq!((status.as_u16(), body), (200, message(b"a book")));
}

/// An instance whose requests wait for each other, `together` of them, and which takes `streams` at once.
async fn meeting(together: usize, streams: u32) -> Instance {
    let barrier = Arc::new(Barrier::new(together));
    let mut builder = h2::server::Builder::new();
    builder.max_concurrent_streams(streams);
    Instance::built(builder, move |asked| {
        let barrier = Arc::clone(&barrier);
        async move {
            barrier.wait().await;
            echo(asked).await;
        }
    })
    .await
}

#[tokio::test]
async fn concurrent_requests_share_one_connection() {
    let instance = meeting(20, 100).await;
    let node = node_before(&[instance.url()]).await;
    let client = prior_knowledge(&node).await;
    let clients: Vec<_> = (0..20).map(|_| client.clone()).collect();
    join_all(clients.into_iter().map(|mut client| async move { places(&mut client).await })).await;
    assert_eq!((instance.requests(), instance.connections()), (20, 1));
    node.stop().await;
}

#[tokio::test]
async fn an_instance_is_asked_no_more_at_once_on_a_connection_than_it_takes() {
    let instance = meeting(6, 2).await;
    let node = node_before(&[instance.url()]).await;
    let client = prior_knowledge(&node).await;
    let clients: Vec<_> = (0..6).map(|_| client.clone()).collect();
    join_all(clients.into_iter().map(|mut client| async move { places(&mut client).await })).await;
    assert_eq!((instance.requests(), instance.connections()), (6, 3));
    node.stop().await;
}

#[tokio::test]
async fn the_next_instance_takes_over_when_one_is_killed() {
    let (first, second) = (Instance::start(echo).await, Instance::start(echo).await);
    let node = node_before(&[first.url(), second.url()]).await;
    let mut client = prior_knowledge(&node).await;
    for _ in 0..4 {
        places(&mut client).await;
    }
    assert!(first.requests() > 0 && second.requests() > 0);
    let asked = second.requests();
    drop(first);
    for _ in 0..4 {
        let response = client.send_request(request("GET", "/api/orders", b"")).await.unwrap();
        assert_eq!(response.status(), 200);
    }
    assert_eq!(second.requests(), asked + 4);
    node.stop().await;
}

#[tokio::test]
async fn a_call_that_cannot_be_repeated_survives_a_connection_that_ended_before() {
    let instance = Instance::start(echo).await;
    let node = node_before(&[instance.url()]).await;
    let mut client = prior_knowledge(&node).await;
    places(&mut client).await;
    instance.goes_away();
    for _ in 0..10 {
        places(&mut client).await;
    }
    assert_eq!(instance.connections(), 2);
    node.stop().await;
}

#[tokio::test]
async fn what_is_under_way_when_an_instance_goes_away_is_answered() {
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let instance = Instance::start(move |asked| {
        let gate = Arc::clone(&gate);
        async move {
            if asked.number == 0 {
                gate.acquire().await.unwrap().forget();
            }
            echo(asked).await;
        }
    });
    let instance = instance.await;
    let node = node_before(&[instance.url()]).await;
    let client = prior_knowledge(&node).await;
    let (mut early, mut late) = (client.clone(), client);
    let under_way = tokio::spawn(async move { places(&mut early).await });
    until("the first request is there", async || instance.requests() == 1).await;
    instance.goes_away();
    until("the next request goes over a connection of its own", async || {
        places(&mut late.clone()).await;
        instance.connections() == 2
    })
    .await;
    opened.add_permits(1);
    under_way.await.unwrap();
    places(&mut late).await;
    assert_eq!(instance.connections(), 2);
    node.stop().await;
}

#[tokio::test]
async fn a_request_that_a_leaving_instance_has_not_looked_at_is_sent_again_whatever_its_method() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let shared = Shared::answering(echo);
    let serving = Arc::clone(&shared);
    let (_stays, leaving) = watch::channel(());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // SETTINGS; once a request is there, GOAWAY: the last stream that was looked at is 0.
        stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
        let mut preface = [0; 24];
        stream.read_exact(&mut preface).await.unwrap();
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).await.unwrap();
            let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
            stream.read_exact(&mut payload).await.unwrap();
            if head[3] == 1 {
                break;
            }
        }
        stream.write_all(&[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).await.unwrap();
        let (second, _) = listener.accept().await.unwrap();
        serving.serve(second, leaving).await;
    });
    let mut settings = settings(&[url]);
    settings.retry.retries = 0;
    let node = node_with(settings).await;
    places(&mut prior_knowledge(&node).await).await;
    assert_eq!(shared.requests.load(Ordering::SeqCst), 1);
    node.stop().await;
}

#[tokio::test]
async fn a_connection_on_which_nobody_answers_is_left() {
    let instance = Instance::start(|mut asked| async move {
        if asked.number == 0 {
            asked.taken_back().await;
        } else {
            echo(asked).await;
        }
    });
    let instance = instance.await;
    let mut settings = settings(&[instance.url()]);
    (settings.timeout, settings.retry.retries) = (Duration::from_millis(300), 0);
    let node = node_with(settings).await;
    let mut client = prior_knowledge(&node).await;
    let response = client.send_request(call(b"")).await.unwrap();
    assert_eq!(response.status(), 504);
    until("a call is answered again", async || {
        client.clone().send_request(call(b"")).await.unwrap().status() == 200
    })
    .await;
    assert_eq!(instance.connections(), 2);
    node.stop().await;
}

#[tokio::test]
async fn many_who_come_at_once_wait_for_one_connection_and_one_failure() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    let (url, counted) = (format!("http://{}", silent.local_addr().unwrap()), Arc::clone(&accepted));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = silent.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move { stream.read_to_end(&mut Vec::new()).await });
        }
    });
    let settings = GatewaySettings { connect_timeout: Duration::from_millis(100), ..settings(&[url]) };
    let mut settings = settings;
    settings.retry.retries = 0;
    let node = node_with(settings).await;
    let client = prior_knowledge(&node).await;
    let clients: Vec<_> = (0..20).map(|_| client.clone()).collect();
    let asked = clients.into_iter().map(|mut client| async move {
        let response = client.send_request(call(b"")).await.unwrap();
        let status = response.status().as_u16();
        let body: Bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    });
    for (status, body) in join_all(asked).await {
        assert_eq!(status, 502, "{body}");
        assert!(body.contains("upstream_unreachable"), "{body}");
    }
    assert_eq!(accepted.load(Ordering::SeqCst), 1);
    node.stop().await;
}
