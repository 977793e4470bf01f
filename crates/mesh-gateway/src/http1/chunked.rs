//! Takes chunks apart (RFC 9112 §7.1), however they are cut.
//!
//! Refuses sizes that are not 1 to 16 hex digits, lines that do not end in CRLF, and extensions or trailers without end.

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::Malformed;

/// What extensions may measure, over a whole body.
const MAX_EXTENSIONS: usize = 16 * 1024;
/// What trailers may measure.
const MAX_TRAILERS: usize = 16 * 1024;
/// How many trailers there may be.
const MAX_TRAILER_LINES: usize = 64;

/// Where in a chunked body the next byte stands.
#[derive(Debug)]
pub(crate) struct Chunked {
    state: State,
    extensions: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In a chunk's size: its value and how many digits it has had.
    Size(u64, u32),
    /// In the space behind the size.
    Space(u64),
    /// In an extension, up to CR.
    Extension(u64),
    /// Before the LF of the size's line.
    SizeEnd(u64),
    /// In the data: what is left of it.
    Data(u64),
    /// Before the CR, then the LF, behind the data.
    DataCr,
    DataLf,
    Trailers,
    Done,
}

/// The next part of a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Data(Bytes),
    /// The end; the trailers that came.
    End(Option<HeaderMap>),
    /// More bytes are needed.
    Wait,
}

impl Chunked {
    pub(crate) const fn new() -> Self {
        Self { state: State::Size(0, 0), extensions: 0 }
    }

    /// Takes the next piece off the front of `buffer`.
    pub(crate) fn next(&mut self, buffer: &mut BytesMut) -> Result<Piece, Malformed> {
        loop {
            match self.state {
                State::Data(left) => {
                    if buffer.is_empty() {
                        return Ok(Piece::Wait);
                    }
                    let length = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
                    let data = buffer.split_to(length).freeze();
                    let left = left - length as u64;
                    self.state = if left == 0 { State::DataCr } else { State::Data(left) };
                    return Ok(Piece::Data(data));
                }
                State::Trailers => return self.trailers(buffer),
                State::Done => return Ok(Piece::End(None)),
                _ => {
                    let Some(byte) = buffer.first().copied() else { return Ok(Piece::Wait) };
                    buffer.advance(1);
                    self.state = self.after(byte)?;
                }
            }
        }
    }

    /// The state after a byte that is no data and no trailer.
    fn after(&mut self, byte: u8) -> Result<State, Malformed> {
        match (self.state, byte) {
            (State::Size(size, digits), _) if byte.is_ascii_hexdigit() => {
                if digits == 16 {
                    return Err(Malformed::Chunk);
                }
                let digit = char::from(byte).to_digit(16).ok_or(Malformed::Chunk)?;
                Ok(State::Size((size << 4) | u64::from(digit), digits + 1))
            }
            (State::Size(_, 0), _) => Err(Malformed::Chunk),
            (State::Size(size, _) | State::Space(size) | State::Extension(size), b'\r') => {
                Ok(State::SizeEnd(size))
            }
            (State::Size(size, _) | State::Space(size), b' ' | b'\t') => self.extended(State::Space(size)),
            (State::Size(size, _) | State::Space(size), b';') => self.extended(State::Extension(size)),
            (State::Extension(size), _) if byte != b'\n' => self.extended(State::Extension(size)),
            (State::SizeEnd(0), b'\n') => Ok(State::Trailers),
            (State::SizeEnd(size), b'\n') => Ok(State::Data(size)),
            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataLf, b'\n') => Ok(State::Size(0, 0)),
            _ => Err(Malformed::Chunk),
        }
    }

    /// `state`, which holds one more byte that is no size.
    const fn extended(&mut self, state: State) -> Result<State, Malformed> {
        self.extensions += 1;
        if self.extensions > MAX_EXTENSIONS { Err(Malformed::Chunk) } else { Ok(state) }
    }

    fn trailers(&mut self, buffer: &mut BytesMut) -> Result<Piece, Malformed> {
        if buffer.starts_with(b"\r\n") {
            buffer.advance(2);
            self.state = State::Done;
            return Ok(Piece::End(None));
        }
        let mut lines = [httparse::EMPTY_HEADER; MAX_TRAILER_LINES];
        let parsed = match httparse::parse_headers(buffer, &mut lines) {
            Ok(httparse::Status::Complete((length, lines))) => Some((length, trailers(lines)?)),
            Ok(httparse::Status::Partial) => None,
            Err(_) => return Err(Malformed::Chunk),
        };
        match parsed {
            Some((length, _)) if length > MAX_TRAILERS || has_bare_lf(&buffer[..length]) => {
                Err(Malformed::Chunk)
            }
            Some((length, trailers)) => {
                buffer.advance(length);
                self.state = State::Done;
                Ok(Piece::End(Some(trailers)))
            }
            None if buffer.len() > MAX_TRAILERS => Err(Malformed::Chunk),
            None => Ok(Piece::Wait),
        }
    }
}

