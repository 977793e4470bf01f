//! Requests to `http://` URLs: hyper-util's client, HTTP/1.1 without TLS, redirects, proxies and retries of what was written.

use std::{
    error::Error as StdError,
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{Extensions, HeaderValue, Uri, header};
use http_body_util::{BodyDataStream, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use tokio::net::TcpStream;
use tower::Service;

use super::{
    BodyStream, TransportError,
    failure::{broken_off, has_timed_out, unanswered},
    scheme::IDLE_LIMIT,
};

/// When an idle connection is probed first, and how long after each probe.
const PROBE_AFTER: Duration = Duration::from_secs(15);
const PROBES: u32 = 3;
/// How long written bytes may stay unacknowledged.
#[cfg(target_os = "linux")]
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(30);
/// Said for callers that do not say what they accept.
const ANYTHING: HeaderValue = HeaderValue::from_static("*/*");

/// One pool of connections.
#[derive(Clone, Debug)]
pub(super) struct PlainTransport {
    client: Client<Connector, Full<Bytes>>,
}

impl PlainTransport {
    pub(super) fn new(connect_timeout: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        // Shared out among the addresses of a name, so that one that is gone leaves time for the next.
        tcp.set_connect_timeout(Some(connect_timeout));
        tcp.set_keepalive(Some(PROBE_AFTER));
        tcp.set_keepalive_interval(Some(PROBE_AFTER));
        tcp.set_keepalive_retries(Some(PROBES));
        #[cfg(target_os = "linux")]
        tcp.set_tcp_user_timeout(Some(ACKNOWLEDGED_WITHIN));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_LIMIT)
            .build(Connector { tcp, limit: connect_timeout });
        Self { client }
    }

    /// Sends `request`, whose URI is absolute, and returns the answer's head as soon as it is there.
    ///
    /// # Errors
    ///
    /// As [`HttpTransport::send`](super::HttpTransport::send).
    pub(super) fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> impl Future<Output = Result<http::Response<BodyStream>, TransportError>> + use<> {
        let mut request = request.map(Full::new);
        let host = host(request.uri());
        let headers = request.headers_mut();
        headers.entry(header::ACCEPT).or_insert(ANYTHING);
        if let Some(host) = host {
            headers.entry(header::HOST).or_insert(host);
        }
        let answer = self.client.request(request);
        async {
            let answer = answer.await;
            let (mut head, body) =
                answer.map_err(|error| unanswered(Some(&error), has_timed_out(Some(&error))))?.into_parts();
            // What hyper noted for itself.
            head.extensions = Extensions::new();
            let body = BodyDataStream::new(body)
                .map(|part| part.map_err(|error| broken_off(Some(&error), has_timed_out(Some(&error)))));
            Ok(http::Response::from_parts(head, Box::pin(body) as BodyStream))
        }
    }
}

/// The `Host` of a request to `uri`. Absent where it is not the authority as it stands (the port that is understood): hyper-util
/// writes it then, which costs more than all else that it does to a head.
fn host(uri: &Uri) -> Option<HeaderValue> {
    let authority = uri.authority()?.as_str();
    if authority.ends_with(":80") || authority.contains('@') {
        return None;
    }
    HeaderValue::from_str(authority).ok()
}

/// Connects over TCP within a limit for all of it: the name and every address.
#[derive(Clone, Debug)]
struct Connector {
    tcp: HttpConnector,
    limit: Duration,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = Box<dyn StdError + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = tokio::time::timeout(self.limit, self.tcp.call(uri));
        Box::pin(async {
            match connecting.await {
                Ok(connected) => Ok(connected?),
                Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "operation timed out").into()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uri: &'static str, expected: Option<&str>) {
        let host = host(&Uri::from_static(uri));
        assert_eq!(host.as_ref().map(HeaderValue::as_bytes), expected.map(str::as_bytes), "{uri}");
    }

    #[test]
    fn the_host_is_the_authority_unless_a_part_of_it_does_not_belong_there() {
        check("http://oms.test:8001/a", Some("oms.test:8001"));
        check("http://oms.test/a:80", Some("oms.test"));
        check("http://oms.test:8080/a", Some("oms.test:8080"));
        check("http://[fd00::80]/a", Some("[fd00::80]"));
        check("http://[::1]:81/a", Some("[::1]:81"));
        check("http://oms.test:80/a", None);
        check("http://user@oms.test/a", None);
        check("/a", None);
    }
}
