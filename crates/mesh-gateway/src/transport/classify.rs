//! What a failed or answered exchange means to the rules of retrying.

use std::time::Duration;

use http::{Response, StatusCode, header::RETRY_AFTER};
use mesh_core::retry::{Failure, Outcome};

/// What an answer is to the rules.
pub(super) fn answered<B>(response: &Response<B>) -> Outcome {
    let status = response.status();
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return Outcome::Lost(Failure::Malformed);
    }
    if !status.is_server_error() && status.as_u16() < 600 {
        return Outcome::Answered;
    }
    let retry_after =
        if status == StatusCode::SERVICE_UNAVAILABLE { retry_after_seconds(response) } else { None };
    Outcome::ServerError { retry_after }
}

/// `Retry-After` in seconds; a date is not read.
fn retry_after_seconds<B>(response: &Response<B>) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// How an exchange failed after the request was (partly) written.
pub(super) fn failed(error: &hyper::Error) -> Failure {
    if error.is_parse() {
        Failure::Malformed
    } else if error.is_timeout() {
        Failure::Timeout
    } else {
        Failure::Reset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, retry_after: Option<&str>) -> Response<()> {
        let builder = Response::builder().status(status);
        let builder = match retry_after {
            Some(value) => builder.header(RETRY_AFTER, value),
            None => builder,
        };
        builder.body(()).unwrap_or_default()
    }

    #[test]
    fn below_500_is_an_answer() {
        for status in [200, 204, 301, 404, 429] {
            assert_eq!(answered(&response(status, None)), Outcome::Answered, "{status}");
        }
    }

    #[test]
    fn only_a_503_may_ask_to_be_left_alone() {
        let wait = Some(Duration::from_secs(2));
        assert_eq!(answered(&response(503, Some("2"))), Outcome::ServerError { retry_after: wait });
        assert_eq!(answered(&response(500, Some("2"))), Outcome::ServerError { retry_after: None });
        assert_eq!(answered(&response(503, Some("soon"))), Outcome::ServerError { retry_after: None });
    }

    #[test]
    fn an_upgrade_that_nobody_asked_for_is_malformed() {
        assert_eq!(answered(&response(101, None)), Outcome::Lost(Failure::Malformed));
    }
}
