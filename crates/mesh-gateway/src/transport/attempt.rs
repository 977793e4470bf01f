//! One attempt: sign, connect or take a connection, send, and say what came of it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, Uri,
    header::{CONTENT_LENGTH, HOST},
};
use http_body_util::Full;
use hyper::client::conn::TrySendError;
use mesh_client::driver::{Attempt, Sent, Transport};
use mesh_core::{
    clock::Clock,
    header::{X_SERVICE_NAME, X_SIGNATURE, X_TIMESTAMP},
    retry::{Failure, Outcome},
    service::BaseUrl,
    signature::Signer,
};
use tokio::{task::yield_now, time::timeout};

use super::{
    body::{Home, UpstreamBody},
    classify,
    connect::connect,
    pool::{Connection, Pool},
};

/// A request on its way to whichever instance takes it.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) pool: &'a Arc<Pool>,
    pub(crate) clock: &'a Arc<dyn Clock>,
    pub(crate) signer: &'a Signer,
    /// The gateway's own name.
    pub(crate) name: &'a HeaderValue,
    pub(crate) method: &'a Method,
    /// The service's path and the client's query, as they came.
    pub(crate) path_and_query: &'a str,
    /// Everything but `Host`, framing and the signature's headers.
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a Bytes,
    pub(crate) may_repeat: bool,
    pub(crate) connect_timeout: Duration,
}

/// Why an exchange came to nothing.
enum Broken {
    NotSent(Failure, String),
    Lost(Failure, String),
}

impl Transport for Outgoing<'_> {
    type Response = Response<UpstreamBody>;

    async fn send(&self, attempt: Attempt<'_>) -> Sent<Self::Response> {
        let result = match timeout(attempt.limit, self.exchange(&attempt.instance.url, attempt.limit)).await {
            Ok(result) => result,
            Err(_) => Err(Broken::Lost(
                Failure::Timeout,
                format!("no answer within {} ms", attempt.limit.as_millis()),
            )),
        };
        match result {
            Ok(response) => {
                let outcome = classify::answered(&response, self.clock.unix());
                let status = Some(response.status().as_u16());
                if matches!(outcome, Outcome::Lost(_)) {
                    return failed(
                        outcome,
                        "an upgrade that nobody asked for, or an unclear framing".to_owned(),
                    );
                }
                Sent { outcome, status, response: Some(response), message: String::new() }
            }
            Err(Broken::NotSent(failure, message)) => failed(Outcome::NotSent(failure), message),
            Err(Broken::Lost(failure, message)) => failed(Outcome::Lost(failure), message),
        }
    }
}

const fn failed<R>(outcome: Outcome, message: String) -> Sent<R> {
    Sent { outcome, status: None, response: None, message }
}

impl Outgoing<'_> {
    async fn exchange(&self, url: &BaseUrl, limit: Duration) -> Result<Response<UpstreamBody>, Broken> {
        let mut request = self.request(url)?;
        let authority: Arc<str> = Arc::from(url.authority());
        loop {
            let pooled = self.pooled(&authority).await;
            let was_pooled = pooled.is_some();
            let mut connection = match pooled {
                Some(connection) => connection,
                None => connect(url, limit.min(self.connect_timeout))
                    .await
                    .map_err(|message| Broken::NotSent(Failure::Connect, message))?,
            };
            if let Err(error) = connection.ready().await {
                if was_pooled {
                    self.pool.was_closed(&authority, self.clock.monotonic());
                    continue;
                }
                return Err(Broken::NotSent(Failure::Reset, error.to_string()));
            }
            match connection.try_send_request(request).await {
                Ok(response) => return Ok(self.wrap(response, authority, connection)),
                Err(mut failure) => match self.unsent(&mut failure, was_pooled, &authority) {
                    Some(unsent) if was_pooled => request = unsent,
                    Some(_) => return Err(Broken::NotSent(Failure::Reset, failure.error().to_string())),
                    // The instance closed the connection while it was idle; the next one is a fresh one.
                    None if was_pooled && self.may_repeat && !failure.error().is_parse() => {
                        request = self.request(url)?;
                    }
                    None => {
                        let error = failure.error();
                        return Err(Broken::Lost(classify::failed(error), error.to_string()));
                    }
                },
            }
        }
    }

    /// An idle connection, if there is one that this request may go over.
    async fn pooled(&self, authority: &Arc<str>) -> Option<Connection> {
        if self.may_repeat {
            return self.pool.take(authority, self.clock.monotonic());
        }
        loop {
            let connection = self.pool.take_steady(authority, self.clock.monotonic())?;
            // Lets the connection's own task read what has arrived: it sees an end before the request is written.
            yield_now().await;
            if !connection.is_closed() {
                return Some(connection);
            }
            self.pool.was_closed(authority, self.clock.monotonic());
        }
    }

    /// The request, if nothing of it was written. Notes that the instance closed a connection that was to be used again.
    fn unsent(
        &self,
        failure: &mut TrySendError<Request<Full<Bytes>>>,
        was_pooled: bool,
        authority: &Arc<str>,
    ) -> Option<Request<Full<Bytes>>> {
        if was_pooled && !failure.error().is_parse() {
            self.pool.was_closed(authority, self.clock.monotonic());
        }
        failure.take_message()
    }

    fn wrap(
        &self,
        response: Response<hyper::body::Incoming>,
        authority: Arc<str>,
        connection: Connection,
    ) -> Response<UpstreamBody> {
        let home = (!classify::closes(&response)).then(|| Home {
            pool: Arc::clone(self.pool),
            authority,
            connection,
            clock: Arc::clone(self.clock),
        });
        response.map(|incoming| UpstreamBody::new(incoming, home))
    }

    /// The request as it goes on the wire to the instance: the bytes that are signed are the bytes that are sent.
    fn request(&self, url: &BaseUrl) -> Result<Request<Full<Bytes>>, Broken> {
        let target = url.target(self.path_and_query);
        let timestamp = self.clock.unix().seconds();
        let signature = self.signer.sign(self.method.as_str(), &target, timestamp, self.body);
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = Uri::from_maybe_shared(target).map_err(unsendable)?;
        let headers = request.headers_mut();
        *headers = self.headers.clone();
        headers.insert(HOST, HeaderValue::from_str(url.authority()).map_err(unsendable)?);
        if self.body.is_empty() && [Method::POST, Method::PUT, Method::PATCH].contains(self.method) {
            // hyper says nothing of an empty body; services that expect one answer 411 then.
            headers.insert(CONTENT_LENGTH, 0.into());
        }
        headers.insert(X_SERVICE_NAME, self.name.clone());
        headers.insert(X_TIMESTAMP, timestamp.into());
        headers.insert(X_SIGNATURE, HeaderValue::from_str(signature.as_str()).map_err(unsendable)?);
        Ok(request)
    }
}

fn unsendable(error: impl std::fmt::Display) -> Broken {
    Broken::NotSent(Failure::Connect, error.to_string())
}
