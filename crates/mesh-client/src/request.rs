//! A call as its caller writes it, and what it is on the wire.

mod calls;
pub(crate) mod headers;
mod query;
mod send;
pub(crate) mod target;

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde::Serialize;
use serde_json::Value;

pub use self::{calls::ServiceCalls, target::TargetTextError};
use crate::{client::ServiceClient, error::InvalidCall};

/// One call, not sent yet. Mistakes made while it is written are told by `send`.
#[must_use = "a request does nothing until it is sent"]
pub struct ServiceRequest {
    client: ServiceClient,
    service: String,
    method: Method,
    path: String,
    pairs: Vec<(String, String)>,
    headers: HeaderMap,
    body: Body,
    timeout: Option<Duration>,
    retries: Option<u32>,
    deadline: Option<Duration>,
    idempotent: bool,
    mistake: Option<InvalidCall>,
}

/// Who wrote the body's bytes.
enum Body {
    None,
    /// We: its content type is ours.
    Json(Bytes),
    /// The caller: the content type too, if it says one.
    Raw(Bytes),
}

impl ServiceRequest {
    fn new(client: ServiceClient, service: String, method: Method, path: String) -> Self {
        Self {
            client,
            service,
            method,
            path,
            pairs: Vec::new(),
            headers: HeaderMap::new(),
            body: Body::None,
            timeout: None,
            retries: None,
            deadline: None,
            idempotent: false,
            mistake: None,
        }
    }

    /// Sets a header, in place of one of the same name. Reserved ones (signature, timestamp, service name, the content type of
    /// a body that we encode) are ours, whatever is set here.
    ///
    /// `traceparent` and `tracestate` go as they are given, with every attempt: the span that they name is the caller's, and
    /// the service's parent.
    pub fn with_header(self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.with_headers([(name, value)])
    }

    /// Sets headers, in place of those of the same names; a name that stands in `headers` twice becomes two lines.
    pub fn with_headers(
        mut self,
        headers: impl IntoIterator<Item = (impl AsRef<str>, impl AsRef<str>)>,
    ) -> Self {
        let mut given = HeaderMap::new();
        for (name, value) in headers {
            match headers::parse(name.as_ref(), value.as_ref()) {
                Ok((name, value)) => {
                    given.append(name, value);
                }
                Err(mistake) => self.note(mistake),
            }
        }
        self.headers.extend(given);
        self
    }

    /// Adds pairs to the query, after the one in the path. A name that an earlier call gave is replaced, with all that
    /// stands under it in brackets; a name that stands in `pairs` twice is sent twice.
    pub fn with_query(mut self, pairs: impl IntoIterator<Item = (impl AsRef<str>, impl AsRef<str>)>) -> Self {
        let pairs: Vec<(String, String)> = pairs
            .into_iter()
            .map(|(name, value)| (name.as_ref().to_owned(), value.as_ref().to_owned()))
            .collect();
        let names: Vec<_> = pairs.iter().map(|(name, _)| name.clone()).collect();
        query::merge(&mut self.pairs, pairs, &names);
        self
    }

    /// As [`with_query`](Self::with_query), with lists and maps, which are written as PHP's `http_build_query` writes them:
    /// `("filter", json!({"ids": [3, 4]}))` is `filter[ids][0]=3&filter[ids][1]=4` with the brackets encoded. True is 1,
    /// false 0, null is left out.
    pub fn with_query_values(
        mut self,
        values: impl IntoIterator<Item = (impl AsRef<str>, impl Into<Value>)>,
    ) -> Self {
        let (mut names, mut pairs) = (Vec::new(), Vec::new());
        for (name, value) in values {
            query::flatten(name.as_ref().to_owned(), &value.into(), &mut pairs);
            names.push(name.as_ref().to_owned());
        }
        query::merge(&mut self.pairs, pairs, &names);
        self
    }

    /// Sends `body` as JSON: compact, slashes and unicode as they are.
    pub fn with_json<T: Serialize + ?Sized>(mut self, body: &T) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.body = Body::Json(bytes.into()),
            Err(error) => self.note(InvalidCall::Body(error)),
        }
        self
    }

    /// Sends these bytes as they are. Their content type is the `Content-Type` header that is set, else `application/json`.
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Body::Raw(body.into());
        self
    }

    /// The limit of one attempt, before the service's and the default one.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Further attempts per instance, before the service's and the default number.
    pub const fn retries(mut self, retries: u32) -> Self {
        self.retries = Some(retries);
        self
    }

    /// The limit of the whole call, before the default one.
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Says that the call may be repeated after it was written, whatever its method.
    pub const fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// The name of the service, as it was given.
    pub(crate) fn service(&self) -> &str {
        &self.service
    }

    /// Keeps the first mistake.
    fn note(&mut self, mistake: InvalidCall) {
        self.mistake.get_or_insert(mistake);
    }
}

impl fmt::Debug for ServiceRequest {
    /// Without query, header values and body: they are not ours to print.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ServiceRequest")
            .field("service", &self.service)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}
