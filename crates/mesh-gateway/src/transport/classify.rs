//! What a failed or answered exchange means to the rules of retrying.

use http::{
    HeaderMap, Response, StatusCode, Version,
    header::{CONNECTION, CONTENT_LENGTH, RETRY_AFTER, TRANSFER_ENCODING},
};
use mesh_client::driver::retry_after;
use mesh_core::{
    clock::UnixMillis,
    retry::{Failure, Outcome},
};

/// What an answer is to the rules.
pub(super) fn answered<B>(response: &Response<B>, now: UnixMillis) -> Outcome {
    let status = response.status();
    if status == StatusCode::SWITCHING_PROTOCOLS || !is_framed_once(response.headers()) {
        return Outcome::Lost(Failure::Malformed);
    }
    if !status.is_server_error() && status.as_u16() < 600 {
        return Outcome::Answered;
    }
    let asked = response.headers().get(RETRY_AFTER).filter(|_| status == StatusCode::SERVICE_UNAVAILABLE);
    Outcome::ServerError { retry_after: asked.and_then(|value| retry_after(value, now)) }
}

/// Whether everybody sees the same end of the answer: no length beside chunks, no coding but `chunked`, once, and a
/// length in digits. hyper takes more, and what it made of it would go on under headers that say something else.
fn is_framed_once(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    if let Some(coding) = codings.next() {
        return coding.as_bytes().eq_ignore_ascii_case(b"chunked")
            && codings.next().is_none()
            && !headers.contains_key(CONTENT_LENGTH);
    }
    headers.get_all(CONTENT_LENGTH).iter().all(|length| length.as_bytes().iter().all(u8::is_ascii_digit))
}

/// Whether the instance said that the connection ends with this answer.
pub(super) fn closes<B>(response: &Response<B>) -> bool {
    let says = |option: &str| {
        let lines = response.headers().get_all(CONNECTION).iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',')).any(|said| said.trim().eq_ignore_ascii_case(option))
    };
    says("close") || (response.version() < Version::HTTP_11 && !says("keep-alive"))
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

    #[track_caller]
    fn check_framing(lines: &[(http::HeaderName, &'static str)], expected: Outcome) {
        let mut response = Response::new(());
        for (name, value) in lines {
            response.headers_mut().append(name.clone(), http::HeaderValue::from_static(value));
        }
        assert_eq!(answered(&response, UnixMillis::default()), expected, "{lines:?}");
    }

    #[test]
    fn an_answer_with_two_ends_is_malformed() {
        let malformed = Outcome::Lost(Failure::Malformed);
        check_framing(&[(TRANSFER_ENCODING, "chunked"), (CONTENT_LENGTH, "3")], malformed);
        check_framing(&[(TRANSFER_ENCODING, "chunked"), (TRANSFER_ENCODING, "chunked")], malformed);
        for coding in ["chunked, chunked", "gzip, chunked", "identity"] {
            check_framing(&[(TRANSFER_ENCODING, coding)], malformed);
        }
        check_framing(&[(CONTENT_LENGTH, "3, 3")], malformed);
        check_framing(&[(TRANSFER_ENCODING, "Chunked")], Outcome::Answered);
        check_framing(&[(CONTENT_LENGTH, "3")], Outcome::Answered);
        check_framing(&[], Outcome::Answered);
    }

    #[test]
    fn an_upgrade_that_nobody_asked_for_is_malformed() {
        assert_eq!(outcome(101, None), Outcome::Lost(Failure::Malformed));
    }
}
