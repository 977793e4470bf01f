//! Bodies that no memory should hold: a service that sends and takes them, and clients for both ways. Blocking, on threads.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::load::head;
use crate::run::gateway::PLAIN;

/// The longest that one side may wait for the other.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is written or read at once.
const PIECE: usize = 64 * 1024;

/// A service whose answers to [`PLAIN`] are large; it ends with the process.
#[derive(Debug)]
pub(super) struct Bulk {
    /// Where it listens.
    pub(super) address: SocketAddr,
}

impl Bulk {
    /// Starts it; large answers have so many bytes.
    pub(super) fn start(bytes: u64) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A connection that breaks is its other side's to tell.
                thread::spawn(move || drop(serve(stream, bytes)));
            }
        });
        Ok(Self { address })
    }
}

fn serve(mut stream: TcpStream, bytes: u64) -> anyhow::Result<()> {
    while let Some((head, mut rest)) = read_head(&mut stream)? {
        let head = String::from_utf8_lossy(&head).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(Ok(0), |length| length.trim().parse::<u64>())?;
        rest = rest.min(length);
        skip(&mut stream, length - rest)?;
        let is_large = head.starts_with(&format!("get {PLAIN} "));
        let body = if is_large { bytes } else { 2 };
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {body}\r\n\r\n")?;
        send(&mut stream, body)?;
    }
    Ok(())
}

/// A head, and how many bytes of what follows came with it; none: the other side has ended.
fn read_head(stream: &mut TcpStream) -> anyhow::Result<Option<(Vec<u8>, u64)>> {
    let (mut bytes, mut piece) = (Vec::new(), vec![0; PIECE]);
    loop {
        let read = stream.read(&mut piece)?;
        if read == 0 {
            return Ok(None);
        }
        bytes.extend_from_slice(&piece[..read]);
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = (bytes.len() - end - 4) as u64;
            bytes.truncate(end + 4);
            return Ok(Some((bytes, rest)));
        }
    }
}

fn skip(stream: &mut TcpStream, mut bytes: u64) -> anyhow::Result<()> {
    let mut piece = vec![0; PIECE];
    while bytes > 0 {
        let most = usize::try_from(bytes).unwrap_or(usize::MAX).min(PIECE);
        let read = stream.read(&mut piece[..most])?;
        ensure!(read > 0, "the connection ended {bytes} bytes early");
        bytes -= read as u64;
    }
    Ok(())
}

fn send(stream: &mut TcpStream, mut bytes: u64) -> std::io::Result<()> {
    let piece = vec![b'x'; PIECE];
    while bytes > 0 {
        let most = usize::try_from(bytes).unwrap_or(usize::MAX).min(PIECE);
        stream.write_all(&piece[..most])?;
        bytes -= most as u64;
    }
    Ok(())
}

fn connect(gateway: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&gateway, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Takes a large answer to its end.
///
/// # Errors
///
/// When it is another than it should be.
pub(super) fn download(gateway: SocketAddr, bytes: u64) -> anyhow::Result<()> {
    let mut stream = connect(gateway)?;
    write!(stream, "GET {PLAIN} HTTP/1.1\r\nHost: {gateway}\r\n\r\n")?;
    let (first, rest) = read_head(&mut stream)?.context("no answer")?;
    let first = String::from_utf8_lossy(&first).to_lowercase();
    ensure!(first.starts_with("http/1.1 200 "), "answered with {first}");
    ensure!(first.contains(&format!("content-length: {bytes}\r\n")), "another length: {first}");
    skip(&mut stream, bytes - rest)
}

/// Sends a large body and expects this status; one that is refused may be cut off.
///
/// # Errors
///
/// When the answer is another one.
pub(super) fn upload(gateway: SocketAddr, bytes: u64, status: u16) -> anyhow::Result<()> {
    let mut stream = connect(gateway)?;
    write!(stream, "POST {PLAIN} HTTP/1.1\r\nHost: {gateway}\r\nContent-Length: {bytes}\r\n\r\n")?;
    match send(&mut stream, bytes) {
        Ok(()) => {}
        Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {}
        Err(error) => return Err(error.into()),
    }
    let mut answer = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).context("no answer")?;
        ensure!(read > 0, "the connection ended without an answer");
        answer.extend_from_slice(&piece[..read]);
        if let Some(head) = head(&answer).ok().context("no answer with a Content-Length")? {
            ensure!(head.status == status, "answered with {} and not {status}", head.status);
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_of_large_bodies_sends_and_takes_them_whole() {
        let bulk = Bulk::start(1_000_000).unwrap();
        download(bulk.address, 1_000_000).unwrap();
        assert!(download(bulk.address, 1_000_001).is_err());
        upload(bulk.address, 3_000_000, 200).unwrap();
        assert!(upload(bulk.address, 10, 413).is_err());
    }
}
