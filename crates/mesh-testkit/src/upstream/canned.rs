//! What a fake upstream answers, good manners and bad.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response};
use hyper::body::{Body, Frame, SizeHint};

/// One answer.
#[derive(Clone, Debug)]
pub struct Canned {
    pub(super) act: Act,
    pub(super) delay: Duration,
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
    chunked: bool,
    stop: Option<(usize, Step)>,
}

/// What is done once the request was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Answer,
    Close,
    Reset,
    Silence,
}

impl Canned {
    /// An answer with a status and an empty body.
    #[must_use]
    pub const fn status(status: u16) -> Self {
        Self {
            act: Act::Answer,
            delay: Duration::ZERO,
            status,
            headers: Vec::new(),
            body: Bytes::new(),
            chunked: false,
            stop: None,
        }
    }

    /// 200 with a JSON body.
    #[must_use]
    pub fn json(text: &str) -> Self {
        Self::status(200).header("content-type", "application/json").body(text.to_owned())
    }

    /// Closes the connection without an answer.
    #[must_use]
    pub fn close() -> Self {
        Self { act: Act::Close, ..Self::status(0) }
    }

    /// Resets the connection (RST) without an answer.
    #[must_use]
    pub fn reset() -> Self {
        Self { act: Act::Reset, ..Self::status(0) }
    }

    /// Keeps the connection open and never answers.
    #[must_use]
    pub fn silence() -> Self {
        Self { act: Act::Silence, ..Self::status(0) }
    }

    /// Adds a header line.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Waits before the answer.
    #[must_use]
    pub const fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sends the body in chunks instead of with its length.
    #[must_use]
    pub const fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    /// Closes the connection after `bytes` of the body.
    #[must_use]
    pub fn cut_at(mut self, bytes: usize) -> Self {
        self.stop = Some((bytes, Step::Break));
        self
    }

    /// Stands still after `bytes` of the body, with the connection open.
    #[must_use]
    pub fn stall_at(mut self, bytes: usize) -> Self {
        self.stop = Some((bytes, Step::Stall));
        self
    }

    pub(super) fn into_response(self) -> Result<Response<CannedBody>, http::Error> {
        let length = (!self.chunked).then_some(self.body.len() as u64);
        let mut steps = VecDeque::new();
        let sent = self.stop.as_ref().map_or(self.body.len(), |(bytes, _)| *bytes).min(self.body.len());
        if sent > 0 {
            steps.push_back(Step::Send(self.body.slice(..sent)));
        }
        if let Some((_, stop)) = self.stop {
            steps.extend([Step::Flush, stop]);
        }
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response
                .header(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_bytes(value.as_bytes())?);
        }
        response.body(CannedBody { steps, length })
    }
}

impl Default for Canned {
    /// 200 with an empty body.
    fn default() -> Self {
        Self::status(200)
    }
}

/// A body that may break off.
pub(super) struct CannedBody {
    steps: VecDeque<Step>,
    length: Option<u64>,
}

#[derive(Clone, Debug)]
enum Step {
    Send(Bytes),
    /// Lets what was sent reach the socket first.
    Flush,
    Break,
    Stall,
}

/// Told to the server, so that it closes the connection.
#[derive(Debug)]
pub(super) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("broken off as told")
    }
}

impl std::error::Error for Broken {}

impl Body for CannedBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match self.steps.pop_front() {
            Some(Step::Send(bytes)) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            Some(Step::Flush) => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Step::Break) => Poll::Ready(Some(Err(Broken))),
            Some(Step::Stall) => {
                self.steps.push_front(Step::Stall);
                Poll::Pending
            }
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}
