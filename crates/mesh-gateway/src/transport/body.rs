//! A service's answer as it arrives. When it ends well its connection goes back to the pool; when it breaks off,
//! the instance is told on.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use mesh_core::clock::Clock;

use super::pool::{Connection, Pool};

/// What is called with a message when the body breaks off.
type OnBreak = Box<dyn FnOnce(&str) + Send>;

/// The body of a service's answer.
pub(crate) struct UpstreamBody {
    incoming: Incoming,
    home: Option<Home>,
    on_break: Option<OnBreak>,
}

/// Where the connection goes afterwards.
pub(super) struct Home {
    pub(super) pool: Arc<Pool>,
    pub(super) authority: Arc<str>,
    pub(super) connection: Connection,
    pub(super) clock: Arc<dyn Clock>,
}

impl UpstreamBody {
    pub(super) fn new(incoming: Incoming, home: Option<Home>) -> Self {
        let mut body = Self { incoming, home, on_break: None };
        if body.incoming.is_end_stream() {
            body.go_home();
        }
        body
    }

    /// Calls `on_break` if the body breaks off.
    pub(crate) fn watch(&mut self, on_break: impl FnOnce(&str) + Send + 'static) {
        if !self.incoming.is_end_stream() {
            self.on_break = Some(Box::new(on_break));
        }
    }

    fn go_home(&mut self) {
        if let Some(home) = self.home.take() {
            let now = home.clock.monotonic();
            home.pool.give_back(&home.authority, home.connection, now);
        }
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.incoming).poll_frame(context));
        match &frame {
            Some(Ok(_)) if self.incoming.is_end_stream() => self.go_home(),
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                self.home = None;
                if let Some(on_break) = self.on_break.take() {
                    on_break(&error.to_string());
                }
            }
            None => self.go_home(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl fmt::Debug for UpstreamBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("UpstreamBody").field("incoming", &self.incoming).finish_non_exhaustive()
    }
}
