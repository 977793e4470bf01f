//! One request and its answer, blocking: for what is not measured.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::load::head;

/// The longest that one answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: u16,
    /// Its body.
    pub(crate) body: Vec<u8>,
}

/// A connection for [`ask`].
///
/// # Errors
///
/// When the target does not accept.
pub(crate) fn connect(target: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&target, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Sends one request over a connection of its own.
///
/// # Errors
///
/// When no whole answer comes back.
pub(crate) fn exchange(target: SocketAddr, request: &[u8]) -> anyhow::Result<Answer> {
    ask(&mut connect(target)?, request)
}

/// Sends one request over a connection that is kept.
///
/// # Errors
///
/// When no whole answer comes back.
pub(crate) fn ask(stream: &mut TcpStream, request: &[u8]) -> anyhow::Result<Answer> {
    stream.write_all(request)?;
    let (mut bytes, mut scratch) = (Vec::new(), [0; 4096]);
    loop {
        let length = stream.read(&mut scratch)?;
        ensure!(length > 0, "the connection ended after {} bytes of an answer", bytes.len());
        bytes.extend_from_slice(&scratch[..length]);
        let head = head(&bytes).ok().context("no answer with a Content-Length")?;
        if let Some(head) = head
            && let Some(body) = bytes.get(head.length..head.length + head.body)
        {
            return Ok(Answer { status: head.status, body: body.to_vec() });
        }
    }
}
