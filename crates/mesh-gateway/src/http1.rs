//! HTTP/1.1 as rules over bytes, towards clients and towards instances: what a request says, what an answer says, where
//! each ends, and what both look like on the wire (RFC 9112). Nothing here waits.
//!
//! Refuses a message that two readers could understand differently.

mod answer;
mod chunked;
mod framing;
mod head;
mod incoming;
mod keep_alive;
#[cfg(test)]
mod properties;
mod request;
mod response;

pub(crate) use answer::{Around, Asked, BodyEnd, write_chunk_size, write_head, write_last_chunk};
pub(crate) use chunked::{Chunked, Piece};
pub(crate) use framing::Framing;
pub(crate) use incoming::{HeadLimits, HeadParser, RequestHead};
pub(crate) use request::{HEAD_BYTES, write_line, write_number_line, write_request_line};
pub(crate) use response::{Parser, ResponseHead};

/// Why an answer is no answer. The instance's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    /// The status line or a header line is none.
    #[error("a line of the answer's head is malformed")]
    Head,
    /// The head is larger than it may be, or has too many lines.
    #[error("the answer's head is too large")]
    HeadTooLarge,
    /// More than one framing, or one that is not understood.
    #[error("the answer's framing is unclear")]
    Framing,
    /// A switch of protocols that was not asked for.
    #[error("the answer switches to a protocol that nobody asked for")]
    Switch,
    /// Interim answers without end.
    #[error("too many interim answers")]
    Interim,
    /// A chunk's size, end or trailer is malformed.
    #[error("a chunk of the answer is malformed")]
    Chunk,
}
