//! Correctness first: what is fast and wrong is not measured.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, ensure};

use super::gateway::{CHECKED, Gateway, PLAIN};
use super::proxy::Proxy;
use crate::load::head;
use crate::payload::{ANSWER, request};

/// The longest that one answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// Its status.
    pub(super) status: u16,
    /// Its body.
    pub(super) body: Vec<u8>,
}

/// GET and POST through the gateway, to the backend that checks and to the one that does not.
///
/// # Errors
///
/// Names the first answer that is wrong. That the checking backend takes anything is wrong as well.
pub(super) fn gateway(gateway: &Gateway, checking: SocketAddr) -> anyhow::Result<()> {
    let unsigned = exchange(checking, &request("backend", CHECKED, None))?;
    ensure!(
        unsigned.status == 401,
        "the checking backend answered an unsigned request with {}",
        unsigned.status
    );
    passes_on(gateway.address(), CHECKED)?;
    passes_on(gateway.address(), PLAIN)
}

/// GET and POST of 1 KiB come back as the backend answers them.
///
/// # Errors
///
/// Names the first answer that is wrong.
pub(super) fn passes_on(proxy: SocketAddr, path: &str) -> anyhow::Result<()> {
    for post in [None, Some(1024)] {
        let method = if post.is_some() { "POST" } else { "GET" };
        let answer = exchange(proxy, &request(&proxy.to_string(), path, post))
            .with_context(|| format!("{method} {path} was not answered"))?;
        let text = String::from_utf8_lossy(&answer.body);
        ensure!(answer.status == 200, "{method} {path} was answered with {}: {text}", answer.status);
        ensure!(answer.body == ANSWER, "{method} {path} was answered with another body: {text}");
    }
    Ok(())
}

/// Sends one request over a connection of its own.
///
/// # Errors
///
/// When no whole answer comes back.
pub(super) fn exchange(target: SocketAddr, request: &[u8]) -> anyhow::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&target, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
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
