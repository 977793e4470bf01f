//! The bytes that go to and fro: both ends agree on them here.

/// What the backend answers with, and the load expects.
pub(crate) const ANSWER: [u8; 200] = [b'a'; 200];

/// What it answers with under a path that begins with [`LARGE_PATH`].
pub(crate) static LARGE_ANSWER: [u8; LARGE_LENGTH] = [b'a'; LARGE_LENGTH];

/// Of that answer, in bytes.
pub(crate) const LARGE_LENGTH: usize = 64 * 1024;

/// The paths with large answers.
pub(crate) const LARGE_PATH: &str = "/api/large";

/// The body of a request.
pub(crate) fn body(bytes: usize) -> Vec<u8> {
    (b'a'..=b'z').cycle().take(bytes).collect()
}

/// A whole request: GET, or POST of so many bytes.
pub(crate) fn request(host: &str, path: &str, post: Option<usize>) -> Vec<u8> {
    let Some(bytes) = post else {
        return format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n").into_bytes();
    };
    let mut request = posted(host, path, &format!("Content-Length: {bytes}"));
    request.extend_from_slice(&body(bytes));
    request
}

/// A POST whose body has no length beforehand: so many chunks of so many bytes.
pub(crate) fn chunked_request(host: &str, path: &str, chunks: usize, bytes: usize) -> Vec<u8> {
    let mut request = posted(host, path, "Transfer-Encoding: chunked");
    for _ in 0..chunks {
        request.extend_from_slice(format!("{bytes:x}\r\n").as_bytes());
        request.extend_from_slice(&body(bytes));
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"0\r\n\r\n");
    request
}

fn posted(host: &str, path: &str, framing: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\nContent-Type: text/plain\r\n{framing}\r\n\r\n"
    )
    .into_bytes()
}
