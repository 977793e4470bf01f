//! The default transport: reqwest with ring, without redirects, proxies and retries of its own.

use std::{
    error::Error as StdError,
    io,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use mesh_core::retry::Failure;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use url::Url;

use super::{BodyStream, HttpTransport, Limits, TransportError};

/// Shorter than what servers usually keep an idle connection for (5 s), so that we close it and not they.
const IDLE_LIMIT: Duration = Duration::from_secs(4);

/// One pool of connections.
#[derive(Clone, Debug)]
pub(crate) struct ReqwestTransport {
    client: ::reqwest::Client,
    bases: Arc<RwLock<Vec<Url>>>,
}

/// URLs of instances that are kept parsed. Beyond so many each call parses its own: to look through more takes as long.
const MAX_BASES: usize = 64;

impl ReqwestTransport {
    /// A transport whose connections are made within `connect_timeout`, whatever an attempt's own limit.
    ///
    /// # Errors
    ///
    /// When TLS cannot be set up.
    pub(crate) fn try_new(connect_timeout: Duration) -> Result<Self, Box<dyn StdError + Send + Sync>> {
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
        Ok(Self { client, bases: Arc::default() })
    }

    /// What `uri` is as a URL. Hosts are parsed once and not with every call: it costs as much as all else of a URL.
    fn url(&self, uri: &http::Uri) -> Result<Url, TransportError> {
        let known = |bases: &Vec<Url>| bases.iter().find(|base| is_of(base, uri)).cloned();
        let base = known(&self.bases.read().unwrap_or_else(PoisonError::into_inner));
        if let Some(mut url) = base {
            url.set_path(uri.path());
            url.set_query(uri.query());
            return Ok(url);
        }
        let url = Url::parse(&uri.to_string())
            .map_err(|error| TransportError::not_sent(Failure::Malformed, error.to_string()))?;
        let mut base = url.clone();
        base.set_path("/");
        base.set_query(None);
        let mut bases = self.bases.write().unwrap_or_else(PoisonError::into_inner);
        if bases.len() < MAX_BASES && is_of(&base, uri) && known(&bases).is_none() {
            bases.push(base);
        }
        Ok(url)
    }
}

#[async_trait]
impl HttpTransport for ReqwestTransport {
    async fn send(
        &self,
        request: http::Request<Bytes>,
        _limits: Limits,
    ) -> Result<http::Response<BodyStream>, TransportError> {
        let (head, body) = request.into_parts();
        let url = self.url(&head.uri)?;
        if url.path() != head.uri.path() || url.query() != head.uri.query() {
            let message = "the target would be rewritten on its way";
            return Err(TransportError::not_sent(Failure::Malformed, message));
        }
        let mut outgoing = ::reqwest::Request::new(head.method, url);
        *outgoing.headers_mut() = head.headers;
        *outgoing.body_mut() = Some(body.into());
        if !outgoing.method().is_idempotent() {
            // Lets the runtime see which idle connections their servers have closed: a request that must not be repeated
            // and is written to one of them fails, although nobody worked on it.
            tokio::task::yield_now().await;
        }
        let mut answer = self.client.execute(outgoing).await.map_err(|error| unanswered(&error))?;
        let mut head = http::Response::new(());
        *head.status_mut() = answer.status();
        *head.version_mut() = answer.version();
        *head.headers_mut() = std::mem::take(answer.headers_mut());
        let stream = answer.bytes_stream().map(|part| part.map_err(|error| broken_off(&error)));
        Ok(head.map(|()| Box::pin(stream) as BodyStream))
    }
}

/// Whether `base`, `http://host:port/`, is the root of `uri`, written alike.
fn is_of(base: &Url, uri: &http::Uri) -> bool {
    let of = || {
        let origin = base.as_str().strip_suffix('/')?.strip_prefix(uri.scheme_str()?)?.strip_prefix("://")?;
        Some(origin == uri.authority()?.as_str())
    };
    of() == Some(true)
}

/// What failed before the head of an answer was read.
fn unanswered(error: &::reqwest::Error) -> TransportError {
    let message = root_cause(error);
    if error.is_connect() {
        let failure = match find::<io::Error>(error) {
            _ if error.is_timeout() => Failure::Timeout,
            Some(cause) => Failure::of_connect(cause),
            None => Failure::Connect,
        };
        return TransportError::not_sent(failure, message);
    }
    if error.is_builder() {
        return TransportError::not_sent(Failure::Malformed, message);
    }
    match find::<hyper::Error>(error) {
        // hyper took the request back from a connection that was closed before it was written.
        Some(cause) if cause.is_canceled() => TransportError::not_sent(Failure::Reset, message),
        Some(cause) if cause.is_parse() => TransportError::lost(Failure::Malformed, message),
        _ if error.is_timeout() => TransportError::lost(Failure::Timeout, message),
        _ => TransportError::lost(Failure::Reset, message),
    }
}

/// What failed while the body was read.
fn broken_off(error: &::reqwest::Error) -> TransportError {
    let failure = if error.is_timeout() { Failure::Timeout } else { Failure::Truncated };
    TransportError::lost(failure, root_cause(error))
}

fn sources<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    sources(error).find_map(|error| error.downcast_ref())
}

/// The innermost source's text: it knows what happened, and no URL.
fn root_cause(error: &::reqwest::Error) -> String {
    error
        .source()
        .and_then(|source| sources(source).last())
        .map_or_else(|| "the request could not be sent".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_the_same_whether_its_base_is_known_or_not() {
        let transport = ReqwestTransport::try_new(Duration::from_secs(1)).unwrap();
        for uri in [
            "http://127.0.0.1:8001/api/a%20b?x=1&y='",
            "http://127.0.0.1:8001/",
            "http://127.0.0.1:8001/p/?",
            "http://127.0.0.1:80/a",
            "http://127.0.0.1/a",
            "http://EXAMPLE.test:8001/a;b=c/d",
            "https://[::1]:8443/a/b",
            "https://example.test/a:b@c",
            "https://example.test:443/a",
        ] {
            let (parsed, uri) = (Url::parse(uri).unwrap(), uri.parse().unwrap());
            for _ in 0..3 {
                assert_eq!(transport.url(&uri).unwrap(), parsed, "{uri}");
            }
        }
        // Those that are written otherwise than a URL is are parsed each time.
        assert_eq!(transport.bases.read().unwrap().len(), 4);
    }

    #[test]
    fn the_bases_that_are_kept_are_bounded() {
        let transport = ReqwestTransport::try_new(Duration::from_secs(1)).unwrap();
        for port in 1_001..=1_200 {
            let uri = format!("http://127.0.0.1:{port}/a").parse().unwrap();
            assert_eq!(transport.url(&uri).unwrap().as_str(), uri.to_string());
        }
        assert_eq!(transport.bases.read().unwrap().len(), MAX_BASES);
    }
}
