//! One attempt of a client's call: signed afresh, sent over the HTTP transport, read to its end where that is wanted.

use std::{ops::Range, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use mesh_core::{
    clock::{Clock, UnixMillis},
    health::verdict::ToCome,
    retry::{Failure, Outcome},
    signature::Signer,
};

use crate::{
    driver::{Attempt, Sent, Transport},
    request::headers::CallHeaders,
    transport::{BodyStream, HttpTransport, Limits, TransportError, check_head},
};

/// The longest timestamp in seconds.
const TIMESTAMP_DIGITS: usize = 20;

/// What all attempts of a call have in common.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) method: Method,
    /// Path and query, encoded, without the path prefix of a base URL.
    pub(crate) target: String,
    /// Everything but timestamp and signature.
    pub(crate) headers: CallHeaders,
    pub(crate) body: Bytes,
    /// Whether the signature covers the body.
    pub(crate) signs_body: bool,
    /// The largest body that is read into memory.
    pub(crate) max_response: usize,
    /// Whether an answer below 500 is handed on with its body under way.
    pub(crate) streaming: bool,
}

/// An answer, in the form that was asked for.
pub(crate) enum Answer {
    Whole(http::Response<Bytes>),
    Streaming(http::Response<BodyStream>),
    TooLarge,
}

/// Sends the attempts of one call.
pub(crate) struct SignedAttempts<'a> {
    pub(crate) prepared: &'a Prepared,
    pub(crate) signer: &'a Signer,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) transport: &'a dyn HttpTransport,
    pub(crate) connect_timeout: Duration,
}

impl Transport for SignedAttempts<'_> {
    type Response = Answer;

    fn request(&self) -> (&Method, &str) {
        (&self.prepared.method, self.prepared.target.split('?').next().unwrap_or_default())
    }

    fn to_come(&self, response: &Answer) -> ToCome {
        match response {
            Answer::Streaming(answer) => {
                let content_type = answer.headers().get(header::CONTENT_TYPE);
                ToCome::of(false, content_type.map(HeaderValue::as_bytes))
            }
            Answer::Whole(_) | Answer::TooLarge => ToCome::Nothing,
        }
    }

    async fn send(&self, attempt: Attempt<'_>) -> Sent<Answer> {
        let exchanged = tokio::time::timeout(attempt.limit, self.exchange(attempt)).await;
        match exchanged {
            Ok(Ok(sent)) => sent,
            Ok(Err(error)) => failed(error),
            Err(_) => {
                let message = format!("no whole answer within {} ms", attempt.limit.as_millis());
                failed(TransportError::lost(Failure::Timeout, message))
            }
        }
    }
}

