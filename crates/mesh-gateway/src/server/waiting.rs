//! Waits for a client's next request, and no longer than it may take.

use std::{
    future::{Future as _, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use mesh_core::{
    clock::{Clock, Tick},
    error::Code,
};
use tokio::time::{Sleep, sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::{
    client::{Client, SharedClient},
    phase::{LAST_CALL, Overdue, Phase},
};
use crate::{
    http1::{HeadLimits, HeadParser, RequestHead},
    settings::Limits,
};

/// How a client begins that speaks HTTP/2 without having asked (RFC 9113 §3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What a connection does next.
#[derive(Debug)]
pub(super) enum Next {
    Request(RequestHead),
    /// It sent what is no head, or sent it too slowly.
    Refused(Code, &'static str),
    /// It speaks HTTP/2.
    Http2,
    /// It ended, or said nothing for too long.
    Ended,
}

/// What a connection waits for, and since when.
#[derive(Debug)]
pub(super) struct Waiting {
    limits: Limits,
    clock: Arc<dyn Clock>,
    phase: Phase,
    since: Tick,
    parser: HeadParser,
    /// Set again only when it rings: a request costs no timer.
    alarm: Pin<Box<Sleep>>,
    stop: CancellationToken,
    stopped: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Whether it never sent a request.
    is_new: bool,
    /// Whether this wakes whoever waits when the gateway stops.
    is_listening: bool,
    is_stopped: bool,
}

impl Waiting {
    /// For a connection that was just opened.
    pub(super) fn new(limits: Limits, stop: CancellationToken, clock: Arc<dyn Clock>) -> Self {
        Self {
            limits,
            phase: Phase::Fresh,
            since: clock.monotonic(),
            clock,
            parser: HeadParser::default(),
            alarm: Box::pin(sleep(limits.head_timeout.min(limits.idle_timeout))),
            stopped: Box::pin(stop.clone().cancelled_owned()),
            stop,
            is_new: true,
            is_listening: false,
            is_stopped: false,
        }
    }

    /// The last answer is out.
    pub(super) fn again(&mut self) {
        self.enter(Phase::Idle);
    }

    fn enter(&mut self, phase: Phase) {
        (self.phase, self.since) = (phase, self.clock.monotonic());
    }

    /// A part of a head is there.
    fn begun(&mut self) {
        if self.phase != Phase::Head {
            self.enter(Phase::Head);
            self.alarm.as_mut().set(sleep(self.limits.head_timeout));
        }
    }

    /// Until there is a request, or no hope for one.
    pub(super) async fn next(&mut self, client: &SharedClient) -> Next {
        poll_fn(|context| {
            let mut client = client.lock();
            match self.poll_client(&mut client, context) {
                Poll::Pending => {
                    drop(client);
                    self.poll_patience(context)
                }
                ready => ready,
            }
        })
        .await
    }

    fn poll_client(&mut self, client: &mut Client, context: &mut Context<'_>) -> Poll<Next> {
        loop {
            if !client.connection.buffer.is_empty()
                && let Some(next) = self.parse(client)
            {
                return Poll::Ready(next);
            }
            match client.connection.poll_read(context, 0) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Next::Ended),
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn parse(&mut self, client: &mut Client) -> Option<Next> {
        let buffer = &mut client.connection.buffer;
        if self.is_new {
            if buffer.starts_with(PREFACE) {
                return Some(Next::Http2);
            }
            if PREFACE.starts_with(buffer) {
                self.begun();
                return None;
            }
        }
        let limits = HeadLimits { lines: self.limits.headers, bytes: self.limits.head_bytes };
        match self.parser.parse(buffer, limits) {
            Ok(Some(head)) => {
                self.is_new = false;
                Some(Next::Request(head))
            }
            Ok(None) => {
                self.begun();
                None
            }
            Err(bad) => Some(Next::Refused(bad.code(), bad.text())),
        }
    }

    fn poll_patience(&mut self, context: &mut Context<'_>) -> Poll<Next> {
        if !self.is_stopped && (!self.is_listening || self.stop.is_cancelled()) {
            self.is_listening = true;
            if self.stopped.as_mut().poll(context).is_ready() {
                self.is_stopped = true;
                self.since = self.clock.monotonic();
                self.alarm.as_mut().set(sleep(LAST_CALL));
            }
        }
        while self.alarm.as_mut().poll(context).is_ready() {
            let waited = self.clock.monotonic().since(self.since);
            match self.phase.overdue(waited, &self.limits, self.is_stopped) {
                Overdue::Idle => return Poll::Ready(Next::Ended),
                Overdue::Head => {
                    return Poll::Ready(Next::Refused(
                        Code::RequestTimeout,
                        "the request did not come in time",
                    ));
                }
                Overdue::Not(wait) => self.alarm.as_mut().set(sleep(wait)),
            }
        }
        Poll::Pending
    }
}