/// Whether a line ends without CR: where the trailers end would be a matter of taste.
fn has_bare_lf(bytes: &[u8]) -> bool {
    bytes.iter().enumerate().any(|(at, byte)| *byte == b'\n' && (at == 0 || bytes[at - 1] != b'\r'))
}

fn trailers(lines: &[httparse::Header<'_>]) -> Result<HeaderMap, Malformed> {
    let mut trailers = HeaderMap::with_capacity(lines.len());
    for line in lines {
        let name = HeaderName::from_bytes(line.name.as_bytes()).map_err(|_| Malformed::Chunk)?;
        let value = HeaderValue::from_bytes(line.value).map_err(|_| Malformed::Chunk)?;
        trailers.append(name, value);
    }
    Ok(trailers)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body, how many trailers it had, and what stands behind it.
    type Read = (Vec<u8>, usize, Vec<u8>);

    /// The body and what is left behind it, the bytes coming in slices of `step`.
    fn read(bytes: &[u8], step: usize) -> Result<Option<Read>, Malformed> {
        let mut chunked = Chunked::new();
        let mut buffer = BytesMut::new();
        let mut body = Vec::new();
        let mut slices = bytes.chunks(step);
        loop {
            match chunked.next(&mut buffer)? {
                Piece::Data(data) => body.extend_from_slice(&data),
                Piece::End(trailers) => {
                    slices.for_each(|slice| buffer.extend_from_slice(slice));
                    return Ok(Some((body, trailers.map_or(0, |trailers| trailers.len()), buffer.to_vec())));
                }
                Piece::Wait => match slices.next() {
                    Some(slice) => buffer.extend_from_slice(slice),
                    None => return Ok(None),
                },
            }
        }
    }

    #[track_caller]
    fn check(bytes: &str, expected: Result<Option<(&str, usize, &str)>, Malformed>) {
        let expected =
            expected.map(|some| some.map(|(body, trailers, rest)| (body.into(), trailers, rest.into())));
        for step in 1..=bytes.len().max(1) {
            assert_eq!(read(bytes.as_bytes(), step), expected, "{bytes:?} in slices of {step}");
        }
    }

    #[test]
    fn chunks_become_a_body_however_they_are_cut() {
        check("0\r\n\r\n", Ok(Some(("", 0, ""))));
        check("3\r\nabc\r\n0\r\n\r\n", Ok(Some(("abc", 0, ""))));
        check("3\r\nabc\r\n00A\r\n0123456789\r\n0\r\n\r\nHTTP", Ok(Some(("abc0123456789", 0, "HTTP"))));
        check("3;name=value; x\r\nabc\r\n0;y\r\n\r\n", Ok(Some(("abc", 0, ""))));
        check("3 \r\nabc\r\n0\r\n\r\n", Ok(Some(("abc", 0, ""))));
        check("3 \t;x\r\nabc\r\n0 ; y\r\n\r\n", Ok(Some(("abc", 0, ""))));
        check("1\r\na\r\n0\r\nX-A: 1\r\nX-B: 2\r\n\r\n", Ok(Some(("a", 2, ""))));
    }

    #[test]
    fn a_body_without_its_last_chunk_has_not_ended() {
        for bytes in ["", "3", "3\r\n", "3\r\nab", "3\r\nabc", "3\r\nabc\r\n", "0\r\n", "0\r\nX-A: 1\r\n"] {
            check(bytes, Ok(None));
        }
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        let refused = [
            "\r\n",
            "x\r\n",
            "0x1\r\na\r\n",
            "+1\r\na\r\n",
            "1_0\r\n",
            " 1\r\na\r\n",
            "-1\r\n",
            ";x\r\n",
            "11111111111111111\r\n",
            "3\nabc\r\n",
            "3\r\nabcd\r\n",
            "3\r\nabc\n",
            "3;\nabc",
            "3\r\nabc\r\r\n",
            "1these\r\na\r\n",
            "1 2\r\na\r\n",
            "1 x\r\na\r\n",
            "0\r\n\n",
            "0\r\nX: 1\n\r\n",
            "0\r\nX: 1\r\n\n",
            "0\r\n X: 1\r\n\r\n",
            "0\r\nX Y: 1\r\n\r\n",
        ];
        for bytes in refused {
            check(bytes, Err(Malformed::Chunk));
        }
    }

    #[test]
    fn extensions_and_trailers_have_an_end() {
        let long = "x".repeat(MAX_EXTENSIONS + 1);
        assert_eq!(read(format!("1;{long}\r\n").as_bytes(), 4096), Err(Malformed::Chunk));
        assert_eq!(read(format!("0\r\nX: {long}").as_bytes(), 4096), Err(Malformed::Chunk));
        let many = "1;abcdefg\r\na\r\n".repeat(MAX_EXTENSIONS / 7 + 1);
        assert_eq!(read(many.as_bytes(), 4096), Err(Malformed::Chunk));
        let lines = "X: 1\r\n".repeat(MAX_TRAILER_LINES + 1);
        assert_eq!(read(format!("0\r\n{lines}\r\n").as_bytes(), 4096), Err(Malformed::Chunk));
    }
}
