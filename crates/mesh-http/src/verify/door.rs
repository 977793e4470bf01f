//! The order in which a request is verified: names, headers, window, then the body, then the MAC.
//!
//! Refuses what was not verified, and reads no byte of a body whose headers cannot hold.

use std::sync::Arc;

use axum::{BoxError, body::Body};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request, request::Parts};
use mesh_core::{
    clock::{Clock, SystemClock, UnixMillis},
    error::Code,
    header::{X_SERVICE_NAME, X_SIGNATURE, X_TIMESTAMP, is_identity},
    name::{NameError, ServiceName},
    signature::{Presented, SignatureError, Verifier},
};

use crate::{
    body::{DEFAULT_BODY_LIMIT, buffered},
    caller::{Caller, Proof},
    reject::Refusal,
    target::sent_target,
};

/// How many bytes are hashed without a pause: some 40 microseconds.
const SLICE: usize = 64 * 1024;

/// Who is expected at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visitor {
    /// Whoever holds the secret.
    Gateway,
    /// A service that says its name.
    Service,
}

/// What a request is verified with.
#[derive(Clone, Debug)]
pub(super) struct Door {
    verifier: Arc<Verifier>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) body_limit: usize,
}

impl Door {
    pub(super) fn new(verifier: Arc<Verifier>) -> Self {
        Self { verifier, clock: Arc::new(SystemClock), body_limit: DEFAULT_BODY_LIMIT }
    }

    /// Verifies `request`; its body is in memory afterwards, its caller in the extensions.
    pub(super) async fn admit<B>(
        &self,
        request: Request<B>,
        visitor: Visitor,
    ) -> Result<Request<Body>, Refusal>
    where
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>>,
    {
        let (mut parts, body) = request.into_parts();
        let caller = match visitor {
            Visitor::Gateway => None,
            Visitor::Service => Some(caller_name(&parts.headers)?),
        };
        check_identity(&parts.headers)?;

        let refuse = |error: SignatureError| {
            tracing::info!(caller = caller.as_ref().map(ServiceName::as_str), reason = %error, "request not verified");
            Refusal::of(error.code())
        };
        let signatures = values(&parts.headers, &X_SIGNATURE);
        let timestamps = values(&parts.headers, &X_TIMESTAMP);
        let presented = Presented::parse(&signatures, &timestamps).map_err(refuse)?;
        let now = self.clock.unix();
        self.verifier.check_window(&presented, now).map_err(refuse)?;

        let body = buffered(body, self.body_limit).await.map_err(|unread| unread.refusal())?;
        self.verify(&presented, &parts, &body, now).await.map_err(refuse)?;

        if let Some(name) = caller {
            parts.extensions.insert(Caller::new(name, Proof::V1));
        }
        Ok(Request::from_parts(parts, Body::from(body)))
    }

    /// Verifies the MAC; other requests go on between the slices of a large body.
    async fn verify(
        &self,
        presented: &Presented<'_>,
        parts: &Parts,
        body: &[u8],
        now: UnixMillis,
    ) -> Result<(), SignatureError> {
        let (method, target) = (parts.method.as_str(), sent_target(parts));
        if body.len() <= SLICE {
            return self.verifier.verify(presented, method, target, body, now);
        }
        let mut verifying = self.verifier.begin(presented, method, target, now)?;
        for slice in body.chunks(SLICE) {
            verifying.update(slice);
            tokio::task::yield_now().await;
        }
        verifying.finish()
    }
}

/// The one valid name in `X-Service-Name`.
fn caller_name(headers: &HeaderMap) -> Result<ServiceName, Refusal> {
    let names = values(headers, &X_SERVICE_NAME);
    match names[..] {
        [] => Err(Refusal::of(Code::SignatureServiceMissing)),
        [name] => ServiceName::parse_header(name).map_err(|error| match error {
            NameError::NotVisibleAscii if !name.is_ascii() => Refusal::of(Code::BadIdentityHeader),
            _ => Refusal::of(Code::SignatureServiceMissing),
        }),
        _ => Err(Refusal::of(Code::BadIdentityHeader)),
    }
}

/// That every identity header stands once and is ASCII (docs/refusals.md, row 71).
fn check_identity(headers: &HeaderMap) -> Result<(), Refusal> {
    for name in headers.keys().filter(|name| is_identity(name)) {
        let values = values(headers, name);
        if values.len() > 1 || values.iter().any(|value| !value.is_ascii()) {
            return Err(Refusal::of(Code::BadIdentityHeader));
        }
    }
    Ok(())
}

/// Every value of the header `name`.
fn values<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a [u8]> {
    headers.get_all(name).iter().map(|value| value.as_bytes()).collect()
}
