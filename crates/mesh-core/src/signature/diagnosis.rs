//! What is wrong with a signature, for the people who look for the reason: the first fault in the verifier's order, and
//! what would have matched.
//!
//! For tools that hold the secrets anyway; a door says less and compares in constant time.

use std::time::Duration;

use super::{
    Algorithm, Keyring,
    signer::{sent_path, signed_path},
    verifier::seconds,
};
use crate::{
    clock::UnixMillis,
    crypto::{self, HmacKey},
    secret::Secret,
};

/// A request with the values of its signature headers, whatever they are.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The method, in any case.
    pub method: &'a str,
    /// The request target as it was sent.
    pub target: &'a str,
    /// The body.
    pub body: &'a [u8],
    /// The value of `X-Signature`.
    pub signature: &'a str,
    /// The value of `X-Timestamp`.
    pub timestamp: &'a str,
}

/// Which secret of a keyring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one that signs.
    Active,
    /// One of the previous ones, by its position from 0.
    Previous(usize),
}

/// What a verifier makes of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Diagnosis {
    /// It holds.
    Verified(Which),
    /// The signature is empty or not lower-case hex.
    SignatureNotHex(Vec<Hint>),
    /// The timestamp is not 1 to 19 decimal digits.
    TimestampMalformed,
    /// The signature has not the algorithm's length.
    SignatureLength {
        /// How many digits it has.
        digits: usize,
        /// How many it needs.
        expected: usize,
        /// What would have matched.
        hints: Vec<Hint>,
    },
    /// The timestamp lies outside the window.
    OutsideWindow {
        /// How far it is off the clock, in seconds.
        off: u64,
        /// Whether it lies before the clock.
        is_past: bool,
        /// How far it may be off, in seconds.
        tolerance: u64,
        /// The secret that makes the MAC; the window is then all that is wrong.
        mac: Option<Which>,
        /// What would have matched, where no secret does.
        hints: Vec<Hint>,
    },
    /// No secret makes this MAC.
    Mismatch(Vec<Hint>),
}

/// What the caller did instead: the MAC of this matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// The digits are in upper case.
    UpperCase,
    /// Another hash function.
    Algorithm(Algorithm),
    /// The query was signed with the path.
    WithQuery,
    /// The path was signed without its leading slash.
    WithoutLeadingSlash,
    /// The method was signed in lower case.
    LowerCaseMethod,
    /// The body was signed with a line's end after it.
    NewlineAdded,
    /// The body was signed without the line's end that stands after it.
    NewlineRemoved,
    /// No body was signed.
    EmptyBody,
}

/// What is signed, part by part.
struct Payload<'a> {
    algorithm: Algorithm,
    method: String,
    path: String,
    timestamp: &'a str,
    body: Vec<u8>,
}

impl Payload<'_> {
    fn hex(&self, secret: &Secret) -> String {
        let mut hmac = HmacKey::new(self.algorithm.hash(), secret.expose()).begin();
        for part in [self.method.as_bytes(), b"\n", self.path.as_bytes(), b"\n", self.timestamp.as_bytes()] {
            hmac.update(part);
        }
        hmac.update(b"\n");
        hmac.update(&self.body);
        hex::encode(hmac.finish())
    }
}

/// Looks for the fault of `claim` as a [`Verifier`](super::Verifier) with `keyring` and `tolerance` does at `now`, and for
/// what would have matched.
#[must_use]
pub fn diagnose(keyring: &Keyring, tolerance: Duration, claim: &Claim<'_>, now: UnixMillis) -> Diagnosis {
    let given = claim.signature;
    if given.is_empty() || !given.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Diagnosis::SignatureNotHex(hints(keyring, claim));
    }
    let Some(moment) = seconds(claim.timestamp.as_bytes()) else { return Diagnosis::TimestampMalformed };
    let expected = keyring.algorithm.hex_digits();
    if given.len() != expected {
        return Diagnosis::SignatureLength { digits: given.len(), expected, hints: hints(keyring, claim) };
    }
    let mac = paths(claim.target).find_map(|path| matching(keyring, given, &plain(keyring, claim, path)));
    let hints = if mac.is_some() { Vec::new() } else { hints(keyring, claim) };
    let (off, tolerance) = (now.seconds().abs_diff(moment), tolerance.as_secs());
    if off > tolerance {
        let is_past = moment < now.seconds();
        return Diagnosis::OutsideWindow { off, is_past, tolerance, mac, hints };
    }
    mac.map_or(Diagnosis::Mismatch(hints), Diagnosis::Verified)
}

