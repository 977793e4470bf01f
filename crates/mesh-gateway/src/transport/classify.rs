//! What a failed or answered exchange means to the rules of retrying.

use http::{Response, StatusCode, header::RETRY_AFTER};
use mesh_client::driver::retry_after;
use mesh_core::{
    clock::UnixMillis,
    retry::{Failure, Outcome},
};

/// What an answer is to the rules.
pub(super) fn answered<B>(response: &Response<B>, now: UnixMillis) -> Outcome {
    let status = response.status();
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return Outcome::Lost(Failure::Malformed);
    }
    if !status.is_server_error() && status.as_u16() < 600 {
        return Outcome::Answered;
    }
    let asked = response.headers().get(RETRY_AFTER).filter(|_| status == StatusCode::SERVICE_UNAVAILABLE);
    Outcome::ServerError { retry_after: asked.and_then(|value| retry_after(value, now)) }
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
    use std::time::Duration;

    use super::*;

    fn outcome(status: u16, retry_after: Option<&str>) -> Outcome {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
        if let Some(value) = retry_after.and_then(|value| value.parse().ok()) {
            response.headers_mut().insert(RETRY_AFTER, value);
        }
        answered(&response, UnixMillis::default())
    }

    #[test]
    fn below_500_is_an_answer() {
        for status in [200, 204, 301, 404, 429] {
            assert_eq!(outcome(status, None), Outcome::Answered, "{status}");
        }
    }

    #[test]
    fn only_a_503_may_ask_to_be_left_alone() {
        let wait = Some(Duration::from_secs(2));
        assert_eq!(outcome(503, Some("2")), Outcome::ServerError { retry_after: wait });
        assert_eq!(outcome(500, Some("2")), Outcome::ServerError { retry_after: None });
        assert_eq!(outcome(503, Some("soon")), Outcome::ServerError { retry_after: None });
    }

    #[test]
    fn an_upgrade_that_nobody_asked_for_is_malformed() {
        assert_eq!(outcome(101, None), Outcome::Lost(Failure::Malformed));
    }
}
