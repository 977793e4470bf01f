//! What is kept of an answer, and what never is.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

/// A stored answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status, 200 to 299.
    pub status: u16,
    /// The headers, each line on its own, without those of [`is_kept`].
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: AnswerBody,
}

/// The body of a stored answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerBody {
    /// All of it.
    Whole(Bytes),
    /// It was delivered and not kept: streamed, larger than the limit, or `no-store`. Never replayed as empty.
    NotKept,
}

/// Whether a header of an answer is kept: not `Date`, `Set-Cookie`, `Authorization`, nor hop-by-hop ones.
#[must_use]
pub fn is_kept(name: &HeaderName) -> bool {
    let _ = name;
    todo!()
}

/// The headers of an answer that are kept.
#[must_use]
pub fn kept_headers(headers: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
    headers
        .iter()
        .filter(|(name, _)| is_kept(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Whether an answer with these headers forbids that its body is kept (`Cache-Control: no-store`).
#[must_use]
pub fn forbids_keeping(headers: &HeaderMap) -> bool {
    let _ = headers;
    todo!()
}