/// The readings of the path that are accepted.
fn paths(target: &str) -> impl Iterator<Item = &str> {
    [signed_path(target), sent_path(target)].into_iter()
}

fn plain<'a>(keyring: &Keyring, claim: &Claim<'a>, path: &str) -> Payload<'a> {
    Payload {
        algorithm: keyring.algorithm,
        method: claim.method.to_ascii_uppercase(),
        path: format!("/{}", path.trim_start_matches('/')),
        timestamp: claim.timestamp,
        body: claim.body.to_vec(),
    }
}

fn matching(keyring: &Keyring, given: &str, payload: &Payload<'_>) -> Option<Which> {
    let previous = keyring.previous.iter().enumerate().map(|(at, secret)| (Which::Previous(at), secret));
    std::iter::once((Which::Active, &keyring.active))
        .chain(previous)
        .find(|(_, secret)| crypto::equal(payload.hex(secret).as_bytes(), given.as_bytes()))
        .map(|(which, _)| which)
}

/// Every deviation, one at a time, that makes the MAC match; digits in upper case go with any of them.
fn hints(keyring: &Keyring, claim: &Claim<'_>) -> Vec<Hint> {
    let given = claim.signature.to_ascii_lowercase();
    let is_upper = given != claim.signature;
    let is_tried = |change: Option<Hint>| {
        paths(claim.target).any(|path| {
            let mut payload = plain(keyring, claim, path);
            if let Some(change) = change {
                change.apply(claim, &mut payload);
            }
            payload.algorithm.hex_digits() == given.len() && matching(keyring, &given, &payload).is_some()
        })
    };
    let upper = is_upper.then_some(Hint::UpperCase);
    if is_upper && is_tried(None) {
        return vec![Hint::UpperCase];
    }
    let found: Vec<Hint> = Hint::changes(claim).into_iter().filter(|hint| is_tried(Some(*hint))).collect();
    if found.is_empty() { found } else { upper.into_iter().chain(found).collect() }
}

impl Hint {
    /// The deviations that make a difference for this claim.
    fn changes(claim: &Claim<'_>) -> Vec<Self> {
        let mut changes =
            [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512].map(Self::Algorithm).to_vec();
        if claim.target.contains('?') {
            changes.push(Self::WithQuery);
        }
        changes.extend([Self::WithoutLeadingSlash, Self::LowerCaseMethod, Self::NewlineAdded]);
        if claim.body.ends_with(b"\n") {
            changes.push(Self::NewlineRemoved);
        }
        if !claim.body.is_empty() {
            changes.push(Self::EmptyBody);
        }
        changes
    }

    fn apply(self, claim: &Claim<'_>, payload: &mut Payload<'_>) {
        match self {
            Self::UpperCase => {}
            Self::Algorithm(algorithm) => payload.algorithm = algorithm,
            Self::WithQuery => {
                let query = claim.target.split_once('?').map_or("", |(_, query)| query);
                payload.path = format!("{}?{query}", payload.path);
            }
            Self::WithoutLeadingSlash => payload.path = payload.path.trim_start_matches('/').to_owned(),
            Self::LowerCaseMethod => payload.method.make_ascii_lowercase(),
            Self::NewlineAdded => payload.body.push(b'\n'),
            Self::NewlineRemoved => {
                payload.body.pop();
            }
            Self::EmptyBody => payload.body.clear(),
        }
    }
}

#[cfg(test)]
mod tests;
