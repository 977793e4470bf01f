//! The bytes that go to and fro: both ends agree on them here.

/// What the backend answers with, and the load expects.
pub(crate) const ANSWER: [u8; 200] = [b'a'; 200];

/// The body of a request.
pub(crate) fn body(bytes: usize) -> Vec<u8> {
    (b'a'..=b'z').cycle().take(bytes).collect()
}

/// A whole request: GET, or POST of so many bytes.
pub(crate) fn request(host: &str, path: &str, post: Option<usize>) -> Vec<u8> {
    let Some(bytes) = post else {
        return format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n").into_bytes();
    };
    let mut request = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\nContent-Type: text/plain\r\nContent-Length: {bytes}\r\n\r\n"
    )
    .into_bytes();
    request.extend_from_slice(&body(bytes));
    request
}
