//! The same bytes through hyper's server: where ours reads on, both have read the same requests, and nothing of one's body
//! is the other's next request.

use std::sync::{Arc, Mutex};

use http::{Response, header::CONTENT_LENGTH};
use http_body_util::{BodyExt as _, Empty};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, duplex},
    runtime::Runtime,
};

use super::*;
use crate::http1::{Chunked, Piece};

const LIMITS: HeadLimits = HeadLimits { lines: 100, bytes: 64 * 1024 };

/// A request as it was understood; its body, if that came whole.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    method: Method,
    target: String,
    version: Version,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

/// All requests that ours finds, until it refuses one, would end the connection, or waits for more.
fn ours(bytes: &[u8]) -> Vec<Seen> {
    let (mut parser, mut buffer, mut seen) = (HeadParser::default(), BytesMut::from(bytes), Vec::new());
    while let Ok(Some(head)) = parser.parse(&mut buffer, LIMITS) {
        let body = body(head.framing, &mut buffer);
        let is_whole = body.is_some();
        let Parts { method, uri, version, headers, .. } = *head.parts;
        seen.push(Seen { method, target: uri.to_string(), version, headers, body });
        if !is_whole || !head.stays_open {
            break;
        }
    }
    seen
}

fn body(framing: Framing, buffer: &mut BytesMut) -> Option<Vec<u8>> {
    let mut chunked = Chunked::new();
    let mut body = Vec::new();
    match framing {
        Framing::Length(length) => {
            let length = usize::try_from(length).ok().filter(|length| *length <= buffer.len())?;
            Some(buffer.split_to(length).to_vec())
        }
        Framing::Chunked => loop {
            match chunked.next(buffer).ok()? {
                Piece::Data(data) => body.extend_from_slice(&data),
                Piece::End(_) => return Some(body),
                Piece::Wait if buffer.is_empty() => return None,
                Piece::Wait => {
                    let before = buffer.len();
                    if matches!(chunked.next(buffer).ok()?, Piece::Wait) && buffer.len() == before {
                        return None;
                    }
                }
            }
        },
        Framing::UntilClose => None,
    }
}

/// All requests that hyper finds.
fn hypers(runtime: &Runtime, bytes: &[u8]) -> Vec<Seen> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let found = Arc::clone(&seen);
    runtime.block_on(async move {
        let (mut client, server) = duplex(64 * 1024);
        let service = service_fn(move |request: Request<Incoming>| {
            let found = Arc::clone(&found);
            async move {
                let (Parts { method, uri, version, headers, .. }, body) = request.into_parts();
                let body = body.collect().await.ok().map(|body| body.to_bytes().to_vec());
                found.lock().unwrap().push(Seen { method, target: uri.to_string(), version, headers, body });
                Ok::<_, hyper::Error>(Response::new(Empty::<bytes::Bytes>::new()))
            }
        });
        let connection =
            http1::Builder::new().half_close(true).serve_connection(TokioIo::new(server), service);
        let bytes = bytes.to_vec();
        let talking = async move {
            client.write_all(&bytes).await.unwrap();
            client.shutdown().await.unwrap();
            let mut answers = Vec::new();
            client.read_to_end(&mut answers).await.unwrap();
        };
        // How the connection ends is hyper's.
        let (_ended, ()) = tokio::join!(connection, talking);
    });
    std::mem::take(&mut *seen.lock().unwrap())
}

/// A request, well-formed or nearly so, made of parts that readers are known to quarrel about.
fn request() -> impl Strategy<Value = Vec<u8>> {
    let method =
        select(vec!["GET", "GET", "POST", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "get", "G T", ""]);
    let target =
        select(vec!["/", "/a?b=c", "/a%20b", "*", "http://h/x", "//", "a", "/a b", "/\u{7f}", "/a#b", ""]);
    let version =
        select(vec!["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "http/1.1", ""]);
    let line = select(vec![
        "Host: h",
        "Content-Length: 3",
        "content-length:3",
        "Content-Length: 03",
        "Content-Length: +3",
        "Content-Length: -1",
        "Content-Length: 3, 3",
        "Content-Length: 4",
        "Content-Length: 0",
        "Content-Length:",
        "Content-Length: 18446744073709551616",
        "Content-Length : 3",
        "Transfer-Encoding: chunked",
        "transfer-encoding: Chunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding:\tchunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding: \u{b}chunked",
        "Transfer_Encoding: chunked",
        "Connection: close",
        "Connection: keep-alive",
        "Connection: keep-alive, close",
        "Connection: Content-Length",
        "Expect: 100-continue",
        "Accept: b",
        " folded",
        "\tfolded",
        "X A: b",
        "X\0A: b",
        ": b",
        "no colon",
        "Accept: \u{e9}",
    ]);
    let end = select(vec!["\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", "\r\r\n"]);
    let body = select(vec![
        "",
        "abc",
        "abcd",
        "3\r\nabc\r\n0\r\n\r\n",
        "0\r\n\r\n",
        "3;x=y\r\nabc\r\n0\r\nT: 1\r\n\r\n",
        "03\r\nabc\r\n00\r\n\r\n",
        "3 \r\nabc\r\n0\r\n\r\n",
        "3\nabc\n0\n\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        "-3\r\nabc\r\n0\r\n\r\n",
        "10000000000000003\r\nabc\r\n0\r\n\r\n",
        "3;\nabc\r\n0\r\n\r\n",
        "0\r\nContent-Length: 3\r\n\r\nabc",
    ]);
    (method, target, version, vec((line, end.clone()), 0..5), end, body).prop_map(
        |(method, target, version, lines, end, body)| {
            let lines: String = lines.iter().flat_map(|(line, end)| [*line, *end]).collect();
            format!("{method} {target} {version}{end}{lines}\r\n{body}").into_bytes()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn ours_and_hyper_see_the_same_requests_on_a_connection(
        requests in vec(request(), 1..3),
        changes in vec((any::<Index>(), select(b"\0\t\n\r ,:;=0139Aachk\x7f\xff".to_vec())), 0..3),
    ) {
        let mut bytes = requests.concat();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.extend_from_slice(b"GET /last HTTP/1.1\r\nHost: h\r\n\r\n");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (ours, hypers) = (ours(&bytes), hypers(&runtime, &bytes));
        let text = String::from_utf8_lossy(&bytes);
        prop_assert!(ours.len() <= hypers.len(), "{text:?}\nours {ours:#?}\nhyper {hypers:#?}");
        for (mut ours, mut theirs) in ours.into_iter().zip(hypers) {
            // Of several lines with one meaning, such as 3 and 03, each keeps another: the bodies tell.
            ours.headers.remove(CONTENT_LENGTH);
            theirs.headers.remove(CONTENT_LENGTH);
            if ours.body.is_none() {
                // A body that breaks off, or that only hyper takes.
                theirs.body = None;
            }
            prop_assert_eq!(ours, theirs, "{:?}", text);
        }
    }
}
