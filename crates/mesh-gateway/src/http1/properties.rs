//! What holds for every answer: it means the same however it is cut, and no bytes make the codec panic or loop.

use bytes::BytesMut;
use http::{HeaderMap, StatusCode};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
};

use super::{Chunked, Framing, Malformed, Parser, Piece};

/// What was made of an answer.
#[derive(Debug, Default, PartialEq)]
struct Read {
    head: Option<(StatusCode, HeaderMap, Framing, bool)>,
    body: Vec<u8>,
    trailers: Option<HeaderMap>,
    /// Whether the body had its end.
    has_ended: bool,
    error: Option<Malformed>,
    /// What stands behind the end.
    left: Vec<u8>,
}

/// Reads an answer that comes in these parts.
fn read(parts: &[&[u8]], is_head: bool) -> Read {
    let mut read = Read::default();
    let mut parser = Parser::new(is_head, false);
    let mut chunked = Chunked::new();
    let mut buffer = BytesMut::new();
    for part in parts {
        buffer.extend_from_slice(part);
        if read.error.is_some() || read.has_ended {
            continue;
        }
        read.error = step(&mut read, &mut parser, &mut chunked, &mut buffer).err();
    }
    if read.error.is_some() {
        // Where an error is noticed depends on the cuts.
        buffer.clear();
    }
    read.left = buffer.to_vec();
    read
}

fn step(
    read: &mut Read,
    parser: &mut Parser,
    chunked: &mut Chunked,
    buffer: &mut BytesMut,
) -> Result<(), Malformed> {
    if read.head.is_none() {
        let Some(head) = parser.parse(buffer)? else { return Ok(()) };
        read.head = Some((head.status, head.headers, head.framing, head.stays_open));
    }
    let framing = read.head.as_ref().map(|(_, _, framing, _)| *framing);
    match framing {
        Some(Framing::Length(length)) => {
            let left = usize::try_from(length).unwrap_or(usize::MAX) - read.body.len();
            read.body.extend_from_slice(&buffer.split_to(left.min(buffer.len())));
            read.has_ended = read.body.len() as u64 == length;
        }
        Some(Framing::UntilClose) => read.body.extend_from_slice(&buffer.split()),
        Some(Framing::Chunked) => loop {
            match chunked.next(buffer)? {
                Piece::Data(data) => {
                    assert!(!data.is_empty(), "a piece that is none would be asked for without end");
                    read.body.extend_from_slice(&data);
                }
                Piece::End(trailers) => {
                    (read.trailers, read.has_ended) = (trailers, true);
                    break;
                }
                Piece::Wait => break,
            }
        },
        None => {}
    }
    Ok(())
}

fn cut<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.sort_unstable();
    let mut parts = Vec::new();
    let mut from = 0;
    for place in places.into_iter().chain([bytes.len()]) {
        parts.push(&bytes[from..place]);
        from = place;
    }
    parts
}

/// A chunked body in the given pieces.
fn chunks(pieces: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
        bytes.extend_from_slice(format!("{:x};a\r\n", piece.len()).as_bytes());
        bytes.extend_from_slice(piece);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\nX-Sum: 1\r\n\r\n");
    bytes
}

/// Answers as servers send them: interim ones, lines, a body in one of the framings, something behind it.
fn answers() -> impl Strategy<Value = Vec<u8>> {
    let status = prop_oneof![Just(200), Just(204), Just(304), Just(404), Just(500), 100..700_u16];
    let lines = vec(("[A-Za-z-]{1,12}", "[ -~]{0,20}"), 0..6);
    let pieces = vec(vec(any::<u8>(), 0..40), 0..5);
    (0..3_usize, status, lines, pieces, 0..3_u8, "[ -~\r\n]{0,12}").prop_map(
        |(interim, status, lines, pieces, framing, behind)| {
            let mut bytes = b"HTTP/1.1 103 X\r\nLink: a\r\n\r\n".repeat(interim);
            bytes.extend_from_slice(format!("HTTP/1.1 {status} X\r\n").as_bytes());
            for (name, value) in lines {
                bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
            }
            let body = pieces.concat();
            let (line, body) = match framing {
                0 => (format!("Content-Length: {}\r\n", body.len()), body),
                1 => ("Transfer-Encoding: chunked\r\n".to_owned(), chunks(&pieces)),
                _ => (String::new(), body),
            };
            bytes.extend_from_slice(line.as_bytes());
            bytes.extend_from_slice(b"\r\n");
            bytes.extend_from_slice(&body);
            bytes.extend_from_slice(behind.as_bytes());
            bytes
        },
    )
}

/// Bytes that look like an answer in places.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.0 103 X\n\n",
        "HTTP/1.1 101 X\r\n\r\n",
        "Content-Length: 3\r\n",
        "Transfer-Encoding: chunked\r\n",
        "\r\n",
        "\n",
        "3;x\r\nabc\r\n",
        "0\r\n",
        "fffffffffffffff",
    ];
    let word = select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec());
    vec(prop_oneof![3 => word, 1 => vec(any::<u8>(), 0..6)], 0..14).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn an_answer_means_the_same_however_it_is_cut(
        bytes in prop_oneof![answers(), noise()],
        cuts in vec(any::<Index>(), 0..12),
        is_head: bool,
    ) {
        // Whether a malformed head is noticed before its end depends on the cuts: here every head has one.
        let bytes = [bytes.as_slice(), b"\r\n\r\n"].concat();
        let whole = read(&[&bytes], is_head);
        let cut = read(&cut(&bytes, &cuts), is_head);
        let single: Vec<_> = bytes.chunks(1).collect();
        prop_assert_eq!(&whole, &cut);
        prop_assert_eq!(&whole, &read(&single, is_head));
    }

    #[test]
    fn any_bytes_end_in_an_answer_or_an_error(bytes in vec(any::<u8>(), 0..400), cuts in vec(any::<Index>(), 0..8)) {
        let behind_a_head = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", bytes.as_slice()].concat();
        for bytes in [bytes, behind_a_head] {
            let read = read(&cut(&bytes, &cuts), false);
            prop_assert!(read.body.len() + read.left.len() <= bytes.len());
        }
    }
}
