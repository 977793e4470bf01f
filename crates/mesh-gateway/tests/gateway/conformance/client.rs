//! A client that reads an answer by its framing, and notices where it broke off.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::support::PATIENCE;

/// What a client saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    /// Without its chunks.
    pub(super) body: Vec<u8>,
    /// Whether the answer had its end.
    pub(super) is_whole: bool,
    /// Whether the connection can be used again.
    pub(super) may_go_on: bool,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// One request without a body, and what came back.
pub(super) async fn ask(stream: &mut TcpStream, method: &str, target: &str) -> Seen {
    stream.write_all(format!("{method} {target} HTTP/1.1\r\nHost: street\r\n\r\n").as_bytes()).await.unwrap();
    timeout(PATIENCE, read(stream, method == "HEAD"))
        .await
        .unwrap_or_else(|_| panic!("no answer to {target}"))
}

/// One answer from the stream.
pub(super) async fn read(stream: &mut TcpStream, is_head: bool) -> Seen {
    let mut bytes = Vec::new();
    let head_ends = loop {
        if let Some(at) = position(&bytes, b"\r\n\r\n") {
            break at;
        }
        if more(stream, &mut bytes).await.is_none() {
            panic!("no head in {:?}", String::from_utf8_lossy(&bytes));
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_ends]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<_> = lines
        .map(|line| line.split_once(": ").unwrap_or_else(|| line.split_once(':').unwrap()))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut seen = Seen { status, headers, ..Seen::default() };
    bytes.drain(..head_ends + 4);
    let closes = seen.header("connection").contains(&"close");
    let length = seen.header("content-length").first().map(|length| length.parse::<usize>().unwrap());
    if is_head || matches!(status, 204 | 304) {
        seen.is_whole = bytes.is_empty();
    } else if seen.header("transfer-encoding") == ["chunked"] {
        seen.is_whole = chunks(stream, &mut bytes, &mut seen.body).await.is_some() && bytes.is_empty();
    } else if let Some(length) = length {
        while bytes.len() < length && more(stream, &mut bytes).await.is_some() {}
        seen.is_whole = bytes.len() == length;
        seen.body = bytes;
    } else {
        while more(stream, &mut bytes).await.is_some() {}
        (seen.is_whole, seen.body) = (true, bytes);
        return seen;
    }
    seen.may_go_on = seen.is_whole && !closes;
    seen
}

/// Takes chunks off `bytes` and the stream; none: the stream ended before the last one.
async fn chunks(stream: &mut TcpStream, bytes: &mut Vec<u8>, body: &mut Vec<u8>) -> Option<()> {
    loop {
        let line = loop {
            match position(bytes, b"\r\n") {
                Some(at) => break at,
                None => more(stream, bytes).await?,
            }
        };
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..line]).unwrap(), 16).unwrap();
        bytes.drain(..line + 2);
        while bytes.len() < size + 2 {
            let had = bytes.len().min(size);
            if more(stream, bytes).await.is_none() {
                body.extend_from_slice(&bytes[..had]);
                return None;
            }
        }
        body.extend_from_slice(&bytes[..size]);
        bytes.drain(..size + 2);
        if size == 0 {
            return Some(());
        }
    }
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    match stream.read_buf(bytes).await {
        Ok(read) if read > 0 => Some(()),
        _ => None,
    }
}

fn position(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
