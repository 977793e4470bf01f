//! One attempt over HTTP/2: a stream of its own, on a connection that it shares with others.
//!
//! Refuses an answer that no instance may give over HTTP/2: malformed, with a head that is too large, or a switch of protocols.

mod connection;
mod connections;
mod head;
mod opening;
mod streamed;

use std::time::Duration;

use bytes::Bytes;
use h2::{Reason, RecvStream};
use http::{Response, StatusCode};
use mesh_core::{retry::Failure, service::BaseUrl};
use tokio::time::timeout;

use super::{
    attempt::{Broken, Outgoing, late},
    body::{Frames, UpstreamBody},
};
pub(super) use connections::{Connections, Slot};
pub(super) use streamed::Sending;
pub(crate) use streamed::Streamed;

/// How often a request that no instance has seen is sent again at once: over connections that their instances were
/// just closing.
const LEAVING: u32 = 3;

/// Sends the request over a stream of its own, within `limit`.
pub(super) async fn exchange(
    outgoing: &Outgoing<'_>,
    url: &BaseUrl,
    limit: Duration,
) -> Result<Response<UpstreamBody>, Broken> {
    let begun = outgoing.clock.monotonic();
    let left = || limit.saturating_sub(outgoing.clock.monotonic().since(begun));
    let mut refused = 0;
    loop {
        let slot = match timeout(left(), connections::slot(outgoing, url)).await {
            Ok(Ok(slot)) => slot,
            Ok(Err(error)) => return Err(Broken::NotSent(error.failure(), error.to_string())),
            Err(_) => {
                let message = format!("no connection within {} ms", limit.as_millis());
                return Err(Broken::NotSent(Failure::Connect, message));
            }
        };
        let heard = slot.heard();
        let error = match timeout(left(), ask(outgoing, url, &slot)).await {
            Ok(Ok((response, sending))) => return answer(response, slot, sending),
            Ok(Err(error)) => error,
            Err(_) => {
                // Perhaps there is nobody any more at its other end.
                if slot.heard() == heard {
                    slot.leave();
                }
                return Err(late(limit));
            }
        };
        if !error.is_reset() {
            slot.leave();
        }
        refused += 1;
        let has_body = outgoing.streamed.is_none_or(Streamed::is_whole);
        if !has_body || !was_unseen(&error) || refused == LEAVING {
            return Err(broken(&error, has_body));
        }
    }
}

/// Sends the request, and waits for the answer's head. The rest of a body that is streamed goes on meanwhile.
async fn ask(
    outgoing: &Outgoing<'_>,
    url: &BaseUrl,
    slot: &Slot,
) -> Result<(Response<RecvStream>, Option<Sending>), h2::Error> {
    let request = head::request(outgoing, url).map_err(|_| Reason::INTERNAL_ERROR)?;
    let is_whole = outgoing.streamed.is_none() && outgoing.body.is_empty();
    let (response, mut stream) = slot.requests().send_request(request, is_whole)?;
    let sending = match outgoing.streamed {
        Some(streamed) => Some(streamed.send(stream)?),
        None if is_whole => None,
        None => {
            // Fails where the instance has answered by now and wants no more: then its answer counts. Otherwise that says why.
            if let Err(error) = stream.send_data(Bytes::clone(outgoing.body), true) {
                tracing::debug!(%error, "an instance took no more of a request");
            }
            None
        }
    };
    let response = response.await?;
    slot.hear();
    Ok((response, sending))
}

fn answer(
    response: Response<RecvStream>,
    slot: Slot,
    sending: Option<Sending>,
) -> Result<Response<UpstreamBody>, Broken> {
    let (parts, stream) = response.into_parts();
    if parts.status == StatusCode::SWITCHING_PROTOCOLS {
        return Err(Broken::Lost(Failure::Malformed, "HTTP/2 switches to no other protocol".to_owned()));
    }
    let frames = Frames::new(&parts.headers, stream, (slot, sending));
    Ok(Response::from_parts(parts, UpstreamBody::http2(frames)))
}

/// Whether the instance was closing the connection and says that it has not looked at the request, or the connection
/// had ended before (RFC 9113 §6.8).
fn was_unseen(error: &h2::Error) -> bool {
    error.is_go_away() && error.is_remote()
}

/// What the error is to the rules of retrying; a request whose body is gone is never sent again.
fn broken(error: &h2::Error, has_body: bool) -> Broken {
    match verdict(error) {
        Broken::NotSent(failure, message) if !has_body => Broken::Lost(failure, message),
        broken => broken,
    }
}

fn verdict(error: &h2::Error) -> Broken {
    let message = error.to_string();
    if was_unseen(error) {
        return Broken::NotSent(Failure::Reset, message);
    }
    if error.is_library() {
        return Broken::Lost(Failure::Malformed, message);
    }
    match error.reason() {
        // Says that nothing was done with the request (RFC 9113 §8.7).
        Some(Reason::REFUSED_STREAM) => Broken::NotSent(Failure::Reset, message),
        Some(Reason::HTTP_1_1_REQUIRED) => Broken::NotSent(Failure::Protocol, message),
        _ => Broken::Lost(Failure::Reset, message),
    }
}
