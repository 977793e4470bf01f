//! Writes a request's head as bytes (RFC 9112 §3).
//!
//! Nothing is checked here: what goes in was checked as a target, a header name or a header value before.

/// What most heads fit in.
pub(crate) const HEAD_BYTES: usize = 1024;

/// Writes the request line. `target` is the target as it is signed.
pub(crate) fn write_request_line(out: &mut Vec<u8>, method: &str, target: &str) {
    for part in [method, " ", target, " HTTP/1.1\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
}

/// Writes one header line.
pub(crate) fn write_line(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}
