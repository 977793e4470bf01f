//! What it takes to forward one request, to an instance on a socket and back, on one runtime: `cargo bench --package mesh-gateway`.
//!
//! The time holds the instance's own, which does nothing but count bytes. docs/performance.md has what a whole process costs.

#![expect(clippy::unwrap_used, reason = "what is measured is made as in a test")]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use mesh_core::clock::{Clock as _, SystemClock};
use mesh_core::name::ServiceName;
use mesh_core::route::{Manifest, Pattern, Route};
use mesh_core::secret::Secret;
use mesh_core::service::{BaseUrl, Service};
use mesh_core::signature::Keyring;
use mesh_core::store::{ManifestStore as _, MemoryStore};
use mesh_gateway::{Embedded, Gateway, GatewaySettings, Peer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

const PEER: Peer = Peer { address: IpAddr::V4(Ipv4Addr::LOCALHOST), port: 80, is_https: false };
const LENGTH: &str = "content-length: ";
/// 200 bytes.
const ANSWER: &[u8; 200] = &[b'a'; 200];

/// Answers every request on one connection.
async fn serve(mut connection: TcpStream) {
    let answer = [b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n", &ANSWER[..]].concat();
    let mut read = Vec::with_capacity(4096);
    while connection.read_buf(&mut read).await.unwrap() > 0 {
        let Some(head) = read.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let lines = String::from_utf8_lossy(&read[..head]).to_ascii_lowercase();
        let length = lines.lines().find_map(|line| line.strip_prefix(LENGTH));
        let body: usize = length.map_or(0, |length| length.parse().unwrap());
        if read.len() >= head + 4 + body {
            read.drain(..head + 4 + body);
            connection.write_all(&answer).await.unwrap();
        }
    }
}

/// A gateway that runs on this runtime, with a route to an instance on it.
async fn gateway() -> Embedded {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = BaseUrl::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        loop {
            let (connection, _) = listener.accept().await.unwrap();
            connection.set_nodelay(true).unwrap();
            tokio::spawn(serve(connection));
        }
    });
    let orders = ServiceName::parse("orders").unwrap();
    let route = |method| Route::new(method, Pattern::parse("/api/orders/{order}").unwrap());
    let routes = vec![route(Method::GET), route(Method::POST)];
    let manifest = Manifest::new(orders.clone(), routes, SystemClock.unix());
    let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    store.put(&orders, manifest.to_json().into(), Duration::from_secs(86_400)).await.unwrap();
    let settings =
        GatewaySettings { configured: vec![Service::new(orders, vec![url])], ..GatewaySettings::default() };
    let keyring = Keyring::new(Secret::try_new("sixteen bytes or more").unwrap());
    let gateway = Gateway::builder(ServiceName::parse("gateway").unwrap(), keyring, store.clone(), store);
    let embedded = gateway.settings(settings).build().unwrap().embed();
    while !embedded.gateway().is_ready() {
        tokio::task::yield_now().await;
    }
    embedded
}

/// Sends one request, and reads its answer to the end.
async fn ask(gateway: &Gateway, method: &Method, body: &Bytes) {
    let request = Request::builder()
        .method(method)
        .uri("/api/orders/42?page=2")
        .header("host", "shop.example")
        .header("content-length", body.len())
        .body(Full::new(body.clone()))
        .unwrap();
    let answer = gateway.answer(request, PEER).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes().len(), ANSWER.len());
}

fn forwarding(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let embedded = runtime.block_on(gateway());
    let mut group = criterion.benchmark_group("forward through a gateway");
    for (name, method, length) in [("GET", Method::GET, 0), ("POST of 1 KiB", Method::POST, 1024)] {
        let body = Bytes::from(vec![b'b'; length]);
        group.throughput(Throughput::Elements(1));
        group.bench_function(name, |bencher| {
            bencher.iter(|| runtime.block_on(ask(embedded.gateway(), &method, &body)));
        });
    }
    group.finish();
    runtime.block_on(embedded.shutdown());
}

criterion_group!(benches, forwarding);
criterion_main!(benches);
