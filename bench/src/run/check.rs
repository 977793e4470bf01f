//! Correctness first: what is fast and wrong is not measured.

use std::net::SocketAddr;

use anyhow::{Context, ensure};

use super::gateway::{CHECKED, PLAIN};
use crate::exchange::exchange;
use crate::payload::{ANSWER, LARGE_ANSWER, LARGE_PATH, chunked_request, request};

/// A body that no proxy holds in one buffer.
const LARGE_BODY: usize = 200_000;

/// That the checking backend takes nothing that is not signed.
///
/// # Errors
///
/// When it does.
pub(super) fn backend_checks(checking: SocketAddr) -> anyhow::Result<()> {
    let unsigned = exchange(checking, &request("backend", CHECKED, None))?;
    let status = unsigned.status;
    ensure!(status == 401, "the checking backend answered an unsigned request with {status}");
    Ok(())
}

/// GET, POST of 1 KiB and of 200 KB come back as the backend answers them; large answers are whole.
///
/// # Errors
///
/// Names the first answer that is wrong.
pub(super) fn passes_on(proxy: SocketAddr) -> anyhow::Result<()> {
    exchanges(proxy, PLAIN)?;
    expect("GET of 64 KiB", proxy, &request(&proxy.to_string(), LARGE_PATH, None), &LARGE_ANSWER)
}

/// The same, and a POST in chunks, through the backend that checks signatures: the proxy signs what it passes on.
///
/// # Errors
///
/// Names the first answer that is wrong.
pub(super) fn signs(proxy: SocketAddr) -> anyhow::Result<()> {
    exchanges(proxy, CHECKED)?;
    let chunked = chunked_request(&proxy.to_string(), CHECKED, 5, 1000);
    expect("POST in chunks", proxy, &chunked, &ANSWER)
}

fn exchanges(proxy: SocketAddr, path: &str) -> anyhow::Result<()> {
    let host = proxy.to_string();
    for (what, request) in [
        ("GET", request(&host, path, None)),
        ("POST of 1 KiB", request(&host, path, Some(1024))),
        ("POST of 200 KB", request(&host, path, Some(LARGE_BODY))),
    ] {
        expect(&format!("{what} {path}"), proxy, &request, &ANSWER)?;
    }
    Ok(())
}

fn expect(what: &str, proxy: SocketAddr, request: &[u8], body: &[u8]) -> anyhow::Result<()> {
    let answer = exchange(proxy, request).with_context(|| format!("{what} was not answered"))?;
    let text = String::from_utf8_lossy(&answer.body[..answer.body.len().min(500)]);
    ensure!(answer.status == 200, "{what} was answered with {}: {text}", answer.status);
    ensure!(answer.body == body, "{what} was answered with another body: {text}");
    Ok(())
}
