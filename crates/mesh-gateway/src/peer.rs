//! Who sits at the other end of a client's connection, as the socket says.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::ConnectInfo;
use http::Extensions;

/// The client's end of a connection. Put it into a request's extensions where the gateway is embedded;
/// axum's `ConnectInfo<SocketAddr>` will do as well.
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
        extensions.get::<Self>().copied().unwrap_or_else(|| {
            let address = extensions
                .get::<ConnectInfo<SocketAddr>>()
                .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
            Self { address, port: 80, is_https: false }
        })
    }
}
