//! Any bytes as signature headers: nothing passes that was not signed, what was signed passes, and one that verifies in
//! parts says the same as one that verifies at once.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use mesh_core::clock::UnixMillis;
use mesh_core::secret::Secret;
use mesh_core::signature::{Keyring, Presented, SignatureError, Signer, Verifier};

fn keyring() -> Keyring {
    Keyring::new(Secret::try_new("sixteen bytes or more").unwrap())
}

static SIGNER: LazyLock<Signer> = LazyLock::new(|| Signer::new(&keyring()));
static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| Verifier::new(keyring(), Duration::from_secs(60)));

/// Signatures, timestamps, method, target, body, where it is cut, the clock, how far the caller's is off, which digit is wrong.
type Input<'a> = (Vec<&'a [u8]>, Vec<&'a [u8]>, &'a str, &'a str, &'a [u8], u16, u64, i8, Option<u8>);

fuzz_target!(|input: Input<'_>| {
    let (signatures, timestamps, method, target, body, cut, now, off, flip) = input;
    let now = UnixMillis(now);
    if let Ok(presented) = Presented::parse(&signatures, &timestamps) {
        // Nobody guesses 256 bits.
        assert!(verify(&presented, method, target, body, cut, now).is_err());
    }

    let seconds = now.seconds().saturating_add_signed(i64::from(off));
    let timestamp = seconds.to_string();
    let mut digits = SIGNER.sign(method, target, seconds, body).as_str().as_bytes().to_vec();
    if let Some(flip) = flip {
        let at = usize::from(flip) % digits.len();
        digits[at] = if digits[at] == b'0' { b'1' } else { b'0' };
    }
    let presented = Presented::parse(&[&digits], &[timestamp.as_bytes()]);
    let presented = presented.expect("what the signer writes is read");
    let expected = match flip {
        _ if seconds.abs_diff(now.seconds()) > 60 => Err(SignatureError::OutsideWindow),
        Some(_) => Err(SignatureError::Mismatch),
        None => Ok(()),
    };
    assert_eq!(verify(&presented, method, target, body, cut, now), expected);
});

/// At once and in two parts.
fn verify(
    presented: &Presented<'_>,
    method: &str,
    target: &str,
    body: &[u8],
    cut: u16,
    now: UnixMillis,
) -> Result<(), SignatureError> {
    let whole = VERIFIER.verify(presented, method, target, body, now);
    let parts = VERIFIER.begin(presented, method, target, now).and_then(|mut verifying| {
        let (first, second) = body.split_at(usize::from(cut).min(body.len()));
        verifying.update(first);
        verifying.update(second);
        verifying.finish()
    });
    assert_eq!(whole, parts);
    whole
}
