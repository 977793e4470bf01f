//! Which trace a request belongs to (W3C Trace Context, level 1), and what the next hop is told of it.
//!
//! Refuses what is not exactly a `traceparent`: such a value is replaced, never passed on.

use std::fmt;

use http::HeaderMap;

use crate::{
    header::TRACEPARENT,
    percent::{lower_hex, write_lower_hex},
};

/// The length of a version 00 `traceparent`.
const LENGTH: usize = 55;

/// The flag that says that the caller may have recorded the trace (§3.2.2.5.1), the only one that level 1 knows.
const SAMPLED: u8 = 0x01;

/// Where a request stands in a trace: what `traceparent` says. Neither id is all zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace_id: [u8; 16],
    parent_id: [u8; 8],
    flags: u8,
}

impl TraceContext {
    /// Reads a `traceparent`. `None` for anything but `00-<32>-<16>-<2>` in lower-case hex with both ids not zero.
    ///
    /// Of a later version the same four fields are read, whatever follows behind a further `-`; of its flags only
    /// the one that is known is kept (§3.2.2.1, §4.3).
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        let (known, rest) = value.split_at_checked(LENGTH)?;
        let [version] = hex(known.get(..2)?)?;
        let ends_well = if version == 0 { rest.is_empty() } else { matches!(rest, [] | [b'-', ..]) };
        let is_separated = [2, 35, 52].iter().all(|at| known.get(*at) == Some(&b'-'));
        if version == 0xff || !ends_well || !is_separated {
            return None;
        }
        let (trace_id, parent_id) = (hex::<16>(known.get(3..35)?)?, hex::<8>(known.get(36..52)?)?);
        let [flags] = hex(known.get(53..)?)?;
        let flags = if version == 0 { flags } else { flags & SAMPLED };
        (trace_id != [0; 16] && parent_id != [0; 8]).then_some(Self { trace_id, parent_id, flags })
    }

    /// What a request's headers say. `None` when they say nothing, or it twice, or malformed.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut lines = headers.get_all(TRACEPARENT).iter();
        match (lines.next(), lines.next()) {
            (Some(one), None) => Self::parse(one.as_bytes()),
            _ => None,
        }
    }

    /// A new trace from 24 random bytes. `sample` is the share of such traces that are to be recorded, 0 to 1: the trace's own
    /// id decides, so that everybody who asks with the same share gets the same answer.
    #[must_use]
    pub fn root(random: [u8; 24], sample: f64) -> Self {
        let [a, b, c] = *random.as_chunks::<8>().0 else {
            return Self { trace_id: [1; 16], parent_id: [1; 8], flags: 0 };
        };
        let chance = f64::from(u32::from_be_bytes([b[4], b[5], b[6], b[7]])) / 4_294_967_296.0;
        let mut trace_id = [0; 16];
        trace_id[..8].copy_from_slice(&not_zero(a));
        trace_id[8..].copy_from_slice(&b);
        Self { trace_id, parent_id: not_zero(c), flags: u8::from(chance < sample) }
    }

    /// The same trace one hop on: a new parent id from 8 random bytes, the flags as they were.
    #[must_use]
    pub fn child(&self, random: [u8; 8]) -> Self {
        Self { parent_id: not_zero(random), ..*self }
    }

    /// Whether the caller may have recorded the trace.
    #[must_use]
    pub const fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The trace's id as it stands in logs: 32 lower-case hex digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        self.trace_id.iter().flat_map(|byte| lower_hex(*byte)).map(char::from).collect()
    }

    /// The `traceparent` that says this, in version 00. Allocates nothing.
    #[must_use]
    pub fn header(&self) -> [u8; LENGTH] {
        let mut out = [b'-'; LENGTH];
        out[..2].copy_from_slice(b"00");
        write_lower_hex(&mut out[3..35], &self.trace_id);
        write_lower_hex(&mut out[36..52], &self.parent_id);
        write_lower_hex(&mut out[53..], &[self.flags]);
        out
    }
}

impl fmt::Display for TraceContext {
    /// Its `traceparent`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(str::from_utf8(&self.header()).unwrap_or_default())
    }
}

/// An id of all zeros is none (§3.2.2.3).
fn not_zero(id: [u8; 8]) -> [u8; 8] {
    if id == [0; 8] { [0, 0, 0, 0, 0, 0, 0, 1] } else { id }
}

/// Lower-case hex digits, exactly `2 * N` of them.
fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let (pairs, rest) = digits.as_chunks::<2>();
    let mut out = [0; N];
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in out.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(out)
}

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
