//! Binds listeners: once alone, so that a port in use is seen, then one for each worker on the same port.

use std::{
    io,
    net::{SocketAddr, TcpListener},
};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 4_096;

/// One listener for each worker, all on one port; the system spreads connections over them.
pub(super) fn bind_shared(address: SocketAddr, workers: usize) -> io::Result<Vec<TcpListener>> {
    if address.port() != 0 {
        bind_alone(address)?;
    }
    let first = bind(address, true)?;
    let address = first.local_addr()?;
    let mut listeners = vec![first];
    while listeners.len() < workers {
        listeners.push(bind(address, true)?);
    }
    Ok(listeners)
}

/// A listener that shares its port with nobody.
pub(super) fn bind_alone(address: SocketAddr) -> io::Result<TcpListener> {
    bind(address, false)
}

/// The address that was bound, or the one that was asked for.
pub(super) fn local_address(listeners: &[TcpListener], asked: SocketAddr) -> SocketAddr {
    listeners.first().and_then(|listener| listener.local_addr().ok()).unwrap_or(asked)
}

fn bind(address: SocketAddr, share_port: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if share_port {
        socket.set_reuse_port(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_seen_although_workers_share_theirs() {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let taken = bind_shared(any, 2).unwrap();
        let address = taken[0].local_addr().unwrap();
        assert_eq!(taken[1].local_addr().unwrap(), address);
        assert_eq!(bind_shared(address, 1).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(taken);
        assert!(bind_shared(address, 2).is_ok());
    }
}
