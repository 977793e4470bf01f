//! One attempt: sign, connect or take a connection, send, and say what came of it.

use std::{mem, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderValue, Method, Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, HOST},
};
use http_body::Body as _;
use mesh_client::driver::{Attempt, Sent, Transport};
use mesh_core::{
    clock::{Clock, Tick},
    header::{X_SERVICE_NAME, X_SIGNATURE, X_TIMESTAMP},
    health::verdict::ToCome,
    retry::{Failure, Outcome},
    service::{BaseUrl, Protocol},
    signature::{Signature, Signer},
};

use super::{
    body::{Pieces, UpstreamBody},
    classify,
    connect::connect,
    exchange::{self, Exchange},
    http2::{self, Streamed},
    pool::Pool,
};
use crate::{
    http1::{Parser, ResponseHead, write_line, write_number_line, write_request_line},
    socket::Connection,
    tls::UpstreamTls,
};

/// A request on its way to whichever instance takes it.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) pool: &'a Arc<Pool>,
    pub(crate) clock: &'a Arc<dyn Clock>,
    pub(crate) signer: &'a Signer,
    /// The gateway's own name.
    pub(crate) name: &'a HeaderValue,
    pub(crate) method: &'a Method,
    /// The service's path and the client's query, as they came.
    pub(crate) path_and_query: &'a str,
    /// What the instances speak.
    pub(crate) protocol: Protocol,
    /// Whether the client takes trailers (`TE`), which an instance with HTTP/2 is told.
    pub(crate) takes_trailers: bool,
    /// The header lines but `Host`, framing and the signature's headers, as they go on the wire.
    pub(crate) lines: &'a [u8],
    pub(crate) body: &'a Bytes,
    /// A body that goes on as it comes, in place of `body`.
    pub(crate) streamed: Option<&'a Streamed>,
    /// Whether the signature covers the body.
    pub(crate) signs_body: bool,
    pub(crate) may_repeat: bool,
    /// Whether the request asks to switch protocols.
    pub(crate) may_switch: bool,
    pub(crate) connect_timeout: Duration,
    /// For instances with an `https://` base URL.
    pub(crate) tls: &'a UpstreamTls,
}

/// A body up to this length is written in one piece with its head.
const GATHERED: usize = 2 * 1024;

/// Why an attempt came to nothing.
pub(super) enum Broken {
    NotSent(Failure, String),
    Lost(Failure, String),
}

impl Transport for Outgoing<'_> {
    type Response = Response<UpstreamBody>;

    fn request(&self) -> (&Method, &str) {
        (self.method, self.path_and_query.split('?').next().unwrap_or_default())
    }

    fn to_come(&self, response: &Self::Response) -> ToCome {
        let is_over = response.status() == StatusCode::SWITCHING_PROTOCOLS || response.body().is_end_stream();
        ToCome::of(is_over, response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes))
    }

    async fn send(&self, attempt: Attempt<'_>) -> Sent<Self::Response> {
        let result = match self.protocol {
            // Boxed, so that it does not make those larger that do without it.
            Protocol::Http2 => Box::pin(http2::exchange(self, &attempt.instance.url, attempt.limit)).await,
            _ => self.exchange(&attempt).await,
        };
        match result {
            Ok(response) => {
                let outcome = classify::answered(response.status(), response.headers(), &**self.clock);
                let status = Some(response.status().as_u16());
                Sent { outcome, status, response: Some(response), message: String::new() }
            }
            Err(Broken::NotSent(failure, message)) => failed(Outcome::NotSent(failure), message),
            Err(Broken::Lost(failure, message)) => failed(Outcome::Lost(failure), message),
        }
    }
}

/// No answer came within `limit`.
pub(super) fn late(limit: Duration) -> Broken {
    Broken::Lost(Failure::Timeout, format!("no answer within {} ms", limit.as_millis()))
}

const fn failed<R>(outcome: Outcome, message: String) -> Sent<R> {
    Sent { outcome, status: None, response: None, message }
}

