//! Serves one client connection that speaks HTTP/2, by the same door as HTTP/1.1.
//!
//! Refuses what floods a connection; the counts are those of the h2 crate.

mod activity;
mod calm;

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::phase::LAST_CALL;
use crate::{body::BodyError, gateway::Gateway, peer::Peer, socket::Connection};
use activity::{Activity, Verdict};
use calm::CalmIo;

/// Requests at once on one connection.
const STREAMS: u32 = 100;
/// Bytes that a client may send ahead, on one stream and on the connection.
const WINDOWS: (u32, u32) = (256 * 1024, 1024 * 1024);
/// Bytes of an answer that are kept for one stream until the client takes them.
const SEND_BUFFER: usize = 128 * 1024;
/// How often, and for how long, a client is asked whether it is still there.
const PING: Duration = Duration::from_secs(20);

/// Serves requests of `client` until it ends. After `stop` the client is told so (GOAWAY), and streams under way finish.
pub(super) async fn serve(client: Connection, peer: Peer, gateway: Gateway, stop: CancellationToken) {
    let limits = gateway.shared().snapshot.load().reloadable.settings.limits;
    let clock = &gateway.shared().clock;
    let io = TokioIo::new(CalmIo::new(client, Arc::clone(clock)));
    let activity = Activity::new(Arc::clone(clock));
    let answering = Arc::new(Answering { gateway, peer, activity: Arc::clone(&activity) });
    let service = service_fn(move |request| answer(Arc::clone(&answering), request));
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(WINDOWS.0)
        .initial_connection_window_size(WINDOWS.1)
        .max_send_buf_size(SEND_BUFFER)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    let mut connection = pin!(builder.serve_connection(io, service));
    let mut stopped = pin!(stop.cancelled());
    let mut alarm = pin!(sleep(limits.head_timeout));
    let mut is_ending = false;
    loop {
        let happened = poll_fn(|context| {
            if connection.as_mut().poll(context).is_ready() {
                Poll::Ready(Happened::Ended)
            } else if !is_ending && stopped.as_mut().poll(context).is_ready() {
                Poll::Ready(Happened::Stopped)
            } else {
                alarm.as_mut().poll(context).map(|()| Happened::Alarm)
            }
        });
        let verdict = match happened.await {
            Happened::Ended => return,
            Happened::Stopped => Verdict::End,
            Happened::Alarm => activity.judge(&limits, is_ending),
        };
        match verdict {
            Verdict::Cut => return,
            Verdict::End => {
                is_ending = true;
                connection.as_mut().graceful_shutdown();
                alarm.set(sleep(LAST_CALL));
            }
            Verdict::Wait(time) => alarm.set(sleep(time)),
        }
    }
}

/// What happened to a connection.
enum Happened {
    Ended,
    Stopped,
    Alarm,
}

/// What the requests of one connection share.
struct Answering {
    gateway: Gateway,
    peer: Peer,
    activity: Arc<Activity>,
}

async fn answer(
    answering: Arc<Answering>,
    request: Request<Incoming>,
) -> Result<Response<impl http_body::Body<Data = Bytes, Error = BodyError>>, Infallible> {
    let open = answering.activity.open();
    let response = answering.gateway.answer(request, answering.peer).await;
    Ok(response.map(|body| {
        // The request is open until its answer's body is dropped, which holds this.
        body.map_err(move |error| {
            let _held = &open;
            error
        })
    }))
}
