//! Who sits at the other end of a client's connection, as the socket says.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{
    extract::{ConnectInfo, connect_info::Connected},
    serve::IncomingStream,
};
use http::Extensions;
use tokio::net::TcpListener;

/// The client's end of a connection, for `X-Forwarded-*`, the access log and the list of trusted proxies.
///
/// Where the gateway is embedded in an app that `axum::serve` serves over TCP,
/// `into_make_service_with_connect_info::<Peer>()` tells it. Any other server puts one into each request's extensions;
/// axum's `ConnectInfo<SocketAddr>` will do as well, with port 80 and no encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The address that the connection comes from.
    pub address: IpAddr,
    /// The port that was connected to.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub is_https: bool,
}

impl Peer {
    /// The peer that a request's extensions name; an unspecified address when they name none, which no list of
    /// trusted proxies holds unless it holds everything.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        let told =
            extensions.get::<Self>().or_else(|| extensions.get::<ConnectInfo<Self>>().map(|info| &info.0));
        told.copied().unwrap_or_else(|| {
            let address = extensions
                .get::<ConnectInfo<SocketAddr>>()
                .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
            Self { address, port: 80, is_https: false }
        })
    }
}

impl Connected<IncomingStream<'_, TcpListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        let port = stream.io().local_addr().map_or(80, |address| address.port());
        Self { address: stream.remote_addr().ip(), port, is_https: false }
    }
}
