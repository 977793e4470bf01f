//! What a service may be called.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// Source: docs/wire.md, Signature v1.
const MAX_NAME_BYTES: usize = 128;

/// A service's name, e.g. `orders`. Case matters.
///
/// Shape: 1 to 128 bytes of UTF-8 without controls, blanks, `/`, `{`, `}` (docs/wire.md, Signature v1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServiceName(Arc<str>);

/// Why a text is no service name. The caller's fault; never worth a retry as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The text is empty.
    #[error("a service name is empty")]
    Empty,
    /// The text is longer than 128 bytes.
    #[error("a service name is longer than 128 bytes")]
    TooLong,
    /// The text holds a control character, a blank, `/`, `{` or `}`.
    #[error("a service name holds a control character, a blank, '/', '{{' or '}}'")]
    ForbiddenCharacter,
    /// The name must travel in a header and is not visible ASCII.
    #[error("a service name in a header must be visible ASCII")]
    NotVisibleAscii,
}

impl ServiceName {
    /// Reads a service name.
    ///
    /// # Errors
    ///
    /// When `text` has not the shape of a name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > MAX_NAME_BYTES {
            return Err(NameError::TooLong);
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '/' | '{' | '}')) {
            return Err(NameError::ForbiddenCharacter);
        }
        Ok(Self(Arc::from(text)))
    }

    /// Reads a service name from a header's value, where it must be visible ASCII.
    ///
    /// # Errors
    ///
    /// When the bytes are not visible ASCII, or not a name.
    pub fn parse_header(value: &[u8]) -> Result<Self, NameError> {
        if value.is_empty() {
            return Err(NameError::Empty);
        }
        match std::str::from_utf8(value) {
            Ok(text) if text.bytes().all(|b| b.is_ascii_graphic()) => Self::parse(text),
            _ => Err(NameError::NotVisibleAscii),
        }
    }

    /// Whether the name can travel in a header.
    #[must_use]
    pub fn is_visible_ascii(&self) -> bool {
        self.0.bytes().all(|b| b.is_ascii_graphic())
    }

    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ServiceName {
    /// `app`, as the package has it. Services that share anything need names of their own.
    fn default() -> Self {
        Self(Arc::from("app"))
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl AsRef<str> for ServiceName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ServiceName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl TryFrom<&str> for ServiceName {
    type Error = NameError;

    fn try_from(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

impl From<ServiceName> for String {
    fn from(name: ServiceName) -> Self {
        name.0.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<NameError>) {
        assert_eq!(ServiceName::parse(text).err(), expected, "{text:?}");
    }

    #[test]
    fn a_name_is_short_text_without_blanks_slashes_or_braces() {
        check("orders", None);
        check("Билинг", None);
        check("a:b", None);
        check("", Some(NameError::Empty));
        check(&"x".repeat(128), None);
        check(&"x".repeat(129), Some(NameError::TooLong));
        for bad in ["a b", "a/b", "{a", "a}", "a\n", "a\u{a0}b", "\u{7f}"] {
            check(bad, Some(NameError::ForbiddenCharacter));
        }
    }

    #[test]
    fn the_default_is_a_name() {
        assert_eq!(ServiceName::parse(ServiceName::default().as_str()), Ok(ServiceName::default()));
    }

    #[test]
    fn a_name_in_a_header_is_visible_ascii() {
        assert!(ServiceName::parse_header(b"orders").is_ok());
        assert_eq!(ServiceName::parse_header("Билинг".as_bytes()), Err(NameError::NotVisibleAscii));
        assert_eq!(ServiceName::parse_header(b"a b"), Err(NameError::NotVisibleAscii));
        assert_eq!(ServiceName::parse_header(b""), Err(NameError::Empty));
    }
}
