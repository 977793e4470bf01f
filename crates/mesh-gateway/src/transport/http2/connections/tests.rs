//! How long connections without a stream are kept. The clock is moved by hand, the sockets are real.

use tokio::{net::TcpListener, time::timeout};

use super::*;

/// A connection of `connections`, and the instance's end of it.
async fn connect(
    connections: &Connections,
    origin: &Arc<str>,
    tls: &UpstreamTls,
) -> h2::server::Connection<tokio::net::TcpStream, bytes::Bytes> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = BaseUrl::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let accept = async { h2::server::handshake(listener.accept().await.unwrap().0).await.unwrap() };
    let (opened, instance) = tokio::join!(open(&url, Duration::from_secs(10), tls), accept);
    connections.with(origin, |instance| instance.open.push(Connection::begin(opened.unwrap(), None)));
    instance
}

fn seconds(seconds: u64) -> Tick {
    Tick(0).after(Duration::from_secs(seconds))
}

#[tokio::test]
async fn a_connection_ends_when_it_had_no_stream_for_a_minute() {
    let (connections, origin) = (Connections::default(), Arc::from("a"));
    let tls = UpstreamTls::new(None, None).unwrap();
    let mut instance = connect(&connections, &origin, &tls).await;
    let is_there = || connections.with(&origin, |instance| !instance.open.is_empty());
    connections.sweep(seconds(10));
    connections.sweep(seconds(69));
    assert!(is_there());
    let Found::Slot(slot) = connections.find(&origin, &tls, false) else { panic!("there is a connection") };
    connections.sweep(seconds(100));
    drop(slot);
    connections.sweep(seconds(200));
    connections.sweep(seconds(259));
    assert!(is_there(), "it was seen without a stream for less than a minute");
    connections.sweep(seconds(260));
    assert!(!is_there());
    let ended = timeout(Duration::from_secs(30), instance.accept()).await.unwrap();
    assert!(ended.is_none(), "the instance is told");
}
