//! The public listener under TLS: which certificate it shows, what services hear of it, what it does with the slow.

use std::{sync::Arc, time::Duration};

use mesh_gateway::{GatewaySettings, Limits, ListenerTls, TlsError};
use mesh_testkit::upstream::FakeUpstream;
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    certificates::Authority,
    sizes::counted,
    support::{Answer, Node, keyring, manifest, service, until},
};

pub(crate) fn settings(upstream: &FakeUpstream, tls: ListenerTls) -> GatewaySettings {
    GatewaySettings {
        configured: vec![service("orders", &[upstream.url()])],
        tls: Some(tls),
        ..GatewaySettings::default()
    }
}

pub(crate) async fn node(settings: GatewaySettings) -> Node {
    Node::start(settings, &[manifest("orders", &[("GET", "/api/orders"), ("POST", "/api/orders")])]).await
}

/// A connection that asks for `name`, trusts `authority` and offers `protocols`.
pub(crate) async fn connect(
    node: &Node,
    authority: &Authority,
    name: &str,
    protocols: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let socket = TcpStream::connect(node.running.public()).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, socket).await
}

async fn get(mut stream: TlsStream<TcpStream>) -> Answer {
    let request = b"GET /api/orders HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    Answer::parse(&bytes)
}

#[tokio::test]
async fn services_hear_that_the_client_came_encrypted() {
    let (authority, upstream) = (Authority::new("ours"), FakeUpstream::scripted([]).await.unwrap());
    let tls = ListenerTls::new(authority.issue(&["shop.example"]).identity(), []).unwrap();
    let node = node(settings(&upstream, tls)).await;
    for protocols in [&[][..], &["http/1.1"]] {
        let stream = connect(&node, &authority, "shop.example", protocols).await.unwrap();
        assert_eq!(get(stream).await.status, 200);
    }
    assert_eq!(upstream.requests()[0].header("x-forwarded-proto"), [b"https"]);
    node.stop().await;
}

#[tokio::test]
async fn a_client_is_shown_the_certificate_of_the_name_that_it_asks_for() {
    let (authority, upstream) = (Authority::new("ours"), FakeUpstream::scripted([]).await.unwrap());
    let issue = |name: &str| (name.to_owned(), authority.issue(&[name]).identity());
    let named = ["api.example", "*.shops.example"].map(issue);
    let tls = ListenerTls::new(authority.issue(&["shop.example", "127.0.0.1"]).identity(), named).unwrap();
    let node = node(settings(&upstream, tls)).await;
    for name in ["shop.example", "127.0.0.1", "api.example", "API.example", "any.shops.example"] {
        let stream = connect(&node, &authority, name, &[]).await;
        assert_eq!(get(stream.unwrap_or_else(|error| panic!("{name}: {error}"))).await.status, 200, "{name}");
    }
    for name in ["other.example", "two.levels.shops.example"] {
        assert!(connect(&node, &authority, name, &[]).await.is_err(), "{name}");
    }
    node.stop().await;

    let wrong = ListenerTls::new(issue("shop.example").1, [("api.example".to_owned(), issue("b.example").1)]);
    let wrong: TlsError = wrong.map(|_| ()).unwrap_err();
    assert_eq!(wrong.to_string(), "the certificate is not one for api.example");
}

#[tokio::test]
async fn another_certificate_applies_to_connections_that_begin_after_it() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let tls =
        |authority: &Authority| ListenerTls::new(authority.issue(&["shop.example"]).identity(), []).unwrap();
    let node = node(settings(&upstream, tls(&old))).await;
    let early = connect(&node, &old, "shop.example", &[]).await.unwrap();
    node.running.gateway().reload(settings(&upstream, tls(&new)), keyring()).await.unwrap();
    until("the new certificate is shown", async || connect(&node, &new, "shop.example", &[]).await.is_ok())
        .await;
    assert!(connect(&node, &old, "shop.example", &[]).await.is_err());
    assert_eq!(get(early).await.status, 200);
    node.stop().await;
}

#[tokio::test]
async fn who_does_not_come_to_tls_is_let_go_and_holds_up_nobody() {
    let (authority, upstream) = (Authority::new("ours"), FakeUpstream::scripted([]).await.unwrap());
    let tls = ListenerTls::new(authority.issue(&["shop.example"]).identity(), []).unwrap();
    let limits = Limits { head_timeout: Duration::from_millis(500), ..Limits::default() };
    let node = node(GatewaySettings { limits, ..settings(&upstream, tls) }).await;
    let mut slow = Vec::new();
    for first in [&b""[..], b"\x16\x03\x01", b"\x80 / HTTP/1.1\r\nHost: a\r\n\r\n"] {
        for _ in 0..8 {
            let mut stream = TcpStream::connect(node.running.public()).await.unwrap();
            stream.write_all(first).await.unwrap();
            slow.push(stream);
        }
    }
    let stream = connect(&node, &authority, "shop.example", &[]).await.unwrap();
    assert_eq!(get(stream).await.status, 200);
    for mut stream in slow {
        let mut bytes = Vec::new();
        let ended = timeout(Duration::from_secs(30), stream.read_to_end(&mut bytes)).await;
        assert!(ended.is_ok(), "a connection was kept");
        assert!(!bytes.starts_with(b"HTTP/"), "plain text on a listener under TLS");
    }
    assert_eq!(upstream.count(), 1);
    node.stop().await;
}

#[tokio::test]
async fn who_speaks_plain_http_is_told_so() {
    let (authority, upstream) = (Authority::new("ours"), FakeUpstream::scripted([]).await.unwrap());
    let tls = ListenerTls::new(authority.issue(&["shop.example"]).identity(), []).unwrap();
    let node = node(settings(&upstream, tls)).await;
    let told = [
        &b"GET /api/orders HTTP/1.1\r\nHost: a\r\n\r\n"[..],
        b"P",
        &[
            b"POST /api/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n",
            &vec![b'x'; 300_000][..],
        ]
        .concat(),
    ];
    for (number, bytes) in told.into_iter().enumerate() {
        let mut stream = TcpStream::connect(node.running.public()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let answer = Answer::read(&mut stream).await;
        answer.is_refusal(400, "bad_framing");
        assert!(answer.text().contains("plain HTTP"), "{answer:?}");
        assert_eq!(answer.header("connection"), ["close"]);
        assert_eq!(counted(&node, "bad_framing").await, number as u64 + 1);
    }
    assert_eq!(upstream.connections(), 0);
    node.stop().await;
}
