//! Reads the head of an answer. Its values are slices of what was read, not copies.
//!
//! Refuses heads that are too large, interim answers without end, and a switch of protocols that was not asked for.

use std::{mem::MaybeUninit, time::Duration};

use bytes::BytesMut;
use http::{HeaderMap, StatusCode, Version};

use mesh_core::header::KEEP_ALIVE;

use super::{
    Malformed,
    framing::{Ends, Framing},
    head::{Place, has_end},
    keep_alive,
};

/// What an answer's head may measure, interim answers before it included (docs/refusals.md, Backend responses).
pub(crate) const MAX_HEAD_BYTES: usize = 64 * 1024;
/// How many lines it may have.
const MAX_HEADERS: usize = 128;
/// How many lines most have.
const FEW_HEADERS: usize = 24;
/// How every answer begins.
const BEGINNING: &[u8] = b"HTTP/1.";
/// How many interim answers may come before the answer.
const MAX_INTERIM: u32 = 16;

/// The head of an answer.
#[derive(Debug)]
pub(crate) struct ResponseHead {
    pub(crate) status: StatusCode,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    /// Where the body ends. Of a switch of protocols: with the connection, which is no longer HTTP.
    pub(crate) framing: Framing,
    /// Whether the connection can carry another request after the body's end.
    pub(crate) stays_open: bool,
    /// How long the connection may wait for that, where the instance says it.
    pub(crate) idle_limit: Option<Duration>,
}

/// What the parser must know of the request, and how far it is.
#[derive(Debug)]
pub(crate) struct Parser {
    /// Whether the request was a HEAD.
    pub(crate) is_head: bool,
    /// Whether the request asked to switch protocols.
    pub(crate) may_switch: bool,
    /// Bytes of the buffer that were looked at and hold no end of a head.
    searched: usize,
    interim: u32,
    interim_bytes: usize,
}

impl Parser {
    /// A parser for the answer to one request.
    pub(crate) const fn new(is_head: bool, may_switch: bool) -> Self {
        Self { is_head, may_switch, searched: 0, interim: 0, interim_bytes: 0 }
    }

    /// Takes a head off the front of `buffer`; none: there is no whole one yet. Interim answers are swallowed.
    ///
    /// Linear in the bytes that arrive, however they are cut. What does not begin like an answer is refused with its
    /// first bytes: nobody waits for the end of a greeting in another protocol.
    pub(crate) fn parse(&mut self, buffer: &mut BytesMut) -> Result<Option<ResponseHead>, Malformed> {
        loop {
            if buffer.is_empty() {
                return Ok(None);
            }
            if !buffer.iter().zip(BEGINNING).all(|(byte, expected)| byte == expected) {
                return Err(Malformed::Head);
            }
            if self.searched > 0 && !has_end(&buffer[self.searched.saturating_sub(3)..]) {
                return self.wait(buffer);
            }
            let Some(head) = parse_one(buffer, self.is_head)? else { return self.wait(buffer) };
            self.searched = 0;
            let (head, length) = head;
            if head.status == StatusCode::SWITCHING_PROTOCOLS {
                return if self.may_switch { Ok(Some(head)) } else { Err(Malformed::Switch) };
            }
            if !head.status.is_informational() {
                return Ok(Some(head));
            }
            self.interim += 1;
            self.interim_bytes += length;
            if self.interim > MAX_INTERIM || self.interim_bytes > MAX_HEAD_BYTES {
                return Err(Malformed::Interim);
            }
        }
    }

    fn wait(&mut self, buffer: &BytesMut) -> Result<Option<ResponseHead>, Malformed> {
        self.searched = buffer.len();
        if buffer.len() + self.interim_bytes > MAX_HEAD_BYTES {
            Err(Malformed::HeadTooLarge)
        } else {
            Ok(None)
        }
    }
}

/// One head and its length.
fn parse_one(buffer: &mut BytesMut, is_head: bool) -> Result<Option<(ResponseHead, usize)>, Malformed> {
    let mut lines = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let (mut few, mut many) = ([Place::default(); FEW_HEADERS], Vec::new());
    let mut response = httparse::Response::new(&mut []);
    let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
        &mut response,
        buffer,
        &mut lines,
    );
    let length = match parsed {
        Ok(httparse::Status::Complete(length)) if length <= MAX_HEAD_BYTES => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Ok(_) | Err(httparse::Error::TooManyHeaders) => return Err(Malformed::HeadTooLarge),
        Err(_) => return Err(Malformed::Head),
    };
    let version = if response.version == Some(1) { Version::HTTP_11 } else { Version::HTTP_10 };
    let status = response.code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or(Malformed::Head)?;
    let count = response.headers.len();
    let places = if count <= FEW_HEADERS {
        &mut few[..count]
    } else {
        many.resize(count, Place::default());
        &mut many[..]
    };
    for (place, line) in places.iter_mut().zip(response.headers.iter()) {
        *place = Place::of(buffer, line);
    }
    let bytes = buffer.split_to(length).freeze();
    let (mut headers, mut idle_limit) = (HeaderMap::with_capacity(count), None);
    let mut ends = Ends::default();
    for place in places {
        let (name, value) = place.take(&bytes).ok_or(Malformed::Head)?;
        ends.take(&name, &value);
        if name == KEEP_ALIVE {
            idle_limit = keep_alive::idle_limit(value.as_bytes());
        }
        headers.append(name, value);
    }
    let framing = if status.is_informational() {
        Framing::UntilClose
    } else {
        Framing::of(status, version, &ends, &mut headers, is_head)?
    };
    let stays_open = framing != Framing::UntilClose
        && ends.stays_open(version)
        && !(status == StatusCode::NO_CONTENT && ends.announce_body());
    Ok(Some((ResponseHead { status, version, headers, framing, stays_open, idle_limit }, length)))
}

#[cfg(test)]
mod tests;
