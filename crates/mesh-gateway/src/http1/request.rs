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

/// Writes one header line whose value is a number.
pub(crate) fn write_number_line(out: &mut Vec<u8>, name: &str, number: u64) {
    write_line(out, name, itoa::Buffer::new().format(number).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_in_decimal() {
        for number in [0, 9, 10, 1_234_567_890, u64::MAX] {
            let mut out = Vec::new();
            write_number_line(&mut out, "a", number);
            assert_eq!(String::from_utf8(out).unwrap(), format!("a: {number}\r\n"));
        }
    }
}