impl SignedAttempts<'_> {
    async fn exchange(&self, attempt: Attempt<'_>) -> Result<Sent<Answer>, TransportError> {
        let limits = Limits { connect: self.connect_timeout.min(attempt.limit), attempt: attempt.limit };
        let answer = self.transport.send(self.signed(attempt)?, limits).await?;
        let (head, body) = answer.into_parts();
        check_head(&head)?;
        let (status, outcome) = (head.status, self.outcome(head.status, &head.headers));
        let response = if self.prepared.streaming && outcome == Outcome::Answered {
            Answer::Streaming(http::Response::from_parts(head, body))
        } else {
            let announced = length(&head.headers).filter(|_| self.prepared.method != Method::HEAD);
            read(body, self.prepared.max_response, announced)
                .await?
                .map_or(Answer::TooLarge, |body| Answer::Whole(http::Response::from_parts(head, body)))
        };
        Ok(Sent { outcome, status: Some(status.as_u16()), response: Some(response), message: String::new() })
    }

    /// The request with a timestamp and a signature of this moment.
    fn signed(&self, attempt: Attempt<'_>) -> Result<http::Request<Bytes>, TransportError> {
        let url = &attempt.instance.url;
        let target = url.target(&self.prepared.target);
        let seconds = self.clock.unix().seconds();
        let signed: &[u8] = if self.prepared.signs_body { &self.prepared.body } else { &[] };
        let signature = self.signer.sign(self.prepared.method.as_str(), &target, seconds, signed);
        let Prepared { headers, .. } = self.prepared;
        let scheme = if url.is_https() { "https://" } else { "http://" };
        let id = headers.fresh_id();
        // One allocation for all that is new: it is given out in slices, which transports copy without another.
        let parts =
            [scheme.as_bytes(), url.authority().as_bytes(), target.as_bytes(), id.unwrap_or_default()];
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let mut text = Vec::with_capacity(length + TIMESTAMP_DIGITS + signature.as_bytes().len());
        parts.iter().for_each(|part| text.extend_from_slice(part));
        text.extend_from_slice(itoa::Buffer::new().format(seconds).as_bytes());
        let signature_at = text.len();
        text.extend_from_slice(signature.as_bytes());
        let text = Bytes::from(text);
        let id_at = length - id.map_or(0, <[u8]>::len);
        let unfit = || TransportError::not_sent(Failure::Malformed, "the URL or signature is no HTTP");
        let value =
            |part: Range<usize>| HeaderValue::from_maybe_shared(text.slice(part)).map_err(|_| unfit());
        let uri = Uri::from_maybe_shared(text.slice(..id_at)).map_err(|_| unfit())?;
        let id = id.map(|_| value(id_at..length)).transpose()?;
        let headers = headers.of_attempt(id, value(length..signature_at)?, value(signature_at..text.len())?);
        let mut request = http::Request::new(self.prepared.body.clone());
        *request.method_mut() = self.prepared.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }

    fn outcome(&self, status: StatusCode, headers: &HeaderMap) -> Outcome {
        if status.as_u16() < 500 {
            return Outcome::Answered;
        }
        let retry_after = (status == StatusCode::SERVICE_UNAVAILABLE)
            .then(|| headers.get(header::RETRY_AFTER))
            .flatten()
            .and_then(|value| retry_after(value, self.clock.unix()));
        Outcome::ServerError { retry_after }
    }
}

fn failed(error: TransportError) -> Sent<Answer> {
    let TransportError { failure, sent, message } = error;
    let outcome = if sent { Outcome::Lost(failure) } else { Outcome::NotSent(failure) };
    Sent { outcome, status: None, response: None, message }
}

/// How long `Retry-After` asks to wait: seconds, or until an HTTP date (RFC 9110 §10.2.3).
#[must_use]
pub fn retry_after(value: &HeaderValue, now: UnixMillis) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let moment = date.duration_since(std::time::SystemTime::UNIX_EPOCH).ok()?;
    Some(moment.saturating_sub(Duration::from_millis(now.0)))
}

fn length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads a body of at most `max` bytes; `None` for a larger one, of which no more than that is held.
async fn read(
    mut body: BodyStream,
    max: usize,
    announced: Option<usize>,
) -> Result<Option<Bytes>, TransportError> {
    if announced.is_some_and(|length| length > max) {
        return Ok(None);
    }
    let Some(first) = body.next().await.transpose()? else { return Ok(Some(Bytes::new())) };
    if first.len() > max {
        return Ok(None);
    }
    let Some(second) = body.next().await.transpose()? else { return Ok(Some(first)) };
    let mut whole = BytesMut::with_capacity(announced.unwrap_or(first.len() + second.len()));
    whole.extend_from_slice(&first);
    let mut next = Some(second);
    while let Some(bytes) = next {
        if whole.len() + bytes.len() > max {
            return Ok(None);
        }
        whole.extend_from_slice(&bytes);
        next = body.next().await.transpose()?;
    }
    Ok(Some(whole.freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &'static str, expected: Option<u64>) {
        let now = UnixMillis::from_seconds(784_111_777);
        let waited = retry_after(&HeaderValue::from_static(value), now);
        assert_eq!(waited, expected.map(Duration::from_secs), "{value}");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        check("2", Some(2));
        check("0", Some(0));
        check("Sun, 06 Nov 1994 08:49:40 GMT", Some(3));
        check("Sun, 06 Nov 1994 08:49:30 GMT", Some(0));
        check("99999999999999999999999", Some(u64::MAX));
        check("-1", None);
        check("1.5", None);
        check("soon", None);
        check("", None);
    }
}
