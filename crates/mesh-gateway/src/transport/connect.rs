//! Opens one connection to an instance.

use std::{io, net::SocketAddr, time::Duration};

use mesh_core::service::BaseUrl;
use tokio::{net::TcpStream, time::timeout};

use super::connection::Connection;

/// Connects to the instance, within `limit`.
pub(super) async fn connect(url: &BaseUrl, limit: Duration) -> Result<Connection, String> {
    if url.is_https() {
        return Err("this gateway speaks plain http towards instances only".to_owned());
    }
    match timeout(limit, open(url.authority())).await {
        Ok(Ok(socket)) => Ok(Connection::new(socket)),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no connection within {} ms", limit.as_millis())),
    }
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
