//! Plain HTTP without a signature: one request on a connection of its own, bounded in time and size.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, header::HOST};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

const PATIENCE: Duration = Duration::from_secs(5);
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// Sends `request`, whose URI is a path, to `authority` (`host:port`).
///
/// # Errors
///
/// When nothing answers within 5 s, or the answer breaks off.
pub(crate) async fn send(authority: &str, request: Request<Full<Bytes>>) -> anyhow::Result<Response<Bytes>> {
    match tokio::time::timeout(PATIENCE, exchange(authority, request)).await {
        Ok(answer) => answer,
        Err(_) => anyhow::bail!("no answer within {} s", PATIENCE.as_secs()),
    }
}

async fn exchange(authority: &str, mut request: Request<Full<Bytes>>) -> anyhow::Result<Response<Bytes>> {
    let has_port = authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    let address = if has_port { authority.to_owned() } else { format!("{authority}:80") };
    let stream = TcpStream::connect(&address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    request.headers_mut().insert(HOST, authority.parse()?);
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = Limited::new(body, MAX_ANSWER).collect().await;
    connection.abort();
    let body = body.map_err(|error| anyhow::anyhow!("the answer broke off: {error}"))?;
    Ok(Response::from_parts(head, body.to_bytes()))
}
