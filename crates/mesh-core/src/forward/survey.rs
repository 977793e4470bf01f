//! One walk over a request's header lines, for all rules that ask something of them.

use http::{
    HeaderMap, HeaderValue, Method,
    header::{EXPECT, HOST, UPGRADE},
};

use super::{host::is_host, nomination::options, request::RequestError};
use crate::{
    header::{TRACEPARENT, X_REQUEST_ID, is_protected},
    trace::TraceContext,
};

/// What a request's header lines say, as far as rules ask for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Survey<'a> {
    /// How many lines there are.
    pub lines: usize,
    /// What they measure on the wire, in bytes: each with its colon, a space and its end.
    pub bytes: usize,
    /// The first `X-Request-Id`.
    pub request_id: Option<&'a HeaderValue>,
    /// Whether there is an `Upgrade`.
    pub has_upgrade: bool,
    host: Lines<'a>,
    trace: Lines<'a>,
    has_underscore: bool,
    nominates_protected: bool,
    has_odd_expectation: bool,
}

/// The lines of one name.
#[derive(Clone, Copy, Debug, Default)]
struct Lines<'a> {
    first: Option<&'a HeaderValue>,
    count: usize,
}

impl<'a> Lines<'a> {
    fn take(&mut self, value: &'a HeaderValue) {
        self.first = self.first.or(Some(value));
        self.count += 1;
    }
}

impl<'a> Survey<'a> {
    /// Walks over `headers`. Allocates for what `Connection` nominates.
    #[must_use]
    pub fn of(headers: &'a HeaderMap) -> Self {
        let mut survey = Self::default();
        for (name, value) in headers {
            let text = name.as_str();
            survey.lines += 1;
            survey.bytes += text.len() + value.len() + ": \r\n".len();
            match text.as_bytes().first() {
                Some(b'h') if *name == HOST => survey.host.take(value),
                Some(b'u') if *name == UPGRADE => survey.has_upgrade = true,
                Some(b'e') if *name == EXPECT => {
                    survey.has_odd_expectation |= !value.as_bytes().eq_ignore_ascii_case(b"100-continue");
                }
                Some(b't') if *name == TRACEPARENT => survey.trace.take(value),
                Some(b'x') if *name == X_REQUEST_ID => survey.request_id = survey.request_id.or(Some(value)),
                Some(b'c' | b'k' | b'p')
                    if matches!(text, "connection" | "keep-alive" | "proxy-connection") =>
                {
                    survey.nominates_protected |= options(value).any(|name| is_protected(&name));
                }
                _ => {}
            }
            survey.has_underscore |= text.as_bytes().contains(&b'_');
        }
        survey
    }

    /// The `Host`, where there is one that is ASCII.
    #[must_use]
    pub fn host(&self) -> Option<&'a str> {
        self.host.first.and_then(|value| value.to_str().ok())
    }

    /// The trace that the request came with; `None` when it says none, or two, or one that is malformed.
    #[must_use]
    pub fn trace(&self) -> Option<TraceContext> {
        let line = self.trace.first.filter(|_| self.trace.count == 1)?;
        TraceContext::parse(line.as_bytes())
    }

    /// Checks a request's headers, and `authority` of an absolute-form target against `Host`.
    /// `has_body`: the message's framing announces a body; `is_http_11`: `Host` is required.
    ///
    /// `Connection` may not nominate what [`is_protected`](crate::header::is_protected) names. Whether the request
    /// may switch protocols is its route's to say ([`upgrade`](super::upgrade)).
    ///
    /// # Errors
    ///
    /// See [`RequestError`]; rows 32, 42, 48, 49, 66 and 67 of docs/refusals.md.
    pub fn check(
        &self,
        method: &Method,
        authority: Option<&str>,
        is_http_11: bool,
        has_body: bool,
    ) -> Result<(), RequestError> {
        self.check_host(authority, is_http_11)?;
        if self.has_underscore {
            return Err(RequestError::UnderscoreInName);
        }
        if self.nominates_protected {
            return Err(RequestError::ProtectedNomination);
        }
        if self.has_odd_expectation {
            return Err(RequestError::UnknownExpectation);
        }
        if has_body && matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return Err(RequestError::BodyNotAllowed);
        }
        Ok(())
    }

    fn check_host(&self, authority: Option<&str>, required: bool) -> Result<(), RequestError> {
        let host = match (self.host.first, self.host.count) {
            (None, _) if required => return Err(RequestError::BadHost),
            (None, _) => None,
            (Some(line), 1) => Some(line.to_str().map_err(|_| RequestError::BadHost)?),
            (Some(_), _) => return Err(RequestError::BadHost),
        };
        let differ = matches!((host, authority), (Some(host), Some(authority)) if !host.eq_ignore_ascii_case(authority));
        if differ || ![host, authority].into_iter().flatten().all(is_host) {
            return Err(RequestError::BadHost);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn lines_are_measured_as_they_go_on_the_wire() {
        let headers = headers(&[("host", "a"), ("x-a", "123"), ("x-a", "")]);
        let survey = Survey::of(&headers);
        assert_eq!((survey.lines, survey.bytes), (3, "host: a\r\nx-a: 123\r\nx-a: \r\n".len()));
        assert_eq!(survey.host(), Some("a"));
        assert!(survey.request_id.is_none() && survey.trace().is_none() && !survey.has_upgrade);
    }

    #[test]
    fn a_trace_is_said_once_and_a_request_id_first() {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
        let once = headers(&[
            ("traceparent", parent),
            ("x-request-id", "1"),
            ("x-request-id", "2"),
            ("upgrade", "x"),
        ]);
        let survey = Survey::of(&once);
        assert_eq!(survey.trace().map(|trace| trace.to_string()).as_deref(), Some(parent));
        assert_eq!(survey.request_id.unwrap(), "1");
        assert!(survey.has_upgrade);
        assert!(Survey::of(&headers(&[("traceparent", parent), ("traceparent", parent)])).trace().is_none());
    }
}
