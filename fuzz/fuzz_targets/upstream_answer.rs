//! Any bytes as the answer of an instance, cut in two places: never a panic, never a loop, and what is made of them does
//! not depend on the cuts.
//!
//! The codec is taken in as source: it needs nothing of the gateway, and the gateway needs no door for this.
#![no_main]
#![expect(dead_code, unused_imports, reason = "the target asks for less of the codec than the gateway does")]

#[path = "../../crates/mesh-gateway/src"]
mod gateway {
    pub(crate) mod http1;
}

use bytes::BytesMut;
use gateway::http1::{Chunked, Framing, Parser, Piece};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (bool, u16, u16, &[u8])| {
    let (is_head, first, second, bytes) = input;
    let whole = read(&[bytes], is_head);
    let (left, right) = bytes.split_at(usize::from(first).min(bytes.len()));
    let (middle, right) = right.split_at(usize::from(second).min(right.len()));
    assert_eq!(whole, read(&[left, middle, right], is_head));
});

/// Status, body and whether it ended; none: no answer, or a malformed one.
fn read(parts: &[&[u8]], is_head: bool) -> Option<(u16, Vec<u8>, bool)> {
    let (mut parser, mut chunked) = (Parser::new(is_head, false), Chunked::new());
    let (mut buffer, mut head, mut body, mut has_ended) = (BytesMut::new(), None, Vec::new(), false);
    for part in parts {
        buffer.extend_from_slice(part);
        if head.is_none() {
            head = parser.parse(&mut buffer).ok()?;
        }
        let Some(head) = &head else { continue };
        match head.framing {
            Framing::Length(length) => {
                let left = usize::try_from(length).unwrap_or(usize::MAX) - body.len();
                body.extend_from_slice(&buffer.split_to(left.min(buffer.len())));
                has_ended = body.len() as u64 == length;
            }
            Framing::UntilClose => body.extend_from_slice(&buffer.split()),
            Framing::Chunked => loop {
                match chunked.next(&mut buffer).ok()? {
                    Piece::Data(data) => {
                        assert!(!data.is_empty());
                        body.extend_from_slice(&data);
                    }
                    Piece::End(_) => {
                        has_ended = true;
                        break;
                    }
                    Piece::Wait => break,
                }
            },
        }
    }
    Some((head?.status.as_u16(), body, has_ended))
}
