//! The door inside of axum: nested and merged routers, on a real socket.

use axum::{Router, body::Body, extract::Path, routing::get};
use http::Request;
use mesh_http::{Caller, TrustGateway, TrustService};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower::ServiceExt;

use super::support::{Read, clock, signed, verifier};

#[tokio::test]
async fn a_nested_router_verifies_the_target_that_was_sent_and_not_what_is_left_of_it() {
    let clock = clock();
    let inner = Router::new()
        .route(
            "/items/{id}",
            get(|Path(id): Path<u32>, caller: Caller| async move { format!("{id} for {}", caller.name()) }),
        )
        .layer(TrustService::layer(verifier()).clock(clock.clone()));
    let app = Router::new().nest("/api", Router::new().nest("/v1", inner));
    let request = signed(&clock, "GET", "/api/v1/items/7?x=1", "");
    let read = Read::of(app.clone().oneshot(request).await.unwrap()).await;
    assert_eq!((read.status, read.text()), (200, "7 for orders"));

    let (mut parts, body) = signed(&clock, "GET", "/items/7", "").into_parts();
    parts.uri = "/api/v1/items/7".parse().unwrap();
    let read = Read::of(app.oneshot(Request::from_parts(parts, body)).await.unwrap()).await;
    assert_eq!(read.status, 401, "the shortened target is not what was sent");
}

#[tokio::test]
async fn over_a_socket_the_bytes_of_the_request_line_are_what_is_verified() {
    let clock = clock();
    let app =
        Router::new().fallback(|| async { "in" }).layer(TrustGateway::layer(verifier()).clock(clock.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    for target in ["/api/K%c3%b6ln/?q=1", "/api/a%20b//", "/%7Eme/.."] {
        let head = signed(&clock, "POST", target, "body");
        let mut text =
            format!("POST {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n");
        for (name, value) in head.headers() {
            text += &format!("{name}: {}\r\n", value.to_str().unwrap());
        }
        text += "\r\nbody";
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{target}: {answer}");
    }
    server.abort();
}

#[tokio::test]
async fn merged_routers_keep_their_own_doors() {
    let clock = clock();
    let open = Router::new().route("/open", get(|| async { "open" }));
    let closed = Router::new()
        .route("/closed", get(|| async { "closed" }))
        .layer(TrustGateway::layer(verifier()).clock(clock.clone()));
    let app = open.merge(closed);
    let bare = |uri: &str| Request::builder().uri(uri).body(Body::empty()).unwrap();
    assert_eq!(app.clone().oneshot(bare("/open")).await.unwrap().status(), 200);
    assert_eq!(app.oneshot(bare("/closed")).await.unwrap().status(), 401);
}
