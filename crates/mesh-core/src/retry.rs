//! When a call is tried again, and how long it waits before.

pub mod backoff;
pub mod policy;

pub use policy::{RetryMethods, RetryPolicy, RetryPolicyError, is_idempotent};

use std::{io, time::Duration};

/// What became of one attempt, as far as the rules care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer below 500: it is the call's answer.
    Answered,
    /// An answer of 500 and above.
    ServerError {
        /// How long the service asks to be left alone, where it is a 503 that says so.
        retry_after: Option<Duration>,
    },
    /// The attempt failed and not one byte of the request reached the instance.
    NotSent(Failure),
    /// The attempt failed after (part of) the request was written.
    Lost(Failure),
}

/// How an attempt failed without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// No connection: refused, unreachable, name not found, TLS.
    Connect,
    /// The attempt's limit passed.
    Timeout,
    /// The connection broke.
    Reset,
    /// The answer broke off before its end.
    Truncated,
    /// What came back is no HTTP answer.
    Malformed,
    /// There is somebody, who does not speak the protocol that the settings say.
    Protocol,
    /// This side had no file descriptor, port or buffer left for a connection. It says nothing about the instance, and
    /// is tried elsewhere all the same: there may be an open connection to the next one, or a free port towards it.
    Local,
}

/// `EMFILE` and `ENFILE`, everywhere the same, and `ENOBUFS`; the standard library has no name for them.
const SHORTAGES: [i32; 3] =
    [24, 23, if cfg!(any(target_os = "linux", target_os = "android")) { 105 } else { 55 }];

impl Failure {
    /// What it was that no connection could be opened: [`Self::Local`], or the instance's [`Self::Connect`].
    #[must_use]
    pub fn of_connect(error: &io::Error) -> Self {
        let is_local = matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::OutOfMemory)
            || error.raw_os_error().is_some_and(|code| SHORTAGES.contains(&code));
        if is_local { Self::Local } else { Self::Connect }
    }

    /// Whether it says something about the instance.
    #[must_use]
    pub const fn is_of_the_instance(self) -> bool {
        !matches!(self, Self::Local)
    }

    /// The word in lists of attempts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Truncated => "truncated",
            Self::Malformed => "malformed",
            Self::Protocol => "protocol",
            Self::Local => "local",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortage_of_this_side_is_no_failure_of_the_instance() {
        let enobufs = if cfg!(target_os = "linux") { 105 } else { 55 };
        for code in [24, 23, enobufs] {
            assert_eq!(Failure::of_connect(&io::Error::from_raw_os_error(code)), Failure::Local, "{code}");
        }
        for kind in [io::ErrorKind::AddrNotAvailable, io::ErrorKind::OutOfMemory] {
            assert_eq!(Failure::of_connect(&kind.into()), Failure::Local, "{kind}");
        }
        for kind in [
            io::ErrorKind::ConnectionRefused,
            io::ErrorKind::HostUnreachable,
            io::ErrorKind::NetworkUnreachable,
            io::ErrorKind::TimedOut,
            io::ErrorKind::NotFound,
            io::ErrorKind::Other,
        ] {
            assert_eq!(Failure::of_connect(&kind.into()), Failure::Connect, "{kind}");
        }
        assert!(Failure::Connect.is_of_the_instance());
        assert!(!Failure::Local.is_of_the_instance());
    }
}
