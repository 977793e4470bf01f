//! What an error of Redis means to a caller of a port.

use deadpool::managed::{PoolError, TimeoutType};
use deadpool_redis::redis::{ErrorKind, RedisError, ServerErrorKind};
use mesh_core::store::StoreError;

/// What a failed call says of the connection that it used.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: StoreError,
    /// The server cannot be reached or does not answer: it is left alone for a moment.
    pub(crate) server: bool,
    /// The connection is of no use any more.
    pub(crate) connection: bool,
}

impl Failure {
    /// The call was not made, and that says nothing of the server.
    pub(crate) fn busy(reason: &str) -> Self {
        Self { error: StoreError::Unreachable(reason.to_owned()), server: false, connection: false }
    }

    /// The server did not answer in time.
    pub(crate) fn silence(address: &str) -> Self {
        Self {
            error: StoreError::Unreachable(format!("redis at {address} does not answer in time")),
            server: true,
            connection: true,
        }
    }

    /// An error of a command, or of making a connection.
    pub(crate) fn of(error: &RedisError, address: &str) -> Self {
        let text = format!("redis at {address}: {error}");
        match error.kind() {
            ErrorKind::Io | ErrorKind::Parse | ErrorKind::ClusterConnectionNotFound => {
                Self { error: StoreError::Unreachable(text), server: true, connection: true }
            }
            ErrorKind::Server(
                ServerErrorKind::BusyLoading
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::MasterDown
                | ServerErrorKind::TryAgain,
            ) => Self { error: StoreError::Unreachable(text), server: true, connection: false },
            // A script of somebody else holds the server.
            _ if error.code() == Some("BUSY") => {
                Self { error: StoreError::Unreachable(text), server: true, connection: false }
            }
            _ => Self { error: StoreError::Refused(text), server: false, connection: false },
        }
    }

    /// No connection came out of the pool.
    pub(crate) fn of_pool(error: &PoolError<RedisError>, address: &str) -> Self {
        match error {
            PoolError::Backend(error) => Self::of(error, address),
            PoolError::Timeout(TimeoutType::Wait) => {
                Self::busy("too many callers wait for a connection to redis")
            }
            PoolError::Timeout(_) => Self::silence(address),
            other => Self::busy(&format!("no connection to redis at {address}: {other}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use deadpool_redis::redis::make_extension_error;

    use super::*;

    fn answer(code: &str) -> Failure {
        Failure::of(&make_extension_error(code.to_owned(), Some("detail".to_owned())), "h:1")
    }

    #[test]
    fn what_the_server_refuses_is_refused() {
        for code in ["OOM", "WRONGTYPE", "NOAUTH", "MISCONF", "NOREPLICAS"] {
            let failure = answer(code);
            assert!(matches!(failure.error, StoreError::Refused(_)), "{failure:?}");
            assert!(!failure.server && !failure.connection);
        }
        for kind in [ServerErrorKind::ReadOnly, ServerErrorKind::NoPerm] {
            let failure = Failure::of(&RedisError::from((ErrorKind::Server(kind), "no")), "h:1");
            assert!(matches!(failure.error, StoreError::Refused(_)), "{failure:?}");
        }
    }

    #[test]
    fn a_server_that_cannot_be_reached_or_is_not_ready_is_unreachable() {
        let refused =
            Failure::of(&RedisError::from(io::Error::from(io::ErrorKind::ConnectionRefused)), "h:1");
        assert!(matches!(refused.error, StoreError::Unreachable(_)) && refused.server && refused.connection);
        for kind in [ServerErrorKind::BusyLoading, ServerErrorKind::ClusterDown] {
            let failure = Failure::of(&RedisError::from((ErrorKind::Server(kind), "later")), "h:1");
            assert!(
                matches!(failure.error, StoreError::Unreachable(_)) && !failure.connection,
                "{failure:?}"
            );
        }
        assert!(matches!(answer("BUSY").error, StoreError::Unreachable(_)));
    }
}
