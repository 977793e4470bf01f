//! A connection that is no longer HTTP: bytes go both ways as they come, until a side ends.
//!
//! There is no limit to silence: protocols that need one have their own pings.

use std::{
    future::poll_fn,
    io,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Buf;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::frames::Frames;
use crate::{
    socket::Connection,
    switch::{ClientSwitch, Switched},
};

/// What is held of one direction.
const HELD: usize = 8 * 1024;
/// How long a tunnel may go on after one side ended.
const HALF: Duration = Duration::from_secs(30);
/// What a tunnel gets at shutdown: to come between two frames, then to say goodbye.
const MOMENT: Duration = Duration::from_secs(1);
/// A websocket's close frame from a server: 1001, going away.
const GOING_AWAY: [u8; 4] = [0x88, 2, 0x03, 0xe9];

/// An instance that switched protocols, with what it said behind its 101.
#[derive(Debug)]
pub(crate) struct Tunnel {
    connection: Connection,
    is_websocket: bool,
}

impl Tunnel {
    pub(super) const fn new(connection: Connection) -> Self {
        Self { connection, is_websocket: false }
    }

    /// Whether it ends with a websocket's close frame at shutdown.
    pub(crate) const fn websocket(mut self, is_websocket: bool) -> Self {
        self.is_websocket = is_websocket;
        self
    }

    /// Carries bytes between `client`, once it switched too, and the instance. After `stop` it ends within moments.
    pub(crate) async fn carry(self, client: ClientSwitch, stop: CancellationToken) {
        let Some(client) = client.switched().await else {
            return tracing::debug!("a client was gone before its tunnel");
        };
        let is_websocket = self.is_websocket;
        let mut ends = Ends::new(client, self.connection);
        let mut stopped = pin!(stop.cancelled());
        let is_stopped = poll_fn(|context| {
            if ends.poll_until(context, |ends| ends.has_half_ended()).is_ready() {
                return Poll::Ready(false);
            }
            stopped.as_mut().poll(context).map(|()| true)
        });
        if is_stopped.await {
            ends.leave(is_websocket).await;
        } else {
            let _ended_or_not = timeout(HALF, ends.finish()).await;
        }
    }
}

/// Both ends of a tunnel.
struct Ends {
    client: Switched,
    instance: Connection,
    /// What the client said and the instance has not yet.
    held: Box<[u8; HELD]>,
    from: usize,
    to: usize,
    up: Way,
    down: Way,
    frames: Frames,
    error: Option<io::Error>,
}

/// How far one direction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Open,
    /// The reading side ended; the other does not know yet.
    Ended,
    /// The end was passed on.
    Shut,
}

impl Ends {
    fn new(client: Switched, instance: Connection) -> Self {
        let held = Box::new([0; HELD]);
        let (up, down, frames) = (Way::Open, Way::Open, Frames::default());
        Self { client, instance, held, from: 0, to: 0, up, down, frames, error: None }
    }

    fn has_half_ended(&self) -> bool {
        self.up == Way::Shut || self.down == Way::Shut
    }

    fn has_ended(&self) -> bool {
        self.error.is_some() || (self.up == Way::Shut && self.down == Way::Shut)
    }

    async fn finish(&mut self) {
        poll_fn(|context| self.poll_until(context, Self::has_ended)).await;
    }

    /// Ends it at shutdown.
    async fn leave(&mut self, is_websocket: bool) {
        if is_websocket {
            let between = poll_fn(|context| self.poll_until(context, |ends| ends.frames.is_between()));
            let _between_or_not = timeout(MOMENT, between).await;
            if self.frames.is_between() && !self.has_half_ended() {
                let _sent = timeout(MOMENT, self.client.write_all(&GOING_AWAY)).await;
            }
        }
        let _ended_or_not = timeout(MOMENT, self.finish()).await;
    }

    /// Carries on until `is_over`, or until there is nothing more to carry.
    fn poll_until(&mut self, context: &mut Context<'_>, is_over: impl Fn(&Self) -> bool) -> Poll<()> {
        loop {
            if self.has_ended() || is_over(self) {
                return Poll::Ready(());
            }
            let carried = match (self.poll_up(context), self.poll_down(context)) {
                (Poll::Ready(Err(error)), _) | (_, Poll::Ready(Err(error))) => {
                    tracing::debug!(%error, "a tunnel broke");
                    self.error = Some(error);
                    true
                }
                (up, down) => up.is_ready() || down.is_ready(),
            };
            if !carried {
                return Poll::Pending;
            }
        }
    }

    /// One step of what the client says.
    fn poll_up(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.from < self.to {
            self.from += ready!(self.instance.poll_write(context, &[], &self.held[self.from..self.to]))?;
            return Poll::Ready(Ok(()));
        }
        match self.up {
            Way::Open => {
                let mut buffer = ReadBuf::new(&mut self.held[..]);
                ready!(Pin::new(&mut self.client).poll_read(context, &mut buffer))?;
                (self.from, self.to) = (0, buffer.filled().len());
                if self.to == 0 {
                    self.up = Way::Ended;
                }
                Poll::Ready(Ok(()))
            }
            Way::Ended => {
                ready!(self.instance.poll_shutdown(context))?;
                self.up = Way::Shut;
                Poll::Ready(Ok(()))
            }
            Way::Shut => Poll::Pending,
        }
    }

    /// One step of what the instance says.
    fn poll_down(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.instance.buffer.is_empty() {
            let written = ready!(Pin::new(&mut self.client).poll_write(context, &self.instance.buffer))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.frames.pass(&self.instance.buffer[..written]);
            self.instance.buffer.advance(written);
            return Poll::Ready(Ok(()));
        }
        let flushed = Pin::new(&mut self.client).poll_flush(context);
        if let Poll::Ready(Err(error)) = flushed {
            return Poll::Ready(Err(error));
        }
        match self.down {
            Way::Open => {
                if ready!(self.instance.poll_read(context, 0))? == 0 {
                    self.down = Way::Ended;
                }
                Poll::Ready(Ok(()))
            }
            Way::Ended => {
                ready!(Pin::new(&mut self.client).poll_shutdown(context))?;
                self.down = Way::Shut;
                Poll::Ready(Ok(()))
            }
            Way::Shut => Poll::Pending,
        }
    }
}
