//! Checks a request's head: its size, its method, its target, its headers.

use http::{Method, Version, request::Parts};
use mesh_core::{
    error::Code,
    forward::{self, Survey, Target, target::MAX_TARGET_BYTES},
};

use crate::{error::Refusal, settings::Limits};

/// The methods that the gateway knows.
pub(super) const METHODS: [Method; 7] =
    [Method::DELETE, Method::GET, Method::HEAD, Method::OPTIONS, Method::PATCH, Method::POST, Method::PUT];

/// A head that was checked.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    /// The target; absent for `OPTIONS *`.
    pub(crate) target: Option<Target<'a>>,
    /// Path and query as they came.
    pub(crate) path_and_query: &'a str,
    /// The `Host`, or the authority of an absolute target.
    pub(crate) host: &'a str,
    pub(crate) survey: Survey<'a>,
}

/// Checks everything that can be said without a route and without the body.
pub(crate) fn check<'a>(
    parts: &'a Parts,
    survey: Survey<'a>,
    has_body: bool,
    limits: &Limits,
) -> Result<Head<'a>, Refusal> {
    // Of `GET !` and `GET foo` the parser makes an authority without a path.
    let path_and_query = parts.uri.path_and_query().map_or("", |both| both.as_str());
    if path_and_query.len() > MAX_TARGET_BYTES {
        return Err(Refusal::new(Code::UriTooLong, "the request target is longer than 8 KiB"));
    }
    if survey.lines > limits.headers || survey.bytes + path_and_query.len() > limits.head_bytes {
        return Err(Refusal::new(Code::HeadersTooLarge, "the request has too many or too large headers"));
    }
    if !METHODS.contains(&parts.method) {
        let refusal = Refusal::new(Code::MethodNotAllowed, "the gateway does not know this method");
        return Err(refusal.allowing(&METHODS));
    }
    let authority = parts.uri.authority().map(|authority| authority.as_str());
    // In HTTP/2 the authority stands in the place of `Host`.
    let needs_host =
        parts.version == Version::HTTP_11 || (parts.version > Version::HTTP_11 && authority.is_none());
    let target = if parts.method == Method::OPTIONS && path_and_query == "*" {
        None
    } else {
        let target = Target::parse(path_and_query);
        Some(target.map_err(|error| Refusal::new(error.code(), error.to_string()))?)
    };
    survey
        .check(&parts.method, authority, needs_host, has_body)
        .map_err(|error| Refusal::new(error.code(), error.to_string()))?;
    Ok(Head { target, path_and_query, host: survey.host().or(authority).unwrap_or_default(), survey })
}

/// What a service is to be asked to switch to, by a route that allows it or not.
pub(crate) fn upgrade(parts: &Parts, route_allows: bool, has_body: bool) -> Result<Option<Vec<u8>>, Refusal> {
    let is_http_11 = parts.version == Version::HTTP_11;
    forward::upgrade::asked(&parts.headers, route_allows, is_http_11, has_body)
        .map_err(|error| Refusal::new(error.code(), error.to_string()))
}
