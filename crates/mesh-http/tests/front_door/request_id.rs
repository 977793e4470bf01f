//! One id for a request, in its headers, its extensions and its answer.

use std::sync::Arc;

use axum::{Extension, Router, body::Body, routing::get};
use http::{HeaderMap, Request};
use mesh_core::entropy::Entropy;
use mesh_http::request_id::{Id, RequestId};
use tower::ServiceExt;

use super::support::Read;

#[derive(Debug)]
struct Sevens;

impl Entropy for Sevens {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0x77);
    }
}

const MADE: &str = "77777777-7777-4777-b777-777777777777";

async fn check(given: &[&[u8]], expected: &str) {
    let handler = |Extension(id): Extension<Id>, headers: HeaderMap| async move {
        let ids: Vec<_> = headers.get_all("x-request-id").iter().collect();
        assert_eq!(ids, [id.as_str()]);
        id.as_str().to_owned()
    };
    let app = Router::new().route("/", get(handler)).layer(RequestId::layer().entropy(Arc::new(Sevens)));
    let mut request = Request::new(Body::empty());
    for id in given {
        request.headers_mut().append("x-request-id", id.to_vec().try_into().unwrap());
    }
    let read = Read::of(app.oneshot(request).await.unwrap()).await;
    assert_eq!((read.text(), read.header("x-request-id")), (expected, Some(expected)), "{given:?}");
}

#[tokio::test]
async fn a_well_formed_id_is_kept_and_any_other_is_made_anew() {
    check(&[b"abc-123"], "abc-123").await;
    let longest = "x".repeat(255);
    check(&[longest.as_bytes()], &longest).await;
    check(&[], MADE).await;
    let too_long = "x".repeat(256);
    for malformed in [b"".as_slice(), b"a b", "é".as_bytes(), too_long.as_bytes()] {
        check(&[malformed], MADE).await;
    }
    check(&[b"a", b"b"], MADE).await;
}
