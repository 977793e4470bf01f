//! Opens one connection to an instance, and encrypts it where its base URL says so.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use mesh_core::{
    retry::Failure,
    service::{BaseUrl, Protocol},
};
use rustls::{AlertDescription, pki_types::ServerName};
use tokio::{
    net::{TcpSocket, TcpStream, ToSocketAddrs, lookup_host},
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::{
    socket::{Connection, Socket},
    tls::UpstreamTls,
};

/// How long a handshake may take, beside the limit of the connect.
pub(super) const HANDSHAKE: Duration = Duration::from_secs(1);

/// Why there is no connection.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum NoConnection {
    /// The instance's fault, or that of the settings.
    #[error("{0}")]
    Unreachable(String),
    /// The gateway's own: no file, port or buffer is left.
    #[error("{0}")]
    NoMeans(String),
    /// There is somebody, who speaks something else.
    #[error("the instance does not speak HTTP/2")]
    NoHttp2,
}

impl NoConnection {
    /// What it is to the rules of a call.
    pub(super) const fn failure(&self) -> Failure {
        match self {
            Self::Unreachable(_) => Failure::Connect,
            Self::NoMeans(_) => Failure::Local,
            Self::NoHttp2 => Failure::Protocol,
        }
    }
}

impl From<io::Error> for NoConnection {
    fn from(error: io::Error) -> Self {
        match Failure::of_connect(&error) {
            Failure::Local => Self::NoMeans(error.to_string()),
            _ => Self::Unreachable(error.to_string()),
        }
    }
}

/// Connects to the instance within `limit`, and agrees on TLS within [`HANDSHAKE`] more, but all of it within `all`.
pub(super) async fn connect(
    url: &BaseUrl,
    limit: Duration,
    all: Duration,
    tls: &UpstreamTls,
) -> Result<Box<Connection>, NoConnection> {
    Ok(Box::new(Connection::new(socket(url, limit, all, tls, Protocol::Http1).await?)))
}

/// Like [`connect`], for `protocol`; under TLS the instance agrees to speak it.
pub(super) async fn socket(
    url: &BaseUrl,
    limit: Duration,
    all: Duration,
    tls: &UpstreamTls,
    protocol: Protocol,
) -> Result<Socket, NoConnection> {
    if !url.is_https() {
        return open(url, limit.min(all)).await.map(Socket::Plain);
    }
    let all = all.min(limit.saturating_add(HANDSHAKE));
    let connected = async {
        let stream = open(url, limit).await?;
        let name = server_name(url).map_err(NoConnection::Unreachable)?;
        let shaken = TlsConnector::from(Arc::clone(tls.config(protocol))).connect(name, stream).await;
        shaken.map_err(|error| match has_no_protocol(&error) {
            true if protocol == Protocol::Http2 => NoConnection::NoHttp2,
            _ => NoConnection::Unreachable(format!("no TLS: {error}")),
        })
    };
    match timeout(all, connected).await {
        Ok(stream) => {
            let socket = Socket::tls(stream?, Some(tls.clone()));
            let agreed = protocol != Protocol::Http2 || socket.speaks_http2();
            if agreed { Ok(socket) } else { Err(NoConnection::NoHttp2) }
        }
        Err(_) => Err(NoConnection::Unreachable(format!("no TLS within {} ms", all.as_millis()))),
    }
}

/// Whether TLS broke off because the instance speaks none of the protocols that it was offered (ALPN).
fn has_no_protocol(error: &io::Error) -> bool {
    let error = error.get_ref().and_then(|error| error.downcast_ref());
    matches!(error, Some(rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol)))
}

/// The name or address that the instance's certificate must hold.
fn server_name(url: &BaseUrl) -> Result<ServerName<'static>, String> {
    let authority = url.authority();
    let host = match authority.rsplit_once(':') {
        Some((host, _)) if has_port(authority) => host,
        _ => authority,
    };
    ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(|error| error.to_string())
}

async fn open(url: &BaseUrl, limit: Duration) -> Result<TcpStream, NoConnection> {
    let default_port = if url.is_https() { 443 } else { 80 };
    match timeout(limit, open_tcp(url.authority(), default_port)).await {
        Ok(opened) => Ok(opened?),
        Err(_) => Err(NoConnection::Unreachable(format!("no connection within {} ms", limit.as_millis()))),
    }
}

async fn open_tcp(authority: &str, default_port: u16) -> io::Result<TcpStream> {
    let stream = if let Ok(address) = authority.parse::<SocketAddr>() {
        TcpStream::connect(address).await?
    } else if has_port(authority) {
        open_by_name(authority).await?
    } else {
        open_by_name((authority.trim_matches(['[', ']']), default_port)).await?
    };
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Connects to the first address of the name that takes the connection. An address that is refused counts before one
/// that this machine cannot connect to at all (IPv6 where there is none).
async fn open_by_name(name: impl ToSocketAddrs) -> io::Result<TcpStream> {
    let addresses = match lookup_host(name).await {
        Ok(addresses) => addresses,
        // Without a file to open, the system's resolver says that there is no such name.
        Err(error) => return Err(TcpSocket::new_v4().err().unwrap_or(error)),
    };
    let mut failed = None;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) if failed.is_none() || Failure::of_connect(&error).is_of_the_instance() => {
                failed = Some(error);
            }
            Err(_) => {}
        }
    }
    Err(failed.unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address")))
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

    #[test]
    fn a_certificate_is_asked_for_the_host_without_its_port() {
        for (url, expected) in [
            ("https://orders", "orders"),
            ("https://orders:8443", "orders"),
            ("https://[::1]:8443", "::1"),
            ("https://[::1]", "::1"),
            ("https://10.0.0.7", "10.0.0.7"),
        ] {
            let url = BaseUrl::parse(url).unwrap();
            assert_eq!(server_name(&url).unwrap().to_str(), expected, "{url}");
        }
    }
}
