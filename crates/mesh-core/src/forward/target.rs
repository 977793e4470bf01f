//! Which request targets are canonical. Refuses everything that a service could read as another path.
//!
//! Signing is unsafe without this: the bytes signed are the bytes forwarded are the bytes received, and what they
//! match is what a service that decodes percent-encoded unreserved characters would match (RFC 3986 §6.2.2.2).

use std::borrow::Cow;

use crate::{error::Code, percent};

/// Source: docs/refusals.md, Size and time.
pub const MAX_TARGET_BYTES: usize = 8 * 1024;

/// A request target in canonical form, as it came: path and query, never decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    path: &'a str,
    query: Option<&'a str>,
}

/// Why a target is refused. The caller's fault; never worth a retry as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// Longer than 8 KiB.
    #[error("the request target is longer than 8 KiB")]
    TooLong,
    /// Does not begin with `/`.
    #[error("the request target does not begin with '/'")]
    NotAbsolute,
    /// A `.` or `..` segment, encoded or with parameters (`..;a=b`).
    #[error("the path has a dot segment")]
    DotSegment,
    /// `%2f`, `%5c` or `\`.
    #[error("the path has an encoded slash or a backslash")]
    EncodedSlash,
    /// `//`.
    #[error("the path has an empty segment")]
    EmptySegment,
    /// `%` without two hex digits.
    #[error("the target has a broken percent-encoding")]
    BrokenEncoding,
    /// A control character, raw or encoded, a byte ≥ 0x80, or one that has no place in a target.
    #[error("the target has a forbidden character")]
    ForbiddenCharacter,
    /// The path does not decode to UTF-8.
    #[error("the path does not decode to UTF-8")]
    NotUtf8,
}

impl TargetError {
    /// The refusal's code.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::TooLong => Code::UriTooLong,
            _ => Code::PathNotCanonical,
        }
    }
}

impl<'a> Target<'a> {
    /// Reads an origin-form target (`/path?query`; the fragment, if any, was dropped before).
    ///
    /// In the path, all that is not named by [`TargetError`] passes, such as `{` and `|`: it is a parameter's literal
    /// text. Beyond rows 54 to 57 a segment of parameters alone (`/;x/`) is refused, which some servers read as an
    /// empty one, and so is a dot segment with an encoded `;`. In the query, which decides no route and no MAC,
    /// everything passes but controls, blanks, `#` and bytes ≥ 0x80, a broken percent-encoding too.
    ///
    /// Cost: one walk; allocates for a percent-encoded segment.
    ///
    /// # Errors
    ///
    /// See [`TargetError`]; rows 54 to 63 of the table in docs/refusals.md.
    pub fn parse(target: &'a str) -> Result<Self, TargetError> {
        if target.len() > MAX_TARGET_BYTES {
            return Err(TargetError::TooLong);
        }
        let (path, query) = match target.bytes().position(|byte| byte == b'?') {
            Some(at) => (&target[..at], Some(&target[at + 1..])),
            None => (target, None),
        };
        let segments = path.strip_prefix('/').ok_or(TargetError::NotAbsolute)?;
        if target.bytes().any(|byte| !byte.is_ascii_graphic() || byte == b'#') {
            return Err(TargetError::ForbiddenCharacter);
        }
        if is_plain(path.as_bytes()) {
            return Ok(Self { path, query });
        }
        let mut segments = segments.split('/').peekable();
        while let Some(segment) = segments.next() {
            check_segment(segment, segments.peek().is_none())?;
        }
        Ok(Self { path, query })
    }

    /// The path as it came; begins with `/`.
    #[must_use]
    pub const fn path(&self) -> &'a str {
        self.path
    }

    /// The query as it came, without `?`; `Some("")` for a lone `?`.
    #[must_use]
    pub const fn query(&self) -> Option<&'a str> {
        self.query
    }
}

/// Whether a path needs no closer look: it has no encoding and no parameters, and no segment of it is empty, but for the
/// last, or begins with a dot.
fn is_plain(path: &[u8]) -> bool {
    let mut before = b'.';
    path.iter().all(|&byte| {
        let is_plain = match byte {
            b'/' | b'.' => before != b'/',
            _ => !matches!(byte, b'%' | b';' | b'\\'),
        };
        before = byte;
        is_plain
    })
}

/// Checks one segment as a server reads it that decodes once and cuts parameters off.
fn check_segment(segment: &str, is_last: bool) -> Result<(), TargetError> {
    if segment.contains('\\') {
        return Err(TargetError::EncodedSlash);
    }
    let decoded = percent::decode(segment).ok_or(TargetError::BrokenEncoding)?;
    if decoded.iter().any(|byte| matches!(byte, b'/' | b'\\')) {
        return Err(TargetError::EncodedSlash);
    }
    if decoded.iter().any(u8::is_ascii_control) {
        return Err(TargetError::ForbiddenCharacter);
    }
    if str::from_utf8(&decoded).is_err() {
        return Err(TargetError::NotUtf8);
    }
    if percent::has_dots(&decoded) {
        return Err(TargetError::DotSegment);
    }
    match decoded.split(|byte| *byte == b';').next() {
        Some(b"") if !(is_last && decoded.is_empty()) => Err(TargetError::EmptySegment),
        _ => Ok(()),
    }
}

/// What a parameter's value says: percent-decoded once. `None` for a broken encoding and for what is no UTF-8, which no
/// [`Target`] has in its path.
#[must_use]
pub fn decoded(value: &str) -> Option<Cow<'_, str>> {
    match percent::decode(value)? {
        Cow::Borrowed(_) => Some(Cow::Borrowed(value)),
        Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
    }
}

#[cfg(test)]
mod tests;
