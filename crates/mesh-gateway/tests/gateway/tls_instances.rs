//! Instances behind `https://` base URLs: whom the gateway believes, and who it says it is.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use mesh_core::route::registration::Cidr;
use mesh_gateway::{GatewaySettings, Identity, TlsError, UpstreamTls};
use rustls::{RootCertStore, ServerConfig, crypto::ring, server::WebPkiClientVerifier};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::{
    certificates::{Authority, Issued},
    support::{Node, keyring, manifest, service, until},
};

/// An instance that echoes bodies over TLS.
struct Encrypted {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Encrypted {
    /// Shows `issued`, and demands a certificate of `clients` where there are some.
    async fn start(issued: &Issued, clients: Option<&Authority>) -> Self {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.der()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let (chain, key) = issued.der();
        let acceptor = TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key).unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, requests) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (connected, requested) = (Arc::clone(&connections), Arc::clone(&requests));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, connected) = (acceptor.clone(), Arc::clone(&connected));
                let requested = Arc::clone(&requested);
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    connected.fetch_add(1, Ordering::SeqCst);
                    let echo = service_fn(move |request: http::Request<Incoming>| {
                        requested.fetch_add(1, Ordering::SeqCst);
                        async move {
                            let body = request.into_body().collect().await.unwrap().to_bytes();
                            Ok::<_, Infallible>(http::Response::new(Full::new(body)))
                        }
                    });
                    let _ended = http1::Builder::new().serve_connection(TokioIo::new(stream), echo).await;
                });
            }
        });
        Self { address, connections, requests }
    }

    fn url(&self, host: &str) -> String {
        format!("https://{host}:{}", self.address.port())
    }
}

fn upstream_tls(roots: &Authority, identity: Option<Identity>) -> Option<UpstreamTls> {
    Some(UpstreamTls::new(Some(roots.pem().as_bytes()), identity).unwrap())
}

async fn node_before(url: String, upstream_tls: Option<UpstreamTls>) -> Node {
    let settings = GatewaySettings {
        configured: vec![service("orders", &[url])],
        timeout: Duration::from_secs(10),
        connect_timeout: Duration::from_millis(500),
        upstream_tls,
        ..GatewaySettings::default()
    };
    Node::start(settings, &[manifest("orders", &[("GET", "/api/orders"), ("POST", "/api/orders")])]).await
}

#[tokio::test]
async fn a_request_and_its_answer_travel_encrypted_over_a_connection_that_is_kept() {
    let authority = Authority::new("ours");
    let instance = Encrypted::start(&authority.issue(&["127.0.0.1"]), None).await;
    let node = node_before(instance.url("127.0.0.1"), upstream_tls(&authority, None)).await;
    let large: Bytes = (0..=255).cycle().take(900_000).collect();
    for body in [&b""[..], b"small", &large] {
        let answer = node.post("/api/orders", "", body).await;
        assert_eq!(answer.status, 200);
        assert!(answer.raw_body == body, "{} bytes of {}", answer.raw_body.len(), body.len());
    }
    assert_eq!(instance.requests.load(Ordering::SeqCst), 3);
    let connections = instance.connections.load(Ordering::SeqCst);
    assert!(connections <= 2, "one for each worker, not {connections}");
    node.stop().await;
}

#[tokio::test]
async fn a_certificate_of_another_authority_or_another_name_is_refused_before_the_request() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let of_others = Encrypted::start(&theirs.issue(&["127.0.0.1"]), None).await;
    let of_another_name = Encrypted::start(&ours.issue(&["stock.example"]), None).await;
    for (instance, trusted) in [
        (&of_others, upstream_tls(&ours, None)),
        (&of_others, None),
        (&of_another_name, upstream_tls(&ours, None)),
    ] {
        let node = node_before(instance.url("127.0.0.1"), trusted).await;
        node.get("/api/orders").await.is_refusal(502, "upstream_unreachable");
        assert_eq!(instance.requests.load(Ordering::SeqCst), 0);
        node.stop().await;
    }
}

#[tokio::test]
async fn an_instance_that_demands_a_certificate_gets_the_gateway_s_or_no_request() {
    let (authority, clients) = (Authority::new("ours"), Authority::new("clients"));
    let instance = Encrypted::start(&authority.issue(&["127.0.0.1"]), Some(&clients)).await;
    let given = upstream_tls(&authority, Some(clients.issue(&["gateway"]).identity()));
    let node = node_before(instance.url("127.0.0.1"), given).await;
    assert_eq!(node.get("/api/orders").await.status, 200);
    node.stop().await;

    let foreign = upstream_tls(&authority, Some(authority.issue(&["gateway"]).identity()));
    for refused in [upstream_tls(&authority, None), foreign] {
        let node = node_before(instance.url("127.0.0.1"), refused).await;
        node.get("/api/orders").await.is_refusal(502, "upstream_unreachable");
        node.stop().await;
    }
    assert_eq!(instance.requests.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_instance_that_speaks_no_tls_or_nothing_at_all_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = listener.local_addr().unwrap();
    let plain = mesh_testkit::upstream::FakeUpstream::scripted([]).await.unwrap();
    for url in [format!("https://{silent}"), plain.url().replace("http:", "https:")] {
        let node = node_before(url, None).await;
        node.get("/api/orders").await.is_refusal(502, "upstream_unreachable");
        node.stop().await;
    }
    assert_eq!(plain.count(), 0);
}

#[tokio::test]
async fn announced_instances_may_be_encrypted_and_other_trust_applies_at_once() {
    let authority = Authority::new("ours");
    let instance = Encrypted::start(&authority.issue(&["127.0.0.1"]), None).await;
    let settings = |roots: &Authority| GatewaySettings {
        allow_targets: vec![Cidr::parse("127.0.0.0/8").unwrap()],
        connect_timeout: Duration::from_secs(10),
        upstream_tls: upstream_tls(roots, None),
        ..GatewaySettings::default()
    };
    let node = Node::start(settings(&authority), &[]).await;
    let url = instance.url("127.0.0.1");
    let announced = manifest("orders", &[("GET", "/api/orders")]);
    let announced = announced.replacen('{', &format!(r#"{{"base_urls":["{url}"],"#), 1);
    assert_eq!(node.register("orders", &announced).await.status, 200);
    until("the route is served", async || node.get("/api/orders").await.status == 200).await;

    let others = settings(&Authority::new("others"));
    node.running.gateway().reload(others, keyring()).await.unwrap();
    until("the instance is trusted no more", async || node.get("/api/orders").await.status == 502).await;
    node.stop().await;
}

#[test]
fn what_is_no_key_or_no_certificate_is_told() {
    let authority = Authority::new("ours");
    let (one, other) = (authority.issue(&["one"]), authority.issue(&["other"]));
    let read = |certificate: &str, key: &str| {
        Identity::from_pem(certificate.as_bytes(), key.as_bytes()).map(|_| ()).unwrap_err()
    };
    assert_eq!(read("", &one.key), TlsError::NoCertificate);
    assert_eq!(read(&one.certificate, ""), TlsError::NoKey);
    assert_eq!(read(&one.certificate[..60], &one.key), TlsError::Malformed);
    let mixed = read(&one.certificate, &other.key);
    assert_eq!(mixed.to_string(), "the key does not belong to the certificate");
    let roots = UpstreamTls::new(Some(one.key.as_bytes()), None).map(|_| ());
    assert_eq!(roots, Err(TlsError::NoCertificate));
}
