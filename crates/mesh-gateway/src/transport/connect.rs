//! Opens one connection to an instance.

use std::{io, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use mesh_core::service::BaseUrl;
use tokio::{net::TcpStream, time::timeout};

/// What an answer's head may measure (docs/refusals.md, Backend responses).
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Connects to the instance, within `limit`. The connection lives on the current runtime until it is dropped.
pub(super) async fn connect(url: &BaseUrl, limit: Duration) -> Result<SendRequest<Full<Bytes>>, String> {
    if url.is_https() {
        return Err("this gateway speaks plain http towards instances only".to_owned());
    }
    let stream = match timeout(limit, open(url.authority())).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err(format!("no connection within {} ms", limit.as_millis())),
    };
    let (sender, connection) = http1::Builder::new()
        .writev(false)
        .max_header_size(MAX_HEAD_BYTES)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to an instance ended");
        }
    });
    Ok(sender)
}

async fn open(authority: &str) -> io::Result<TcpStream> {
    let stream = if let Ok(address) = authority.parse::<SocketAddr>() {
        TcpStream::connect(address).await?
    } else if has_port(authority) {
        TcpStream::connect(authority).await?
    } else {
        TcpStream::connect((authority.trim_matches(['[', ']']), 80)).await?
    };
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn has_port(authority: &str) -> bool {
    authority.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_says_whether_it_has_a_port() {
        for (authority, expected) in [
            ("orders", false),
            ("orders:81", true),
            ("[::1]", false),
            ("[::1]:81", true),
            ("10.0.0.7", false),
        ] {
            assert_eq!(has_port(authority), expected, "{authority}");
        }
    }
}
