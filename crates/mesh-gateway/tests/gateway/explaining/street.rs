//! Requests one after the other on connections that stay open, and services that say what came to them.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    http::{HeaderName, HeaderValue, Request},
    response::IntoResponse,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(30);

/// A service that answers with its name, the method and the target; its URL.
pub(super) async fn echo(name: &'static str) -> String {
    let app = Router::new().fallback(move |request: Request<axum::body::Body>| async move {
        let target = request.uri().to_string();
        let of = |name: &'static str, value: &str| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        let headers =
            [of("x-upstream", name), of("x-method", request.method().as_str()), of("x-target", &target)];
        (headers, "{}").into_response()
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

/// One client's connection, opened anew where the gateway closed it.
pub(super) struct Street {
    address: SocketAddr,
    stream: Option<TcpStream>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) status: u16,
    head: String,
    body: String,
}

impl Street {
    pub(super) const fn new(address: SocketAddr) -> Self {
        Self { address, stream: None }
    }

    pub(super) async fn ask(&mut self, method: &str, target: &str) -> Got {
        let request = format!("{method} {target} HTTP/1.1\r\nHost: street\r\n\r\n");
        let asked = async {
            loop {
                let is_fresh = self.stream.is_none();
                let mut stream = match self.stream.take() {
                    Some(stream) => stream,
                    None => TcpStream::connect(self.address).await.unwrap(),
                };
                match exchange(&mut stream, request.as_bytes(), method == "HEAD").await {
                    Some(got) => {
                        let is_open = !got.header("connection").eq_ignore_ascii_case("close");
                        self.stream = is_open.then_some(stream);
                        return got;
                    }
                    // A connection that stood open was closed meanwhile.
                    None => assert!(!is_fresh, "no answer to {request:?}"),
                }
            }
        };
        timeout(PATIENCE, asked).await.unwrap_or_else(|_| panic!("not within 30 s: {request:?}"))
    }
}

async fn exchange(stream: &mut TcpStream, request: &[u8], is_head: bool) -> Option<Got> {
    stream.write_all(request).await.ok()?;
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let mut got = Got { status, head, body: String::new() };
    let length = if is_head { 0 } else { got.header("content-length").parse().unwrap_or(0) };
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    got.body = String::from_utf8(bytes[end..].to_vec()).ok()?;
    Some(got)
}

impl Got {
    /// The header's value; empty: there is none.
    pub(super) fn header(&self, name: &str) -> String {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value).to_owned()
    }

    /// The code of a refusal; empty: it is none.
    pub(super) fn code(&self) -> String {
        let document: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        document["code"].as_str().unwrap_or_default().to_owned()
    }
}
