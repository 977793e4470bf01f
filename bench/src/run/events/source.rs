//! A service that streams events, each of which says when it was sent.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::clock;
use crate::payload::ANSWER;

/// In each stream.
pub(super) const PER_STREAM: usize = 100;

/// Between two of them.
const PAUSE: Duration = Duration::from_millis(10);

/// Starts one, for as long as this process lives. Events say how many nanoseconds after `begun` they were sent. Whoever
/// does not ask for events gets another answer.
pub(super) fn source(begun: Instant) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Who goes, or asks for what is no request, ends its own connection.
            thread::spawn(move || serve(&stream, begun));
        }
    });
    Ok(address)
}

fn serve(stream: &TcpStream, begun: Instant) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream).lines();
    while let Some(wants_events) = next_request(&mut lines)? {
        if wants_events {
            send_events(stream, begun)?;
        } else {
            let mut answer =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", ANSWER.len()).into_bytes();
            answer.extend_from_slice(&ANSWER);
            (&*stream).write_all(&answer)?;
        }
    }
    Ok(())
}

/// Whether the next request, which has no body, is for events; none: there is none.
fn next_request(lines: &mut impl Iterator<Item = std::io::Result<String>>) -> std::io::Result<Option<bool>> {
    let mut wants_events = false;
    for line in lines {
        let line = line?;
        if line.is_empty() {
            return Ok(Some(wants_events));
        }
        wants_events |= line.to_ascii_lowercase().starts_with("accept: text/event-stream");
    }
    Ok(None)
}

/// The head goes out with the first event: its first byte is the event's.
fn send_events(mut stream: &TcpStream, begun: Instant) -> std::io::Result<()> {
    let mut bytes =
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..PER_STREAM {
        let event = format!("data: {}\n\n", (clock::now() - begun).as_nanos());
        write!(bytes, "{:x}\r\n{event}\r\n", event.len())?;
        stream.write_all(&bytes)?;
        bytes.clear();
        clock::pause(PAUSE);
    }
    stream.write_all(b"0\r\n\r\n")
}
