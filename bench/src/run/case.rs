//! The cases: what is sent, over how many connections.

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    /// As `--case` knows it.
    pub(super) name: &'static str,
    /// Connections that the load keeps.
    pub(super) connections: u16,
    /// POST so many bytes; GET otherwise.
    pub(super) post: Option<usize>,
}

/// All of them, in the order in which they run.
pub(super) const CASES: &[Case] = &[
    Case { name: "get", connections: 64, post: None },
    Case { name: "post-1k", connections: 64, post: Some(1024) },
];
