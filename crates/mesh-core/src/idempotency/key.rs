//! Which requests are the same one: the key a caller sends, scoped to caller and service, hashed.

#[cfg(test)]
mod tests;

use std::fmt;

use http::{HeaderMap, HeaderValue, header};

use crate::{
    crypto,
    error::Code,
    header::{IDEMPOTENCY_KEY, X_REQUEST_ID},
    name::ServiceName,
};

/// Source: docs/refusals.md, row 84.
const MAX_KEY_CHARACTERS: usize = 255;

/// The key as the caller sent it: `Idempotency-Key` before `X-Request-Id`; 1 to 255 characters without controls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey(String);

/// Why a header is no key. The caller's fault; never worth a retry as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Empty, longer than 255 characters, with control bytes, not UTF-8, or two headers.
    #[error("the idempotency key is empty, too long, doubled or has control bytes")]
    Malformed,
}

impl KeyError {
    /// The refusal's code.
    #[must_use]
    pub const fn code(self) -> Code {
        Code::IdempotencyKeyMalformed
    }
}

impl RequestKey {
    /// Reads the key of a request; `None` when it has none. Where there is an `Idempotency-Key`, `X-Request-Id` is not
    /// looked at.
    ///
    /// # Errors
    ///
    /// [`KeyError::Malformed`].
    pub fn from_headers(headers: &HeaderMap) -> Result<Option<Self>, KeyError> {
        let name = if headers.contains_key(IDEMPOTENCY_KEY) { IDEMPOTENCY_KEY } else { X_REQUEST_ID };
        let mut lines = headers.get_all(name).iter();
        let Some(line) = lines.next() else {
            return Ok(None);
        };
        if lines.next().is_some() {
            return Err(KeyError::Malformed);
        }
        Self::parse(line).map(Some)
    }

    /// The request id alone, as the PHP package reads it; `None` when there is none or it is empty.
    ///
    /// # Errors
    ///
    /// [`KeyError::Malformed`]: longer than 255 characters, with control bytes, not UTF-8, or two headers.
    pub fn from_request_id(headers: &HeaderMap) -> Result<Option<Self>, KeyError> {
        let mut lines = headers.get_all(X_REQUEST_ID).iter();
        match (lines.next(), lines.next()) {
            (None, _) => Ok(None),
            (Some(line), None) if line.is_empty() => Ok(None),
            (Some(line), None) => Self::parse(line).map(Some),
            (Some(_), Some(_)) => Err(KeyError::Malformed),
        }
    }

    fn parse(line: &HeaderValue) -> Result<Self, KeyError> {
        let text = std::str::from_utf8(line.as_bytes()).map_err(|_| KeyError::Malformed)?;
        let is_key =
            (1..=MAX_KEY_CHARACTERS).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        if is_key { Ok(Self(text.to_owned())) } else { Err(KeyError::Malformed) }
    }

    /// The text as it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A key as stores know it: 64 hex digits, scoped so that nobody is answered with somebody else's response; or, as the
/// PHP package has it, the request id itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    text: String,
    is_compat: bool,
}

impl IdempotencyKey {
    /// The key for `request` of `scope` (the verified caller, or `edge` and a hash of the user's credentials) to
    /// `service`. SHA-256 over the three, each with its length, so that no two triples give one text.
    #[must_use]
    pub fn scoped(scope: &str, service: &ServiceName, request: &RequestKey) -> Self {
        let texts = [scope, service.as_str(), request.as_str()];
        let lengths = texts.map(|text| (text.len() as u64).to_le_bytes());
        let parts = [0, 1, 2].map(|part| [&lengths[part][..], texts[part].as_bytes()]);
        Self { text: hex::encode(crypto::sha256(parts.as_flattened())), is_compat: false }
    }

    /// The PHP package's key: the text as it was sent, for all callers and services alike. Its lock has no owner, and
    /// its entry no fingerprint: whoever sends the text is answered with what is stored under it.
    #[must_use]
    pub fn compat(request: &RequestKey) -> Self {
        Self { text: request.0.clone(), is_compat: true }
    }

    /// Whether it is the package's key.
    #[must_use]
    pub const fn is_compat(&self) -> bool {
        self.is_compat
    }

    /// The hex digits; the text as it was sent for a package's key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// The scope of the requests that `caller` sends: its name; and where it passes on `Authorization` or `Cookie` of the user
/// it calls for, `/` and [`edge_scope`] of them: two users behind one gateway share no answer. No name has a `/` in it.
#[must_use]
pub fn caller_scope(caller: &ServiceName, headers: &HeaderMap) -> String {
    let is_for_a_user = headers.contains_key(header::AUTHORIZATION) || headers.contains_key(header::COOKIE);
    if is_for_a_user { format!("{caller}/{}", edge_scope(headers)) } else { caller.as_str().to_owned() }
}

/// The scope of a user at the gateway's public door: `edge:` + SHA-256 over Authorization and Cookie.
///
/// Cookies that arrive on several lines, as HTTP/2 allows, count as one line (RFC 9113 §8.2.3). All who send neither
/// header are one user.
#[must_use]
pub fn edge_scope(headers: &HeaderMap) -> String {
    let lines = |name| headers.get_all(name).iter().map(|line| line.as_bytes()).collect::<Vec<_>>();
    let mut counted = lines(header::AUTHORIZATION);
    let cookies = lines(header::COOKIE).join(&b"; "[..]);
    counted.push(&cookies);
    let lengths: Vec<_> = counted.iter().map(|line| (line.len() as u64).to_le_bytes()).collect();
    let parts: Vec<_> = counted.iter().zip(&lengths).flat_map(|(line, length)| [&length[..], line]).collect();
    format!("edge:{}", hex::encode(crypto::sha256(&parts)))
}
