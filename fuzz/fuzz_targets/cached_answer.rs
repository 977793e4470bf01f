//! Any bytes as the entry that a store keeps of an answer: what is read of it is written and read as the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mesh_core::idempotency::wire::{decode, encode};

fuzz_target!(|document: &[u8]| {
    let Some((fingerprint, answer)) = decode(document) else { return };
    assert!((200..300).contains(&answer.status));
    let written = encode(&answer, fingerprint.as_ref());
    let (again, mut read) = decode(&written).expect("what is written is read");
    assert_eq!(again, fingerprint);
    // Headers are written by name: lines of one name keep their order.
    let mut answer = answer;
    answer.headers.sort_by(|(a, _), (b, _)| a.as_str().cmp(b.as_str()));
    read.headers.sort_by(|(a, _), (b, _)| a.as_str().cmp(b.as_str()));
    assert_eq!(read, answer);
});
