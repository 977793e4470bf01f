//! What a secret is, and what is too weak to be one. Its bytes never reach a log.

use std::fmt;

use zeroize::Zeroizing;

/// Source: docs/wire.md, Signature v1.
const MIN_SECRET_BYTES: usize = 16;

/// The bytes that signatures are made with, exactly as configured (never decoded). Wiped on drop.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

/// Why bytes are no secret. The fault of the settings; never worth a retry as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// There are no bytes.
    #[error("the secret is empty")]
    Empty,
    /// There are fewer than 16 bytes.
    #[error("the secret is shorter than 16 bytes")]
    TooShort,
}

impl Secret {
    /// Takes the bytes of a secret.
    ///
    /// # Errors
    ///
    /// When there are fewer than 16 bytes.
    pub fn try_new(bytes: impl Into<Vec<u8>>) -> Result<Self, SecretError> {
        let bytes = Zeroizing::new(bytes.into());
        match bytes.len() {
            0 => Err(SecretError::Empty),
            length if length < MIN_SECRET_BYTES => Err(SecretError::TooShort),
            _ => Ok(Self(bytes)),
        }
    }

    /// The bytes, for the MAC alone.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_or_empty_secret_is_refused() {
        assert_eq!(Secret::try_new("").err(), Some(SecretError::Empty));
        assert_eq!(Secret::try_new("fifteen bytes!!").err(), Some(SecretError::TooShort));
        assert!(Secret::try_new("sixteen bytes !!").is_ok());
    }

    #[test]
    fn a_secret_is_not_printed() {
        let secret = Secret::try_new("sixteen bytes !!").unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(***)");
    }
}
