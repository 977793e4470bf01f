//! What heads of requests and answers have in common: lines, and an end.

use std::ops::Range;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

/// Whether an empty line ends in `bytes`.
pub(super) fn has_end(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|pair| pair == b"\n\n") || bytes.windows(3).any(|three| three == b"\n\r\n")
}

/// Where `part` of `buffer` stands in it.
pub(super) fn range(buffer: &[u8], part: &[u8]) -> Range<usize> {
    let begins = part.as_ptr() as usize - buffer.as_ptr() as usize;
    begins..begins + part.len()
}

/// Where a header line's name and value stand in the head.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    name: u32,
    name_ends: u32,
    value: u32,
    value_ends: u32,
}

impl Place {
    /// `line` is a part of `buffer`, which is shorter than 4 GiB.
    pub(super) fn of(buffer: &[u8], line: &httparse::Header<'_>) -> Self {
        let offset = |part: &[u8]| (part.as_ptr() as usize - buffer.as_ptr() as usize) as u32;
        let (name, value) = (offset(line.name.as_bytes()), offset(line.value));
        Self {
            name,
            name_ends: name + line.name.len() as u32,
            value,
            value_ends: value + line.value.len() as u32,
        }
    }

    /// The line, out of the bytes where it stands.
    pub(super) fn take(self, bytes: &Bytes) -> Option<(HeaderName, HeaderValue)> {
        let name = bytes.get(self.name as usize..self.name_ends as usize)?;
        let name = HeaderName::from_bytes(name).ok()?;
        let value = bytes.slice(self.value as usize..self.value_ends as usize);
        Some((name, HeaderValue::from_maybe_shared(value).ok()?))
    }
}
