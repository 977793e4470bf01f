//! The bytes of a refusal on a connection whose request never became one.

use mesh_core::error::Code;

/// How much of a head is kept to see what was wrong with it.
const KEPT: usize = 256;

/// The beginning of a request's head.
#[derive(Debug)]
pub(super) struct FirstBytes {
    bytes: [u8; KEPT],
    length: usize,
}

impl Default for FirstBytes {
    fn default() -> Self {
        Self { bytes: [0; KEPT], length: 0 }
    }
}

impl FirstBytes {
    /// Keeps the beginning of `read`.
    pub(super) fn keep(&mut self, read: &[u8]) {
        self.length = read.len().min(KEPT);
        self.bytes[..self.length].copy_from_slice(&read[..self.length]);
    }

    /// Whether the request line has a target with a byte that no target has.
    fn has_odd_target(&self) -> bool {
        let line = self.bytes[..self.length].split(|byte| matches!(byte, b'\r' | b'\n')).next();
        let Some(target) = line.and_then(|line| line.split(|byte| *byte == b' ').nth(1)) else {
            return false;
        };
        target.iter().any(|byte| !byte.is_ascii_graphic() || matches!(byte, b'<' | b'>' | b'`' | b'^'))
    }
}

/// The code and the bytes for a head that was refused with `status` by the parser.
pub(super) fn refusal(status: u16, first_bytes: &FirstBytes) -> (Code, Vec<u8>) {
    let (code, reason, text) = match status {
        408 => (Code::RequestTimeout, "408 Request Timeout", "the request did not come in time"),
        414 => (Code::UriTooLong, "414 URI Too Long", "the request target is longer than 8 KiB"),
        431 => (
            Code::HeadersTooLarge,
            "431 Request Header Fields Too Large",
            "the request has too many or too large headers",
        ),
        _ if first_bytes.has_odd_target() => {
            (Code::PathNotCanonical, "400 Bad Request", "the target has a forbidden character")
        }
        _ => (Code::BadFraming, "400 Bad Request", "the request is malformed"),
    };
    let body = serde_json::json!({ "error": text, "code": code.as_str() }).to_string();
    let head = format!(
        "HTTP/1.1 {reason}\r\ncontent-type: application/json\r\ncache-control: no-store\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    (code, [head, body].concat().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, head: &[u8], expected: Code) {
        let mut first_bytes = FirstBytes::default();
        first_bytes.keep(head);
        let (code, bytes) = refusal(status, &first_bytes);
        assert_eq!(code, expected);
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{text}");
        assert!(
            text.ends_with(&format!("\"code\":\"{expected}\",\"error\":\"{}\"}}", error_of(&text))),
            "{text}"
        );
    }

    fn error_of(text: &str) -> &str {
        text.rsplit("\"error\":\"").next().and_then(|rest| rest.strip_suffix("\"}")).unwrap_or_default()
    }

    #[test]
    fn a_parser_s_refusal_has_a_code() {
        check(431, b"GET / HTTP/1.1\r\n", Code::HeadersTooLarge);
        check(414, b"GET /", Code::UriTooLong);
        check(408, b"GET /", Code::RequestTimeout);
        check(400, b"GET / HTTP/1.1\r\nHost : a\r\n", Code::BadFraming);
        check(400, b"GET /a\xc3\xbc HTTP/1.1\r\n", Code::PathNotCanonical);
        check(400, b"GET /a<b HTTP/1.1\r\n", Code::PathNotCanonical);
    }
}
