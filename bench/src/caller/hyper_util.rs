//! hyper-util's client, as its documentation calls with it.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;

use super::{Arguments, Client};

/// A client and what it asks for.
pub(super) struct Calls {
    client: legacy::Client<HttpConnector, Full<Bytes>>,
    url: String,
}

impl Calls {
    /// As it is by default.
    pub(super) fn new(arguments: &Arguments) -> Self {
        let client = legacy::Client::builder(TokioExecutor::new()).build_http();
        Self { client, url: format!("http://{}{}", arguments.target, arguments.path) }
    }
}

impl Client for Calls {
    async fn call(&self, post: Option<Bytes>) -> anyhow::Result<(u16, Bytes)> {
        let request = match post {
            None => Request::get(&self.url).body(Full::default()),
            Some(body) => Request::post(&self.url).body(Full::new(body)),
        };
        let answer = self.client.request(request?).await?;
        let status = answer.status().as_u16();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }
}
