//! Answers whose body is read piece by piece.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use mesh_core::retry::Failure;
use mesh_testkit::Canned;

use super::{builder, client, quick, upstream};
use crate::{CallError, Defaults};

#[tokio::test]
async fn a_streamed_answer_has_no_limit() {
    let large = vec![7; 300_000];
    let upstream = upstream([Canned::status(200).body(large.clone()).header("x-total", "1")]).await;
    let defaults = Defaults { max_response: 9, ..quick() };
    let client = builder(&[upstream.url()]).defaults(defaults).build().unwrap();
    let answer = client.service("oms").get("/o").send_streaming().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.attempts().len()), (200, 1));
    assert_eq!(answer.headers()["x-total"], "1");
    let parts: Vec<_> = answer.into_stream().try_collect().await.unwrap();
    assert_eq!(parts.concat(), large);
}

#[tokio::test]
async fn a_streamed_answer_that_breaks_off_ends_in_an_error() {
    for canned in [
        Canned::status(200).body("0123456789").cut_at(4),
        Canned::status(200).body("0123456789").chunked().cut_at(4),
    ] {
        let upstream = upstream([canned]).await;
        let client = client(&[upstream.url()]);
        let mut answer = client.service("oms").get("/o").send_streaming().await.unwrap();
        assert_eq!(answer.chunk().await.unwrap().unwrap(), "0123");
        let error = answer.chunk().await.unwrap_err();
        assert!(matches!(error, CallError::Interrupted { failure: Failure::Truncated, .. }), "{error:?}");
        assert_eq!(answer.chunk().await.unwrap(), None, "nothing follows");
        let service = &client.inner.services["oms"];
        assert_eq!(service.view.instances()[0].failures().0, 1);
    }
}

#[tokio::test]
async fn a_5xx_is_an_error_when_streaming_too() {
    let upstream = upstream([Canned::status(500).body("why")]).await;
    let request =
        client(&[upstream.url()]).service("oms").get("/o").timeout(Duration::from_secs(5)).retries(1);
    let error = request.send_streaming().await.unwrap_err();
    let CallError::Unavailable { attempts, last: Some(last), .. } = error else { panic!("{error:?}") };
    assert_eq!((attempts.len(), last.text()), (2, "why".into()));
}

#[tokio::test]
async fn a_streamed_answer_that_stands_still_ends_in_an_error() {
    let upstream = upstream([Canned::status(200).body("0123456789").stall_at(4)]).await;
    let request = client(&[upstream.url()]).service("oms").get("/o").timeout(Duration::from_millis(100));
    let mut answer = request.send_streaming().await.unwrap();
    assert_eq!(answer.chunk().await.unwrap().unwrap(), "0123");
    let error = answer.chunk().await.unwrap_err();
    assert!(matches!(error, CallError::Interrupted { failure: Failure::Timeout, .. }), "{error:?}");
}
