//! What an answer means to the rules of retrying.

use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use mesh_client::driver::retry_after;
use mesh_core::{clock::Clock, retry::Outcome};

/// What an answer is to the rules. The clock is asked for what few answers say.
pub(super) fn answered(status: StatusCode, headers: &HeaderMap, clock: &dyn Clock) -> Outcome {
    if !status.is_server_error() && status.as_u16() < 600 {
        return Outcome::Answered;
    }
    let asked = headers.get(RETRY_AFTER).filter(|_| status == StatusCode::SERVICE_UNAVAILABLE);
    Outcome::ServerError { retry_after: asked.and_then(|value| retry_after(value, clock.unix())) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mesh_core::clock::SystemClock;

    use super::*;

    fn outcome(status: u16, retry_after: Option<&'static str>) -> Outcome {
        let headers = retry_after.map(|value| (RETRY_AFTER, http::HeaderValue::from_static(value)));
        let status = StatusCode::from_u16(status).unwrap_or_default();
        answered(status, &headers.into_iter().collect(), &SystemClock)
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
}
