//! The same bytes through hyper's client: where it and the gateway differ, the row says why.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    time::timeout,
};

use super::rows::{Hyper, Row, Sees, rows};
use crate::support::PATIENCE;

/// What hyper makes of an answer: its status, body and whether that ended well; none: no answer.
async fn read(row: &Row) -> Option<(u16, Vec<u8>, bool)> {
    let (near, mut far) = duplex(1024 * 1024);
    let bytes = row.bytes.clone();
    tokio::spawn(async move {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") && far.read_buf(&mut request).await.is_ok_and(|read| read > 0) {
        }
        let _gone = far.write_all(&bytes).await;
    });
    let (mut sender, connection) = http1::handshake(TokioIo::new(near)).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::builder().method(row.method).uri("/").header("host", "a");
    let request = request.body(Empty::<Bytes>::new().map_err(|never: Infallible| match never {})).unwrap();
    let answer = sender.send_request(request).await.ok()?;
    let status = answer.status().as_u16();
    let (mut body, mut bytes) = (answer.into_body(), Vec::new());
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
            Err(_) => return Some((status, bytes, false)),
        }
    }
    Some((status, bytes, true))
}

#[tokio::test]
async fn hyper_reads_every_answer_of_the_table_as_we_do_or_the_row_says_why_not() {
    let mut wrong = Vec::new();
    for row in rows() {
        let theirs = timeout(PATIENCE, read(&row)).await.unwrap_or_else(|_| panic!("{}", row.name));
        let ours = match row.sees {
            Sees::Answer(status, _, body) => Some((status, body.as_bytes().to_vec(), true)),
            Sees::Aborted(status, body) => Some((status, body.as_bytes().to_vec(), false)),
            Sees::Malformed | Sees::Unreachable => None,
        };
        if (theirs == ours) != (row.hyper == Hyper::Agrees) {
            let theirs = theirs.map(|(status, body, whole)| (status, String::from_utf8(body), whole));
            wrong.push(format!("{}: hyper has {theirs:?}", row.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
