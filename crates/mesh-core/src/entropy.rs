//! Where shells draw chance: jitter, request ids, lease owners, secrets.

use std::{cell::RefCell, fmt::Debug};

use crate::{crypto, percent::write_lower_hex};

/// A source of random bytes. Rules take the drawn value as an argument.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Entropy: Debug + Send + Sync {
    /// Fills `bytes` with random bytes.
    fn fill(&self, bytes: &mut [u8]);

    /// A random number, uniform over all of `u64`.
    fn next_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

/// How many bytes one system call draws ahead, so that a request id costs no call of its own.
const POOL_BYTES: usize = 1_024;

/// The operating system's generator, read ahead in blocks, by each thread for itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy(());

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { bytes: [0; POOL_BYTES], used: POOL_BYTES }) };
}

struct Pool {
    bytes: [u8; POOL_BYTES],
    used: usize,
}

impl Pool {
    /// Fills `chunk`, which is no larger than the pool. What was drawn is forgotten.
    fn draw(&mut self, chunk: &mut [u8]) {
        if POOL_BYTES - self.used < chunk.len() {
            assert!(crypto::random(&mut self.bytes), "the system gives no random bytes");
            self.used = 0;
        }
        let drawn = &mut self.bytes[self.used..self.used + chunk.len()];
        chunk.copy_from_slice(drawn);
        drawn.fill(0);
        self.used += chunk.len();
    }
}

impl SystemEntropy {
    /// A source.
    #[must_use]
    pub const fn new() -> Self {
        Self(())
    }
}

impl Entropy for SystemEntropy {
    /// # Panics
    ///
    /// When the operating system gives no random bytes: nothing can be signed or owned then.
    fn fill(&self, bytes: &mut [u8]) {
        POOL.with_borrow_mut(|pool| bytes.chunks_mut(POOL_BYTES).for_each(|chunk| pool.draw(chunk)));
    }
}

/// A version 4 UUID, lower-case with hyphens, from 16 random bytes (RFC 9562 §5.4).
#[must_use]
pub fn uuid_v4(random: [u8; 16]) -> String {
    uuid_v4_text(random).map(char::from).iter().collect()
}

/// Like [`uuid_v4`], as ASCII, without an allocation.
#[must_use]
pub fn uuid_v4_text(mut random: [u8; 16]) -> [u8; 36] {
    random[6] = (random[6] & 0x0f) | 0x40;
    random[8] = (random[8] & 0x3f) | 0x80;
    let mut text = [b'-'; 36];
    write_lower_hex(&mut text[..8], &random[..4]);
    write_lower_hex(&mut text[9..13], &random[4..6]);
    write_lower_hex(&mut text[14..18], &random[6..8]);
    write_lower_hex(&mut text[19..23], &random[8..10]);
    write_lower_hex(&mut text[24..], &random[10..]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_carries_version_and_variant() {
        assert_eq!(uuid_v4([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid_v4([0; 16]), "00000000-0000-4000-8000-000000000000");
    }

    #[test]
    fn draws_differ_across_refills() {
        let entropy = SystemEntropy::new();
        let mut large = vec![0; 3 * POOL_BYTES + 7];
        entropy.fill(&mut large);
        assert_ne!(large[..8], large[POOL_BYTES..POOL_BYTES + 8]);
        assert_ne!(entropy.next_u64(), entropy.next_u64());
    }
}
