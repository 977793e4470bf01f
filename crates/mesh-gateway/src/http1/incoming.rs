//! Reads the head of a client's request (RFC 9112 §3 to §6). Its values are slices of what was read, not copies.
//!
//! Refuses what two readers could understand differently: two framings, odd lengths, folded lines, names with spaces
//! (docs/refusals.md, Framing).

use std::mem::MaybeUninit;

use bytes::{Buf as _, BytesMut};
use http::{
    HeaderMap, Method, Request, Uri, Version,
    header::{EXPECT, TE},
    request::Parts,
};
use mesh_core::{error::Code, forward::request::takes_trailers};

use super::{
    Framing,
    framing::Ends,
    head::{Place, has_end, range},
};

/// Header lines for which there is room without an allocation.
const LINES: usize = 128;

/// No target is longer that can be read at all; what is longer than a target may be is refused at the door.
const MAX_URI_BYTES: usize = 65_534;

/// What a head may measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadLimits {
    pub(crate) lines: usize,
    pub(crate) bytes: usize,
}

/// Why a head is none. The client's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadHead {
    Malformed,
    /// The target has a byte that no target has.
    Target,
    TargetTooLong,
    TooLarge,
}

impl BadHead {
    /// The refusal's code.
    pub(crate) const fn code(self) -> Code {
        match self {
            Self::Malformed => Code::BadFraming,
            Self::Target => Code::PathNotCanonical,
            Self::TargetTooLong => Code::UriTooLong,
            Self::TooLarge => Code::HeadersTooLarge,
        }
    }

    /// The refusal's text.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Malformed => "the request is malformed",
            Self::Target => "the target has a forbidden character",
            Self::TargetTooLong => "the request target is longer than 8 KiB",
            Self::TooLarge => "the request has too many or too large headers",
        }
    }
}

/// The head of a request.
#[derive(Debug)]
pub(crate) struct RequestHead {
    pub(crate) parts: Box<Parts>,
    /// Where the body ends: never with the connection.
    pub(crate) framing: Framing,
    /// Whether the client would send another request on the connection.
    pub(crate) stays_open: bool,
    /// Whether the client waits for a word before it sends the body.
    pub(crate) expects_continue: bool,
    /// Whether the client takes trailers behind the chunks (RFC 9110 §6.5.1).
    pub(crate) takes_trailers: bool,
}

impl RequestHead {
    /// Whether the client takes an answer in chunks.
    pub(crate) fn takes_chunks(&self) -> bool {
        self.parts.version >= Version::HTTP_11
    }
}

/// How far the reading of a head is.
#[derive(Debug, Default)]
pub(crate) struct HeadParser {
    /// Bytes of the buffer that were looked at and hold no end of a head.
    searched: usize,
    /// Where the lines of the last head stood: kept for its room.
    places: Vec<Place>,
}

impl HeadParser {
    /// Takes a head off the front of `buffer`; none: there is no whole one yet. Empty lines before it are skipped
    /// (RFC 9112 §2.2).
    ///
    /// Linear in the bytes that arrive, however they are cut.
    pub(crate) fn parse(
        &mut self,
        buffer: &mut BytesMut,
        limits: HeadLimits,
    ) -> Result<Option<RequestHead>, BadHead> {
        if self.searched == 0 {
            while let [b'\n', ..] | [b'\r', b'\n', ..] = buffer[..] {
                buffer.advance(if buffer[0] == b'\n' { 1 } else { 2 });
            }
            // A CR may be half of another one.
            if matches!(buffer[..], [] | [b'\r']) {
                return Ok(None);
            }
        } else if !has_end(&buffer[self.searched.saturating_sub(3)..]) {
            return self.wait(buffer, limits);
        }
        match parse_one(buffer, limits, &mut self.places) {
            Ok(None) => self.wait(buffer, limits),
            Ok(head) => {
                self.searched = 0;
                Ok(head)
            }
            Err(error) => Err(error),
        }
    }

    fn wait(&mut self, buffer: &BytesMut, limits: HeadLimits) -> Result<Option<RequestHead>, BadHead> {
        self.searched = buffer.len();
        if buffer.len() <= limits.bytes {
            Ok(None)
        } else if buffer.contains(&b'\n') {
            Err(BadHead::TooLarge)
        } else {
            Err(BadHead::TargetTooLong)
        }
    }
}

/// Whether the request line has a method, and a target with a byte that no target has.
fn has_odd_target(head: &[u8]) -> bool {
    let line = head.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let mut parts = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target)) = (parts.next(), parts.next()) else { return false };
    Method::from_bytes(method).is_ok()
        && target.iter().any(|byte| !byte.is_ascii_graphic() || matches!(byte, b'<' | b'>' | b'`' | b'^'))
}

/// Takes one head off the front; `places` is room for its lines.
fn parse_one(
    buffer: &mut BytesMut,
    limits: HeadLimits,
    places: &mut Vec<Place>,
) -> Result<Option<RequestHead>, BadHead> {
    let mut few = [const { MaybeUninit::uninit() }; LINES];
    let mut many = Vec::new();
    let lines = if limits.lines <= LINES {
        &mut few[..]
    } else {
        many.resize(limits.lines, MaybeUninit::uninit());
        &mut many[..]
    };
    let mut request = httparse::Request::new(&mut []);
    let length = match request.parse_with_uninit_headers(buffer, lines) {
        Ok(httparse::Status::Complete(length)) if length <= limits.bytes => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Ok(_) | Err(httparse::Error::TooManyHeaders) => return Err(BadHead::TooLarge),
        Err(_) if has_odd_target(buffer) => return Err(BadHead::Target),
        Err(_) => return Err(BadHead::Malformed),
    };
    let method = request.method.and_then(|method| Method::from_bytes(method.as_bytes()).ok());
    let method = method.ok_or(BadHead::Malformed)?;
    let version = if request.version == Some(1) { Version::HTTP_11 } else { Version::HTTP_10 };
    let target = request.path.unwrap_or_default().as_bytes();
    if target.len() > MAX_URI_BYTES {
        return Err(BadHead::TargetTooLong);
    }
    let target = range(buffer, target);
    places.clear();
    places.extend(request.headers.iter().map(|line| Place::of(buffer, line)));

    let bytes = buffer.split_to(length).freeze();
    let mut parts = Box::new(Request::new(()).into_parts().0);
    parts.method = method;
    parts.version = version;
    parts.uri = Uri::from_maybe_shared(bytes.slice(target)).map_err(|_| BadHead::Target)?;
    parts.headers = HeaderMap::with_capacity(places.len());
    let (mut ends, mut has_expectation, mut has_te) = (Ends::default(), false, false);
    for place in &*places {
        let (name, value) = place.take(&bytes).ok_or(BadHead::Malformed)?;
        ends.take(&name, &value);
        has_expectation |= name == EXPECT;
        has_te |= name == TE;
        parts.headers.append(name, value);
    }
    let framing = match ends.framing(version, &mut parts.headers).map_err(|_| BadHead::Malformed)? {
        Framing::UntilClose => Framing::Length(0),
        framing => framing,
    };
    let expects_continue = has_expectation && version >= Version::HTTP_11;
    let stays_open = ends.stays_open(version);
    let takes_trailers = has_te && takes_trailers(&parts.headers);
    Ok(Some(RequestHead { parts, framing, stays_open, expects_continue, takes_trailers }))
}

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;
