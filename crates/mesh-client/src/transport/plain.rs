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
    pub(super) async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<BodyStream>, TransportError> {
        let mut request = request.map(Full::new);
        request.headers_mut().entry(header::ACCEPT).or_insert(ANYTHING);
        let answer = self.client.request(request).await;
        let (mut head, body) =
            answer.map_err(|error| unanswered(Some(&error), has_timed_out(Some(&error))))?.into_parts();
        // What hyper noted for itself.
        head.extensions = Extensions::new();
        let body = BodyDataStream::new(body)
            .map(|part| part.map_err(|error| broken_off(Some(&error), has_timed_out(Some(&error)))));
        Ok(http::Response::from_parts(head, Box::pin(body)))
    }
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
