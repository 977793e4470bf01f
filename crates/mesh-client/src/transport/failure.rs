//! What a failed exchange is for the rules (docs/decisions/0004): how it failed, and whether anything may have been written.
//!
//! Reads hyper's errors, which are below those of every client that stands on it.

use std::{error::Error as StdError, io};

use hyper_util::client::legacy;
use mesh_core::retry::Failure;

use super::TransportError;

/// An error, without those around it that tell a URL.
type Cause<'a> = Option<&'a (dyn StdError + 'static)>;

/// What failed before the head of an answer was read. `timed_out`: [`has_timed_out`], or what more the client knows of it.
pub(super) fn unanswered(cause: Cause<'_>, timed_out: bool) -> TransportError {
    let message = root_cause(cause);
    if find::<legacy::Error>(cause).is_some_and(legacy::Error::is_connect) {
        let failure = match find::<io::Error>(cause) {
            _ if timed_out => Failure::Timeout,
            Some(cause) => Failure::of_connect(cause),
            None => Failure::Connect,
        };
        return TransportError::not_sent(failure, message);
    }
    match find::<hyper::Error>(cause) {
        // hyper took the request back from a connection that was closed before it was written.
        Some(cause) if cause.is_canceled() => TransportError::not_sent(Failure::Reset, message),
        Some(cause) if cause.is_parse() => TransportError::lost(Failure::Malformed, message),
        _ if timed_out => TransportError::lost(Failure::Timeout, message),
        _ => TransportError::lost(Failure::Reset, message),
    }
}

/// What failed while the body was read.
pub(super) fn broken_off(cause: Cause<'_>, timed_out: bool) -> TransportError {
    let failure = if timed_out { Failure::Timeout } else { Failure::Truncated };
    TransportError::lost(failure, root_cause(cause))
}

/// Whether the error is a limit of time, of ours or of the kernel's.
pub(super) fn has_timed_out(cause: Cause<'_>) -> bool {
    sources(cause).any(|source| {
        source.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_timeout)
            || source.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
    })
}

/// The innermost source's text: it knows what happened.
pub(super) fn root_cause(cause: Cause<'_>) -> String {
    sources(cause).last().map_or_else(|| "the request could not be sent".to_owned(), ToString::to_string)
}

fn sources<'a>(cause: Cause<'a>) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(cause, |&error| error.source())
}

fn find<'a, E: StdError + 'static>(cause: Cause<'a>) -> Option<&'a E> {
    sources(cause).find_map(|error| error.downcast_ref())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::{
        future::{Ready, ready},
        task::{Context, Poll},
    };

    use bytes::Bytes;
    use http::Uri;
    use http_body_util::Full;
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use tokio::net::TcpStream;
    use tower::Service;

    use super::*;

    /// Connects to nobody, for the reason that a kernel's error number is.
    #[derive(Clone)]
    struct Fails(i32);

    impl Service<Uri> for Fails {
        type Response = TokioIo<TcpStream>;
        type Error = io::Error;
        type Future = Ready<io::Result<Self::Response>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Uri) -> Self::Future {
            ready(Err(io::Error::from_raw_os_error(self.0)))
        }
    }

    async fn check(number: i32, expected: Failure) {
        let client = legacy::Client::builder(TokioExecutor::new()).build(Fails(number));
        let request = http::Request::get("http://oms.test/a").body(Full::<Bytes>::default()).unwrap();
        let error = client.request(request).await.unwrap_err();
        let failed = unanswered(Some(&error), has_timed_out(Some(&error)));
        let text = io::Error::from_raw_os_error(number).to_string();
        assert_eq!(failed, TransportError::not_sent(expected, text));
    }

    #[tokio::test]
    async fn what_keeps_a_connection_from_being_made_is_told_apart_and_nothing_was_written() {
        // EMFILE, ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH.
        check(24, Failure::Local).await;
        check(111, Failure::Connect).await;
        check(110, Failure::Timeout).await;
        check(113, Failure::Connect).await;
    }
}
