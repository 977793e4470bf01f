//! Which request targets are canonical. Refuses everything that a service could read as another path.
//!
//! Signing is unsafe without this: the bytes signed are the bytes forwarded are the bytes received, and what they
//! match is what a service that decodes percent-encoded unreserved characters would match (RFC 3986 §6.2.2.2).

use crate::error::Code;

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
    /// # Errors
    ///
    /// See [`TargetError`]; rows 54 to 63 of the table in docs/refusals.md.
    pub fn parse(target: &'a str) -> Result<Self, TargetError> {
        let _ = target;
        todo!()
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
