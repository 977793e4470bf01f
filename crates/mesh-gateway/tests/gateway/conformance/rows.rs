//! The table: what an instance sends, what the client sees of it, and what becomes of the connection.

mod bodies;
mod broken;
mod heads;

/// One answer of an instance.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) method: &'static str,
    pub(super) bytes: Vec<u8>,
    /// Whether the instance closes after the last byte.
    pub(super) closes: bool,
    pub(super) sees: Sees,
    pub(super) then: Then,
    pub(super) hyper: Hyper,
}

/// What the client sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sees {
    /// The answer: status, some of its headers with all their values, body.
    Answer(u16, &'static [(&'static str, &'static [&'static str])], &'static str),
    /// 502 `bad_upstream_response`.
    Malformed,
    /// 502 `upstream_unreachable`.
    Unreachable,
    /// An answer without its end: status, and the body that came.
    Aborted(u16, &'static str),
}

/// What becomes of the connection to the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// It carries the next request.
    Reused,
    Dropped,
}

/// What hyper's client makes of the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hyper {
    /// The same.
    Agrees,
    /// Something else, for this reason.
    Differs(&'static str),
}

impl Row {
    /// An answer to GET that keeps the connection.
    fn new(name: &'static str, bytes: impl Into<Vec<u8>>, sees: Sees) -> Self {
        let then = if matches!(sees, Sees::Answer(..)) { Then::Reused } else { Then::Dropped };
        let bytes = bytes.into();
        Self { name, method: "GET", bytes, closes: false, sees, then, hyper: Hyper::Agrees }
    }

    fn on_head(mut self) -> Self {
        self.method = "HEAD";
        self
    }

    /// The gateway drops the connection.
    fn dropped(mut self) -> Self {
        self.then = Then::Dropped;
        self
    }

    /// The instance ends the connection.
    fn closed(mut self) -> Self {
        self.closes = true;
        self.dropped()
    }

    fn but_hyper(mut self, why: &'static str) -> Self {
        self.hyper = Hyper::Differs(why);
        self
    }
}

pub(super) fn rows() -> Vec<Row> {
    [heads::rows(), bodies::rows(), broken::rows()].concat()
}
