//! HTTP/2 under TLS: what instance and gateway agree on (ALPN).

use std::sync::{Arc, atomic::Ordering};

use mesh_gateway::UpstreamTls;
use rustls::{ServerConfig, crypto::ring};
use tokio::{net::TcpListener, sync::watch};
use tokio_rustls::TlsAcceptor;

use super::{
    grpc::{call, echo},
    instance::Shared,
    node_with, settings,
};
use crate::{
    certificates::Authority,
    http2::{prior_knowledge, whole},
    support::Node,
};

/// A node before an instance that agrees on one of `protocols`, or on none.
async fn node_before(protocols: &[&str]) -> (Node, Arc<Shared>) {
    let authority = Authority::new("ours");
    let (chain, key) = authority.issue(&["127.0.0.1"]).der();
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let mut config = builder.with_single_cert(chain, key).unwrap();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let shared = Shared::answering(echo);
    let serving = Arc::clone(&shared);
    tokio::spawn(async move {
        let (_stays, leaving) = watch::channel(());
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, serving, leaving) = (acceptor.clone(), Arc::clone(&serving), leaving.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    serving.serve(stream, leaving).await;
                }
            });
        }
    });
    let mut settings = settings(&[url]);
    settings.upstream_tls = Some(UpstreamTls::new(Some(authority.pem().as_bytes()), None).unwrap());
    (node_with(settings).await, shared)
}

#[tokio::test]
async fn an_encrypted_instance_that_agrees_on_http_2_is_spoken_to_in_it() {
    let (node, instance) = node_before(&["http/1.1", "h2"]).await;
    let mut client = prior_knowledge(&node).await;
    for _ in 0..3 {
        assert_eq!(client.send_request(call(b"")).await.unwrap().status(), 200);
    }
    assert_eq!(instance.requests.load(Ordering::SeqCst), 3);
    assert_eq!(instance.connections.load(Ordering::SeqCst), 1);
    node.stop().await;
}

#[tokio::test]
async fn an_encrypted_instance_that_does_not_agree_on_http_2_gets_no_request_and_the_client_is_told_why() {
    for protocols in [&["http/1.1"][..], &[]] {
        let (node, instance) = node_before(protocols).await;
        let response = prior_knowledge(&node).await.send_request(call(b"")).await.unwrap();
        let (status, _, body) = whole(response).await;
        assert_eq!(status, 502);
        let document: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(document["code"], "bad_upstream_response");
        assert_eq!(document["error"], "the service does not speak HTTP/2, as its settings say");
        assert_eq!(instance.requests.load(Ordering::SeqCst), 0);
        node.stop().await;
    }
}
