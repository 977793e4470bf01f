//! The default transport: which scheme travels how, and what both need before a request that must not be repeated.

use std::{error::Error as StdError, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http::uri::Scheme;
use mesh_core::retry::Failure;

use super::{
    BodyStream, HttpTransport, Limits, TransportError, plain::PlainTransport, reqwest::ReqwestTransport,
};

/// Shorter than what servers usually keep an idle connection for (5 s), so that we close it and not they.
pub(super) const IDLE_LIMIT: Duration = Duration::from_secs(4);

/// `http://` over hyper-util's client, `https://` over reqwest.
#[derive(Debug)]
pub(crate) struct SchemeTransport {
    plain: PlainTransport,
    /// Absent: no base URL begins with `https://`, and TLS is not set up for nothing.
    secure: Option<ReqwestTransport>,
}

impl SchemeTransport {
    /// A transport whose connections are made within `connect_timeout`, whatever an attempt's own limit.
    ///
    /// # Errors
    ///
    /// When TLS cannot be set up, where it is `with_tls`.
    pub(crate) fn try_new(
        connect_timeout: Duration,
        with_tls: bool,
    ) -> Result<Self, Box<dyn StdError + Send + Sync>> {
        let secure = with_tls.then(|| ReqwestTransport::try_new(connect_timeout)).transpose()?;
        Ok(Self { plain: PlainTransport::new(connect_timeout), secure })
    }
}

#[async_trait]
impl HttpTransport for SchemeTransport {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        _limits: Limits,
    ) -> Result<http::Response<BodyStream>, TransportError> {
        if !request.method().is_idempotent() {
            // Lets the runtime see which idle connections their servers have closed: a request that must not be repeated
            // and is written to one of them fails, although nobody worked on it.
            tokio::task::yield_now().await;
        }
        if request.uri().scheme() == Some(&Scheme::HTTP) {
            return self.plain.send(request).await;
        }
        match &self.secure {
            // In a box of its own: requests to `http://` would carry room for it about.
            Some(secure) => Box::pin(secure.send(request)).await,
            None => Err(TransportError::not_sent(Failure::Malformed, "no base URL asked for TLS")),
        }
    }
}
