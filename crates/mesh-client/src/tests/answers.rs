//! What a caller gets for what a service answers.

use std::{io::Write as _, net::TcpListener, thread};

use http::StatusCode;
use mesh_core::error::{Origin, Retry};
use mesh_testkit::Canned;
use serde_json::{Value, json};

use super::{builder, client, quick, upstream};
use crate::{CallError, Defaults, ServiceResponse};

async fn answer(canned: Canned) -> Result<ServiceResponse, CallError> {
    let upstream = upstream([canned]).await;
    client(&[upstream.url()]).service("oms").get("/o").retries(0).send().await
}

#[tokio::test]
async fn an_answer_is_read_in_every_form() {
    let body = r#"{"data":{"id":7},"items":[{"name":"a"},{"name":"b"}]}"#;
    let canned =
        Canned::json(body).header("x-total", "2").header("set-cookie", "a=1").header("set-cookie", "b=2");
    let response = answer(canned).await.unwrap().throw().unwrap();
    assert_eq!((response.status(), response.ok(), response.failed()), (StatusCode::OK, true, false));
    assert_eq!(response.json::<Value>().unwrap()["data"]["id"], 7);
    assert_eq!(response.get("data.id"), Some(json!(7)));
    assert_eq!(response.get("items.*.name"), Some(json!(["a", "b"])));
    assert_eq!((response.get("data.x"), response.get_or("data.x", "none")), (None, json!("none")));
    assert_eq!((response.text(), &response.bytes()[..]), (body.into(), body.as_bytes()));
    assert_eq!((response.header("X-Total"), response.header("x-other")), (Some("2"), None));
    assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);
    assert_eq!(response.attempts().len(), 1);
    assert_eq!(response.attempts()[0].outcome, "ok");
    assert_eq!(response.into_http().into_body(), body.as_bytes());
}

#[tokio::test]
async fn below_500_everything_is_an_answer_until_it_is_thrown() {
    for status in [204, 304, 400, 401, 404, 409, 422, 429] {
        let response = answer(Canned::status(status).header("retry-after", "1")).await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.attempts().len(), 1);
        assert_eq!(response.throw().is_ok(), status == 204);
    }
    let error = answer(Canned::status(404).body("secret")).await.unwrap().throw().unwrap_err();
    assert_eq!((error.origin(), error.retry()), (Origin::Caller, Retry::Never));
    assert_eq!(error.to_string(), "the service [oms] answered 404");
    assert!(!format!("{error:?}").contains("secret"));
    let CallError::Request { response } = error else { panic!("{error:?}") };
    assert_eq!(response.text(), "secret");
}

#[tokio::test]
async fn a_redirect_is_returned_and_never_followed() {
    let elsewhere = upstream([]).await;
    for status in [301, 302, 303, 307, 308] {
        let response = answer(Canned::status(status).header("location", &elsewhere.url())).await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.header("location"), Some(&elsewhere.url()[..]));
    }
    assert_eq!(elsewhere.count(), 0);
}

#[tokio::test]
async fn a_5xx_is_an_error_that_carries_the_answer_also_after_one_attempt() {
    let error = answer(Canned::status(503).header("x-why", "tired").body("later")).await.unwrap_err();
    assert_eq!((error.origin(), error.retry(), error.attempts().len()), (Origin::Upstream, Retry::Same, 1));
    let CallError::Unavailable { service, attempts, last } = error else { panic!("{error:?}") };
    let last = last.unwrap();
    assert_eq!((service.as_str(), &*attempts[0].outcome), ("oms", "status 503"));
    assert_eq!(
        (last.status().as_u16(), last.header("x-why"), last.text()),
        (503, Some("tired"), "later".into())
    );
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_told_without_its_text() {
    let response = answer(Canned::status(200).body("secret")).await.unwrap();
    assert_eq!(response.get("a"), None);
    let error = response.json::<Value>().unwrap_err();
    let text = "the answer of the service [oms] is not the expected JSON (line 1, column 1)";
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_never_a_short_answer() {
    for canned in [
        Canned::status(200).body("0123456789").cut_at(4),
        Canned::status(200).body("0123456789").chunked().cut_at(4),
        Canned::status(200).body("0123456789").chunked().cut_at(10),
        Canned::status(200).body("0123456789").cut_at(0),
        Canned::status(500).body("0123456789").cut_at(4),
    ] {
        let error = answer(canned).await.unwrap_err();
        let CallError::Unavailable { attempts, last: None, .. } = error else { panic!("{error:?}") };
        assert!(attempts[0].outcome.starts_with("truncated"), "{attempts:?}");
    }
}

#[tokio::test]
async fn an_answer_beyond_max_response_is_refused_in_both_framings() {
    let upstream = upstream([
        Canned::status(200).body("0123456789"),
        Canned::status(200).body("0123456789").chunked(),
        Canned::status(500).body("0123456789").chunked(),
        Canned::status(200).body("012345678"),
    ])
    .await;
    let defaults = Defaults { max_response: 9, ..quick() };
    let client = builder(&[upstream.url()]).defaults(defaults).build().unwrap();
    for _ in 0..3 {
        let error = client.service("oms").get("/o").retries(0).send().await.unwrap_err();
        let CallError::TooLarge { limit: 9, attempts, .. } = error else { panic!("{error:?}") };
        assert_eq!(attempts.len(), 1);
    }
    assert_eq!(client.service("oms").get("/o").send().await.unwrap().bytes().len(), 9);
}

/// Answers each of `answers` with its bytes, one connection each.
fn raw(answers: Vec<Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for answer in answers {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let mut head = [0; 4_096];
            let read = std::io::Read::read(&mut stream, &mut head);
            assert!(read.is_ok_and(|bytes| bytes > 0));
            // The client may have hung up by then: that is what is tested.
            let _hung_up = stream.write_all(&answer);
        }
    });
    url
}

#[tokio::test]
async fn an_answer_that_is_no_http_is_malformed() {
    let large = format!("HTTP/1.1 200 OK\r\nx: {}\r\ncontent-length: 0\r\n\r\n", "x".repeat(70_000));
    let answers = [
        "NONSENSE\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
        &large,
    ];
    let client = client(&[raw(answers.iter().map(|text| text.as_bytes().to_vec()).collect())]);
    for text in answers {
        let error = client.service("oms").get("/o").retries(0).send().await.unwrap_err();
        let CallError::Unavailable { attempts, last: None, .. } = error else { panic!("{error:?}") };
        assert!(
            attempts[0].outcome.starts_with("malformed"),
            "{attempts:?}: {:?}",
            &text[..text.len().min(80)]
        );
    }
}
