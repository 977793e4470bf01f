//! Every call into ring: MACs, digests, random bytes, comparison in constant time.

use ring::{
    digest, hmac,
    rand::{SecureRandom as _, SystemRandom},
};

/// An HMAC under way over bytes that arrive in parts.
pub(crate) struct Hmac(hmac::Context);

/// A key prepared for one algorithm.
#[derive(Clone)]
pub(crate) struct HmacKey(hmac::Key);

/// The hash functions a signature may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl HmacKey {
    pub(crate) fn new(hash: Hash, secret: &[u8]) -> Self {
        let algorithm = match hash {
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha384 => hmac::HMAC_SHA384,
            Hash::Sha512 => hmac::HMAC_SHA512,
        };
        Self(hmac::Key::new(algorithm, secret))
    }

    pub(crate) fn begin(&self) -> Hmac {
        Hmac(hmac::Context::with_key(&self.0))
    }
}

impl Hmac {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> hmac::Tag {
        self.0.sign()
    }
}

/// Whether two byte strings are equal, in time that depends on their lengths alone.
pub(crate) fn equal(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).fold(0, |sum, (a, b)| std::hint::black_box(sum | (a ^ b))) == 0
}

/// SHA-256 over the parts, one after the other.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut sum = [0; 32];
    sum.copy_from_slice(context.finish().as_ref());
    sum
}

/// Fills `bytes` from the system's generator; false when it gives none.
pub(crate) fn random(bytes: &mut [u8]) -> bool {
    SystemRandom::new().fill(bytes).is_ok()
}
