//! Serves one client connection from its first byte to its last.

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{
    HeaderValue, Request, Response, StatusCode, Version,
    header::{CONNECTION, CONTENT_LENGTH},
};
use http_body::{Body as _, Frame, SizeHint};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use mesh_core::error::Code;
use tokio::{net::TcpStream, task::yield_now, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{
    handshake, http2,
    io::ClientIo,
    phase::{LAST_CALL, LINGER, Overdue, Phase, Progress},
};
use crate::{
    body::{Body, BodyError},
    gateway::Gateway,
    layered::Unread,
    peer::Peer,
    socket::Socket,
};

/// hyper takes no smaller buffer.
const MIN_BUFFER: usize = 8 * 1024;

/// What happened to a connection.
enum Happened {
    Ended,
    /// It turned out to speak HTTP/2.
    Http2,
    /// The answer under way is a 101.
    Switched,
    Stopped,
    Alarm,
}

/// Serves requests on `socket` until it ends. After `stop` every answer says that the connection ends, and a connection
/// without a request is given a moment for the one that may be on its way: closed at once, it would be lost.
pub(super) async fn serve(
    socket: TcpStream,
    client: SocketAddr,
    port: u16,
    gateway: Gateway,
    stop: CancellationToken,
) {
    let shared = Arc::clone(gateway.shared());
    let (limits, tls) = {
        let settings = &shared.snapshot.load().reloadable.settings;
        (settings.limits, settings.tls.clone())
    };
    let socket = match tls {
        None => Socket::Plain(socket),
        Some(tls) => match Box::pin(handshake::shake(socket, &tls, limits.head_timeout, &stop)).await {
            Some(socket) => socket,
            None => return,
        },
    };
    let peer = Peer { address: client.ip(), port, is_https: matches!(socket, Socket::Tls(_)) };
    let progress = Progress::new(Arc::clone(&shared.clock));
    let io = TokioIo::new(ClientIo::new(socket, gateway.clone(), Arc::clone(&progress)));
    if progress.phase() == Phase::Http2 {
        return Box::pin(http2::serve(io, peer, gateway, limits, stop)).await;
    }
    let for_http2 = gateway.clone();
    let answering =
        Arc::new(Answering { gateway, peer, progress: Arc::clone(&progress), stop: stop.clone() });
    let service = service_fn(move |request| {
        answering.progress.begun();
        answer(Arc::clone(&answering), request)
    });
    let mut builder = http1::Builder::new();
    builder
        .header_read_timeout(None)
        .max_header_size(limits.head_bytes)
        .max_buf_size(limits.head_bytes.max(MIN_BUFFER));
    let mut connection = builder.serve_connection(io, service);
    let mut stopped = pin!(stop.cancelled());
    let mut is_stopped = false;
    let mut alarm = pin!(sleep(limits.head_timeout));
    let mut is_closing = false;
    loop {
        let happened = poll_fn(|context| {
            if Pin::new(&mut connection).poll(context).is_ready() {
                return Poll::Ready(Happened::Ended);
            }
            match progress.phase() {
                Phase::Http2 => return Poll::Ready(Happened::Http2),
                Phase::Switched => return Poll::Ready(Happened::Switched),
                Phase::Closing if !is_closing => {
                    is_closing = true;
                    alarm.set(sleep(LINGER));
                }
                _ => {}
            }
            if !is_stopped && stopped.as_mut().poll(context).is_ready() {
                Poll::Ready(Happened::Stopped)
            } else {
                alarm.as_mut().poll(context).map(|()| Happened::Alarm)
            }
        });
        match happened.await {
            Happened::Ended => return,
            Happened::Http2 => {
                let io = connection.into_parts().io;
                return Box::pin(http2::serve(io, peer, for_http2, limits, stop.clone())).await;
            }
            Happened::Switched => {
                if let Err(error) = connection.with_upgrades().await {
                    tracing::debug!(%error, "a client was gone before its tunnel");
                }
                return;
            }
            Happened::Stopped => {
                is_stopped = true;
                alarm.set(sleep(LAST_CALL));
            }
            Happened::Alarm => match progress.overdue(&limits, is_stopped) {
                Overdue::Idle => return,
                Overdue::Head => {
                    progress.expire();
                    alarm.set(sleep(limits.head_timeout));
                }
                Overdue::Not(wait) => alarm.set(sleep(wait)),
            },
        }
    }
}

/// What the requests of one connection share.
struct Answering {
    gateway: Gateway,
    peer: Peer,
    progress: Arc<Progress>,
    stop: CancellationToken,
}

async fn answer(
    answering: Arc<Answering>,
    request: Request<Incoming>,
) -> Result<Response<Watched>, Infallible> {
    let has_body = !request.body().is_end_stream();
    let takes_chunks = request.version() >= Version::HTTP_11;
    let mut response = answering.gateway.answer(request, answering.peer).await;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        answering.progress.switched();
        // Lets the connection see that before hyper lets the socket go.
        yield_now().await;
        return Ok(response.map(|body| Watched { body, answering, ends_with_connection: false }));
    }
    let extensions = response.extensions();
    let is_refused = extensions.get::<Code>().is_some() || extensions.get::<Unread>().is_some();
    if response.headers().contains_key(CONNECTION) || (has_body && is_refused) {
        answering.progress.linger();
    }
    if answering.stop.is_cancelled() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let ends_with_connection = !takes_chunks && !response.headers().contains_key(CONTENT_LENGTH);
    Ok(response.map(|body| Watched { body, answering, ends_with_connection }))
}

/// A body that tells the connection when it is over.
struct Watched {
    body: Body,
    answering: Arc<Answering>,
    /// Whether the end of the connection is all that tells the client where the body ends.
    ends_with_connection: bool,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.answering.progress.answered();
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if self.ends_with_connection && matches!(frame, Poll::Ready(Some(Err(_)))) {
            self.answering.progress.break_off();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