impl Outgoing<'_> {
    async fn exchange(&self, attempt: &Attempt<'_>) -> Result<Response<UpstreamBody>, Broken> {
        let url = &attempt.instance.url;
        let (mut now, ends) = (attempt.begun, attempt.begun.after(attempt.limit));
        loop {
            let pooled = self.pooled(url.origin(), now);
            let was_pooled = pooled.is_some();
            let mut connection = match pooled {
                Some(connection) => connection,
                None => {
                    // Boxed, as it is rare: what is not under way is no load to move.
                    let connecting = connect(url, self.connect_timeout, ends.since(now), self.tls);
                    let mut connection = Box::pin(connecting)
                        .await
                        .map_err(|error| Broken::NotSent(error.failure(), error.to_string()))?;
                    self.pool.opened(url.origin(), &mut connection, self.clock.monotonic());
                    connection
                }
            };
            let mut head = mem::take(&mut connection.out);
            self.write(&mut head, url);
            // One write of one piece costs less than one of two, as long as the copy is short.
            let is_gathered = self.body.len() <= GATHERED;
            if is_gathered {
                head.extend_from_slice(self.body);
            }
            let body = if is_gathered { &Bytes::new() } else { self.body };
            let parser = Parser::new(*self.method == Method::HEAD, self.may_switch);
            let mut exchange = Exchange::new(&mut connection, &head, body, parser, (&**self.clock, ends));
            let answered = (&mut exchange).await;
            let unwritten = exchange.unwritten();
            let has_heard = exchange.has_heard;
            connection.out = head;
            match answered {
                Ok(answer) => return Ok(self.wrap(answer, connection, unwritten)),
                Err(broken) => {
                    let is_stale = was_pooled && !has_heard && !matches!(broken, exchange::Broken::Late);
                    if is_stale {
                        self.pool.was_closed(url.origin(), self.clock.monotonic());
                    }
                    let is_unsent = matches!(broken, exchange::Broken::Unsent(_));
                    // The instance closed the connection while it was idle; the next one may be a fresh one.
                    if is_stale && (is_unsent || self.may_repeat) {
                        now = self.clock.monotonic();
                        continue;
                    }
                    let message = match broken {
                        exchange::Broken::Late => {
                            format!("no answer within {} ms", attempt.limit.as_millis())
                        }
                        _ => broken.to_string(),
                    };
                    return Err(match broken {
                        exchange::Broken::Unsent(_) => Broken::NotSent(Failure::Reset, message),
                        _ => Broken::Lost(broken.failure(), message),
                    });
                }
            }
        }
    }

    /// An idle connection, if there is one that this request may go over.
    fn pooled(&self, origin: &str, now: Tick) -> Option<Box<Connection>> {
        loop {
            let idle = match self.may_repeat {
                true => self.pool.take(origin, now),
                false => self.pool.take_steady(origin, now),
            }?;
            if idle.is_trusted_by(self.tls) {
                return Some(idle);
            }
        }
    }

    fn wrap(
        &self,
        answer: ResponseHead,
        mut connection: Box<Connection>,
        unwritten: Bytes,
    ) -> Response<UpstreamBody> {
        connection.keep_for(answer.idle_limit);
        let home = answer.stays_open.then(|| Arc::clone(self.pool));
        let mut response =
            Response::new(UpstreamBody::http1(Pieces::new(answer.framing, connection, unwritten, home)));
        *response.status_mut() = answer.status;
        *response.version_mut() = answer.version;
        *response.headers_mut() = answer.headers;
        response
    }

    /// Writes the head as it goes on the wire to the instance, signed now: the bytes that are signed are the bytes that
    /// are sent.
    fn write(&self, out: &mut Vec<u8>, url: &BaseUrl) {
        let target = url.target(self.path_and_query);
        let (timestamp, signature) = self.sign(&target);
        out.clear();
        write_request_line(out, self.method.as_str(), &target);
        write_line(out, HOST.as_str(), url.authority().as_bytes());
        out.extend_from_slice(self.lines);
        if self.says_length() {
            write_number_line(out, CONTENT_LENGTH.as_str(), self.body.len() as u64);
        }
        write_line(out, X_SERVICE_NAME.as_str(), self.name.as_bytes());
        write_number_line(out, X_TIMESTAMP.as_str(), timestamp);
        write_line(out, X_SIGNATURE.as_str(), signature.as_bytes());
        out.extend_from_slice(b"\r\n");
    }

    /// The signature of the request to `target`, and its timestamp.
    pub(super) fn sign(&self, target: &str) -> (u64, Signature) {
        let timestamp = self.clock.unix().seconds();
        let signed: &[u8] = if self.signs_body { self.body } else { &[] };
        (timestamp, self.signer.sign(self.method.as_str(), target, timestamp, signed))
    }

    /// Services that expect a body answer 411 to a request that does not say how long its empty one is.
    pub(super) fn says_length(&self) -> bool {
        !self.body.is_empty() || [Method::POST, Method::PUT, Method::PATCH].contains(self.method)
    }
}
