//! HTTP by hand: what is sent is exactly what stands here, what came is exactly what is read.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
};

use crate::house::PATIENCE;

/// An answer as it came.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Whether the body came whole, by its own framing.
    pub is_whole: bool,
}

impl Answer {
    /// All values of a header, in order.
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect()
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// The `code` of a refusal.
    #[track_caller]
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// Sends a whole request on a connection of its own: `head` without the final blank line and without `Host`.
pub fn request(address: &str, head: &str, body: &[u8]) -> std::io::Result<Answer> {
    let mut bytes = format!("{head}\r\nHost: mesh.example\r\nConnection: close\r\n").into_bytes();
    if !body.is_empty() {
        bytes.extend(format!("Content-Length: {}\r\n", body.len()).bytes());
    }
    bytes.extend(b"\r\n");
    bytes.extend(body);
    raw(address, &bytes, head.starts_with("HEAD "))
}

/// `GET target`.
pub fn get(address: &str, target: &str) -> std::io::Result<Answer> {
    request(address, &format!("GET {target} HTTP/1.1"), b"")
}

/// Sends bytes as they are and reads one answer.
pub fn raw(address: &str, bytes: &[u8], is_head: bool) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(bytes)?;
    read(&mut BufReader::new(stream), is_head)
}

/// Reads one answer.
pub fn read(reader: &mut BufReader<TcpStream>, is_head: bool) -> std::io::Result<Answer> {
    let broken = |what: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, what.to_owned());
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status =
        line.split(' ').nth(1).and_then(|word| word.parse().ok()).ok_or_else(|| broken("no status line"))?;
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        if line.trim_end().is_empty() {
            break;
        }
        let (name, value) = line.trim_end().split_once(':').ok_or_else(|| broken("no header"))?;
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut answer = Answer { status, headers, body: Vec::new(), is_whole: true };
    if is_head || matches!(status, 204 | 304) {
        return Ok(answer);
    }
    if let Some(length) = answer.values("content-length").first().and_then(|text| text.parse::<u64>().ok()) {
        reader.take(length).read_to_end(&mut answer.body)?;
        answer.is_whole = answer.body.len() as u64 == length;
    } else if answer.values("transfer-encoding") == ["chunked"] {
        answer.is_whole = read_chunks(reader, &mut answer.body).is_ok();
    } else {
        reader.read_to_end(&mut answer.body)?;
    }
    Ok(answer)
}

fn read_chunks(reader: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> std::io::Result<()> {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let size = u64::from_str_radix(line.trim_end(), 16)
            .map_err(|_| std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "no chunk size"))?;
        let mut chunk = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
        reader.read_exact(&mut chunk)?;
        body.extend(chunk);
        line.clear();
        reader.read_line(&mut line)?;
        if size == 0 {
            return Ok(());
        }
    }
}
