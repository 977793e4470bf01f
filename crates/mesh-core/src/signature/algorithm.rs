//! Which hash functions a signature may use. Refuses md5, sha1 and everything unknown.

use std::{fmt, str::FromStr};

use crate::crypto::Hash;

/// The hash function of the HMAC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC-SHA256; 64 hex digits.
    #[default]
    Sha256,
    /// HMAC-SHA384; 96 hex digits.
    Sha384,
    /// HMAC-SHA512; 128 hex digits.
    Sha512,
}

/// A name that is no accepted algorithm. The fault of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the algorithm is sha256, sha384 or sha512")]
pub struct UnknownAlgorithm;

impl Algorithm {
    /// The name in settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// How many hex digits a signature has.
    #[must_use]
    pub const fn hex_digits(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha384 => 96,
            Self::Sha512 => 128,
        }
    }

    pub(crate) const fn hash(self) -> Hash {
        match self {
            Self::Sha256 => Hash::Sha256,
            Self::Sha384 => Hash::Sha384,
            Self::Sha512 => Hash::Sha512,
        }
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        match text {
            "sha256" => Ok(Self::Sha256),
            "sha384" => Ok(Self::Sha384),
            "sha512" => Ok(Self::Sha512),
            _ => Err(UnknownAlgorithm),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_algorithm_that_is_weak_or_unknown_is_refused() {
        for known in ["sha256", "sha384", "sha512"] {
            assert!(known.parse::<Algorithm>().is_ok(), "{known}");
        }
        for refused in ["", "md5", "sha1", "sha224", "crc32b", "xxh3", "sha256 ", "none"] {
            assert!(refused.parse::<Algorithm>().is_err(), "{refused}");
        }
    }
}
