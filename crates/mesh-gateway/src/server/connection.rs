//! Serves one client connection from its first byte to its last.

use std::{
    future::{Future as _, poll_fn},
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    task::Poll,
};

use http::{
    HeaderValue, Method, Response, StatusCode, Version,
    header::{CONNECTION, UPGRADE},
    request::Parts,
    response::Parts as Answered,
};
use http_body::Body as _;
use mesh_core::error::Code;
use tokio::{net::TcpStream, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{
    answer::{Outbox, Sent},
    client::SharedClient,
    connected::Connected,
    handshake::{self, Shaken},
    http2,
    phase::LINGER,
    request_body::RequestBody,
    waiting::{Next, Waiting},
};
use crate::{
    body::Body,
    error::Refusal,
    gateway::Gateway,
    http1::{Asked, BodyEnd, RequestHead},
    layered::Unread,
    peer::Peer,
    socket::{Connection, Socket},
    switch::{self, ServerSwitch},
};

/// What is read and thrown away at the end, so that an answer to a request that was not read arrives.
pub(super) const LINGER_BYTES: usize = 512 * 1024;

/// Serves requests on `socket` until it ends. After `stop` every answer says that the connection ends, and a connection
/// without a request is given a moment for the one that may be on its way: closed at once, it would be lost.
pub(super) async fn serve(
    socket: TcpStream,
    client: SocketAddr,
    port: u16,
    gateway: Gateway,
    stop: CancellationToken,
) {
    let _counted = Connected::count(gateway.cells());
    let shared = Arc::clone(gateway.shared());
    let (limits, tls) = {
        let settings = &shared.snapshot.load().reloadable.settings;
        (settings.limits, settings.tls.clone())
    };
    let (socket, lacks_tls) = match tls {
        None => (Socket::Plain(socket), false),
        Some(tls) => match Box::pin(handshake::shake(socket, &tls, limits.head_timeout, &stop)).await {
            Shaken::Encrypted(socket) => (socket, false),
            Shaken::Plain(socket) => (Socket::Plain(socket), true),
            Shaken::Gone => return,
        },
    };
    let peer = Peer { address: client.ip(), port, is_https: matches!(socket, Socket::Tls(_)) };
    let speaks_http2 = socket.speaks_http2();
    let client = SharedClient::new(Connection::new(socket));
    if speaks_http2 {
        return Box::pin(to_http2(client, peer, gateway, stop)).await;
    }
    let mut waiting = Waiting::new(limits, stop.clone(), Arc::clone(&shared.clock));
    let mut street = Street { gateway, peer, client, outbox: Outbox::default(), stop };
    loop {
        let next = match lacks_tls {
            true => Next::Refused(Code::BadFraming, "a plain HTTP request was sent to a listener under TLS"),
            false => waiting.next(&street.client).await,
        };
        let after = match next {
            Next::Request(head) => street.answer(head).await,
            Next::Refused(code, text) => street.refuse(code, text).await,
            Next::Http2 => {
                let Street { gateway, peer, client, stop, .. } = street;
                return Box::pin(to_http2(client, peer, gateway, stop)).await;
            }
            Next::Ended => After::Cut,
        };
        match after {
            After::Stay => waiting.again(),
            After::Close { lingers } => return close(street.client, lingers).await,
            After::Switch(switch) => {
                if let Some(connection) = street.client.into_connection() {
                    switch.send(connection);
                }
                return;
            }
            After::Reset => return reset(&street.client),
            After::Cut => return,
        }
    }
}

async fn to_http2(client: SharedClient, peer: Peer, gateway: Gateway, stop: CancellationToken) {
    if let Some(connection) = client.into_connection() {
        http2::serve(connection, peer, gateway, stop).await;
    }
}

/// What becomes of the connection after an answer.
#[derive(Debug)]
enum After {
    /// It waits for the next request.
    Stay,
    /// The gateway said its last word. `lingers`: the client may still be sending what nobody reads, and is to see the
    /// answer before the connection breaks.
    Close { lingers: bool },
    /// It is no longer HTTP.
    Switch(ServerSwitch),
    /// Only a reset tells the client that the answer broke off: its end would be the end of the connection.
    Reset,
    /// It is of no use any more.
    Cut,
}

/// One connection that speaks HTTP/1.1.
struct Street {
    gateway: Gateway,
    peer: Peer,
    client: SharedClient,
    outbox: Outbox,
    stop: CancellationToken,
}

impl Street {
    async fn answer(&mut self, mut head: RequestHead) -> After {
        let has_body = self.client.lock().begin(&head);
        let body = if has_body { RequestBody::of(self.client.clone()) } else { RequestBody::empty() };
        let asked = Asked { is_head: head.parts.method == Method::HEAD, takes_chunks: head.takes_chunks() };
        let takes_trailers = head.takes_trailers;
        let version = head.parts.version;
        let switch = head.parts.headers.contains_key(UPGRADE).then(|| {
            let (here, there) = switch::channel();
            head.parts.extensions.insert(there);
            here
        });
        let stays_open = head.stays_open;
        let Some(response) = self.ask(head.parts, body).await else { return After::Cut };

        let (mut parts, body) = response.into_parts();
        if parts.status == StatusCode::SWITCHING_PROTOCOLS {
            let Some(switch) = switch else { return After::Cut };
            return self.switch(&parts, body, asked, switch).await;
        }
        let is_refused =
            parts.extensions.get::<Code>().is_some() || parts.extensions.get::<Unread>().is_some();
        let says_close = parts.headers.contains_key(CONNECTION);
        let has_rest = has_body && self.has_rest();
        let is_old = version < Version::HTTP_11;
        if is_old {
            parts.version = Version::HTTP_10;
        }
        let mut closes = says_close || !stays_open || has_rest || self.stop.is_cancelled();
        let exact = body.size_hint().exact();
        let connection = match (closes, is_old) {
            (true, _) => Some("close"),
            (false, true) => Some("keep-alive"),
            (false, false) => None,
        };
        let clock = &*self.gateway.shared().clock;
        let end = self.outbox.head(&parts, exact, asked, connection, clock);
        closes |= end == BodyEnd::Close;
        match self.outbox.send(&self.client, body, end, takes_trailers).await {
            Sent::Gone => return After::Cut,
            Sent::Broken if end == BodyEnd::Close => return After::Reset,
            Sent::Broken => return After::Cut,
            Sent::Whole => {}
        }
        if !closes && has_body {
            // Whoever took the body elsewhere may read it to its end.
            poll_fn(|context| self.client.lock().poll_left(context)).await;
            closes = !self.client.lock().has_ended();
        }
        match closes {
            true => After::Close { lingers: says_close || has_rest || (has_body && is_refused) },
            false => After::Stay,
        }
    }

    /// The answer; none: the client is gone before it.
    async fn ask(&self, parts: Box<Parts>, body: RequestBody) -> Option<Response<Body>> {
        let mut answer = pin!(self.gateway.answer_to(parts, body, self.peer));
        poll_fn(|context| match answer.as_mut().poll(context) {
            Poll::Ready(response) => Poll::Ready(Some(response)),
            Poll::Pending => self.client.lock().poll_gone(context).map(|()| None),
        })
        .await
    }

    /// Whether something of the request's body is left that nobody will read.
    fn has_rest(&self) -> bool {
        let mut client = self.client.lock();
        client.skip();
        client.answered();
        !client.has_ended() && !client.is_read()
    }

    /// Passes on that the connection is no longer HTTP.
    async fn switch(&mut self, parts: &Answered, body: Body, asked: Asked, switch: ServerSwitch) -> After {
        let clock = Arc::clone(&self.gateway.shared().clock);
        let end = self.outbox.head(parts, None, asked, None, &*clock);
        match self.outbox.send(&self.client, body, end, false).await {
            Sent::Whole => After::Switch(switch),
            Sent::Gone | Sent::Broken => After::Cut,
        }
    }

    /// Answers what never became a request.
    async fn refuse(&mut self, code: Code, text: &'static str) -> After {
        let shared = Arc::clone(self.gateway.shared());
        self.gateway.cells().refused(code);
        let mut response = Refusal::new(code, text).into_response();
        if let Some(log) = &shared.access_log {
            let refusal = (response.status().as_u16(), code);
            log.refused(&*shared.clock, self.gateway.cells(), Some(self.peer.address), refusal);
        }
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        let (parts, body) = response.into_parts();
        let asked = Asked { is_head: false, takes_chunks: false };
        let end = self.outbox.head(&parts, body.size_hint().exact(), asked, Some("close"), &*shared.clock);
        let sent = self.outbox.send(&self.client, body, end, false).await;
        if sent == Sent::Whole { After::Close { lingers: true } } else { After::Cut }
    }
}

/// Ends what the gateway says, and reads on for a while what nobody wants, if the client may still be sending. The client
/// is told at once, also while somebody still has its request's body.
async fn close(client: SharedClient, lingers: bool) {
    let closed = async {
        poll_fn(|context| client.lock().connection.poll_shutdown(context)).await?;
        let mut left = if lingers { LINGER_BYTES } else { 0 };
        while left > 0 {
            match poll_fn(|context| client.lock().connection.poll_read(context, 0)).await? {
                0 => break,
                read => left = left.saturating_sub(read),
            }
            client.lock().connection.buffer.clear();
        }
        Ok::<_, std::io::Error>(())
    };
    if let Ok(Err(error)) = timeout(LINGER, closed).await {
        tracing::debug!(%error, "a connection broke at its end");
    }
}

fn reset(client: &SharedClient) {
    if let Err(error) = client.lock().connection.socket.tcp().set_zero_linger() {
        tracing::debug!(%error, "a connection could not be reset");
    }
}
