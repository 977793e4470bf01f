//! Both ways of the default transport on raw sockets: the same bytes go out, and a failure is the same to the rules.

use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use http::{Method, Request};
use mesh_core::retry::Failure;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::{
    HttpTransport as _, Limits, SchemeTransport, TransportError, plain::PlainTransport,
    reqwest::ReqwestTransport,
};

/// As much as a busy machine may need: what is tested comes after it.
const PATIENCE: Duration = Duration::from_secs(30);
const EMPTY: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

enum Way {
    Plain(Box<PlainTransport>),
    Reqwest(ReqwestTransport),
}

impl Way {
    fn both() -> [Self; 2] {
        [Self::plain(), Self::Reqwest(ReqwestTransport::try_new(PATIENCE).unwrap())]
    }

    fn plain() -> Self {
        Self::Plain(Box::new(PlainTransport::new(PATIENCE)))
    }

    /// Sends a request and reads its answer to the end.
    async fn exchange(&self, request: Request<Bytes>) -> Result<Vec<Bytes>, TransportError> {
        let answer = match self {
            Self::Plain(plain) => plain.send(request).await?,
            Self::Reqwest(reqwest) => reqwest.send(request).await?,
        };
        assert!(answer.extensions().is_empty());
        answer.into_body().try_collect().await
    }
}

fn request(method: &str, url: &str, headers: &[(&str, &[u8])], body: &'static str) -> Request<Bytes> {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Bytes::from_static(body.as_bytes())).unwrap()
}

/// Reads one request, whose body has a length if it has any.
async fn read_one(socket: &mut TcpStream) -> Vec<u8> {
    let (mut held, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = socket.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "a whole request");
        held.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&held);
        let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.split("\r\n").find_map(|line| line.strip_prefix("content-length: "));
        let head_length = held.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        if held.len() == head_length + length.map_or(0, |length| length.parse().unwrap()) {
            return held;
        }
    }
}

/// What arrives of `request`, which is answered with `answer`, and what comes of it.
async fn over(
    way: &Way,
    listener: &TcpListener,
    request: Request<Bytes>,
    answer: &str,
) -> (Vec<u8>, Result<Vec<Bytes>, TransportError>) {
    let serve = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let arrived = read_one(&mut socket).await;
        socket.write_all(answer.as_bytes()).await.unwrap();
        arrived
    };
    tokio::join!(serve, way.exchange(request))
}

async fn listener(address: &str) -> (TcpListener, u16) {
    let listener = TcpListener::bind((address, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[tokio::test]
async fn the_same_bytes_go_out_over_both_ways() {
    let (listener, port) = listener("127.0.0.1").await;
    let url = |target| format!("http://127.0.0.1:{port}{target}");
    let own: &[(&str, &[u8])] = &[("x-own", b"\xfc \x80\xff\tb"), ("x-own", b""), ("accept", b"text/html")];
    for (method, target, headers, body) in [
        ("GET", "/api/a%20b?x=1&y=%27", &[][..], ""),
        ("GET", "/p/?", own, ""),
        ("GET", "/", &[], "a GET with a body"),
        ("HEAD", "//a", &[], ""),
        ("OPTIONS", "/a", &[], ""),
        ("POST", "/a", own, "{}"),
        ("POST", "/a", &[], ""),
        ("PUT", "/a", &[], ""),
        ("DELETE", "/a;b=c/d@e:f", &[], "{}"),
        ("PURGE", "/a", &[("host", b"other.test")], ""),
    ] {
        let mut arrived = Vec::new();
        for way in Way::both() {
            let (bytes, answer) =
                over(&way, &listener, request(method, &url(target), headers, body), EMPTY).await;
            assert_eq!(answer, Ok(Vec::new()));
            arrived.push(String::from_utf8_lossy(&bytes).into_owned());
        }
        assert_eq!(arrived[0], arrived[1]);
        if target.contains('?') && headers.is_empty() {
            let expected = format!("GET {target} HTTP/1.1\r\naccept: */*\r\nhost: 127.0.0.1:{port}\r\n\r\n");
            assert_eq!(arrived[0], expected);
        }
    }
}

#[tokio::test]
async fn a_target_goes_out_as_it_is_and_the_host_as_the_base_url_has_it() {
    for (address, host) in [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("127.0.0.1", "LOCALHOST")] {
        let (listener, port) = listener(address).await;
        for target in ["/api/a%20b?x=1&y='", "/p/?", "/%c3%bc//", "/a?b=../c{}|^`", "/?"] {
            let get = request("GET", &format!("http://{host}:{port}{target}"), &[], "");
            let (arrived, _) = over(&Way::plain(), &listener, get, EMPTY).await;
            let expected = format!("GET {target} HTTP/1.1\r\naccept: */*\r\nhost: {host}:{port}\r\n\r\n");
            assert_eq!(String::from_utf8_lossy(&arrived), expected);
        }
    }
}

#[tokio::test]
async fn a_failure_is_the_same_over_both_ways() {
    let (listener, port) = listener("127.0.0.1").await;
    let url = format!("http://127.0.0.1:{port}/a?token=secret");
    for (answer, failure) in [
        ("", Failure::Reset),
        ("HTTP/1.1 200 OK\r\ncontent-le", Failure::Reset),
        ("NONSENSE\r\n\r\n", Failure::Malformed),
        ("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", Failure::Malformed),
        ("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort", Failure::Truncated),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort\r\n", Failure::Truncated),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nz\r\n", Failure::Truncated),
    ] {
        let mut errors = Vec::new();
        for way in Way::both() {
            let (_, came) = over(&way, &listener, request("POST", &url, &[], "{}"), answer).await;
            errors.push(came.unwrap_err());
        }
        assert_eq!((errors[0].failure, errors[0].sent), (failure, true), "{answer:?}");
        assert_eq!(errors[0], errors[1], "{answer:?}");
        assert!(!errors[0].message.is_empty() && !errors[0].message.contains("secret"), "{errors:?}");
    }
    drop(listener);
    let mut errors = Vec::new();
    for way in Way::both() {
        errors.push(way.exchange(request("POST", &url, &[], "{}")).await.unwrap_err());
    }
    assert_eq!((errors[0].failure, errors[0].sent), (Failure::Connect, false));
    assert_eq!(errors[0], errors[1]);
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request() {
    let (listener, port) = listener("127.0.0.1").await;
    let way = Way::plain();
    let get = || request("GET", &format!("http://127.0.0.1:{port}/"), &[], "");
    let serve = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        for _ in 0..3 {
            read_one(&mut socket).await;
            socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        }
    };
    let calls = async {
        for _ in 0..3 {
            assert_eq!(way.exchange(get()).await, Ok(vec![Bytes::from_static(b"ok")]));
        }
    };
    tokio::join!(serve, calls);
}

#[tokio::test]
async fn tls_is_set_up_only_where_a_base_url_asks_for_it() {
    let transport = SchemeTransport::try_new(PATIENCE, false).unwrap();
    let limits = Limits { connect: PATIENCE, attempt: PATIENCE };
    let get = Request::builder().method(Method::GET).uri("https://127.0.0.1:1/").body(Bytes::new()).unwrap();
    let error = transport.send(get, limits).await.map(drop).unwrap_err();
    assert_eq!((error.failure, error.sent), (Failure::Malformed, false));
}
