//! Requests to `https://` URLs: reqwest with ring, without redirects, proxies and retries of its own.

use std::{error::Error as StdError, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::StreamExt as _;
use mesh_core::retry::Failure;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use url::Url;

use super::{
    BodyStream, TransportError,
    failure::{broken_off, root_cause, unanswered},
    scheme::IDLE_LIMIT,
};

/// One pool of connections.
#[derive(Clone, Debug)]
pub(super) struct ReqwestTransport {
    client: ::reqwest::Client,
}

impl ReqwestTransport {
    /// A transport whose connections are made within `connect_timeout`, whatever an attempt's own limit.
    ///
    /// # Errors
    ///
    /// When TLS cannot be set up.
    pub(super) fn try_new(connect_timeout: Duration) -> Result<Self, Box<dyn StdError + Send + Sync>> {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let mut tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let client = ::reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(::reqwest::redirect::Policy::none())
            // Without the second, each request is copied in case it is sent again, which it never is.
            .retry(::reqwest::retry::never().max_retries_per_request(0))
            .no_proxy()
            .connect_timeout(connect_timeout)
            .pool_idle_timeout(IDLE_LIMIT)
            .build()?;
        Ok(Self { client })
    }

    /// Sends `request`, whose URI is absolute, and returns the answer's head as soon as it is there.
    ///
    /// # Errors
    ///
    /// As [`HttpTransport::send`](super::HttpTransport::send).
    pub(super) async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<BodyStream>, TransportError> {
        let (head, body) = request.into_parts();
        let url = Url::parse(&head.uri.to_string())
            .map_err(|error| TransportError::not_sent(Failure::Malformed, error.to_string()))?;
        if url.path() != head.uri.path() || url.query() != head.uri.query() {
            let message = "the target would be rewritten on its way";
            return Err(TransportError::not_sent(Failure::Malformed, message));
        }
        let mut outgoing = ::reqwest::Request::new(head.method, url);
        *outgoing.headers_mut() = head.headers;
        *outgoing.body_mut() = Some(body.into());
        let mut answer = self.client.execute(outgoing).await.map_err(|error| match error.is_builder() {
            true => TransportError::not_sent(Failure::Malformed, root_cause(error.source())),
            false => unanswered(error.source(), error.is_timeout()),
        })?;
        let mut head = http::Response::new(());
        *head.status_mut() = answer.status();
        *head.version_mut() = answer.version();
        *head.headers_mut() = std::mem::take(answer.headers_mut());
        let stream = answer
            .bytes_stream()
            .map(|part| part.map_err(|error| broken_off(error.source(), error.is_timeout())));
        Ok(head.map(|()| Box::pin(stream) as BodyStream))
    }
}
