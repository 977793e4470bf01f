//! Where shells draw chance: jitter, request ids, lease owners, secrets.

use std::{
    fmt::{self, Debug},
    sync::{Mutex, PoisonError},
};

use crate::{crypto, percent::lower_hex};

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

/// The operating system's generator, read ahead in blocks.
pub struct SystemEntropy {
    pool: Mutex<Pool>,
}

struct Pool {
    bytes: [u8; POOL_BYTES],
    used: usize,
}

impl SystemEntropy {
    /// A source with an empty pool.
    #[must_use]
    pub fn new() -> Self {
        Self { pool: Mutex::new(Pool { bytes: [0; POOL_BYTES], used: POOL_BYTES }) }
    }
}

impl Default for SystemEntropy {
    fn default() -> Self {
        Self::new()
    }
}

impl Debug for SystemEntropy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SystemEntropy").finish_non_exhaustive()
    }
}

impl Entropy for SystemEntropy {
    /// # Panics
    ///
    /// When the operating system gives no random bytes: nothing can be signed or owned then.
    fn fill(&self, bytes: &mut [u8]) {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in bytes.chunks_mut(POOL_BYTES) {
            if POOL_BYTES - pool.used < chunk.len() {
                assert!(crypto::random(&mut pool.bytes), "the system gives no random bytes");
                pool.used = 0;
            }
            let (from, to) = (pool.used, pool.used + chunk.len());
            chunk.copy_from_slice(&pool.bytes[from..to]);
            pool.bytes[from..to].fill(0);
            pool.used = to;
        }
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
    let mut at = 0;
    for (index, byte) in random.into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            at += 1;
        }
        text[at..at + 2].copy_from_slice(&lower_hex(byte));
        at += 2;
    }
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
