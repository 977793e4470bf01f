//! reqwest, as its documentation calls with it.

use anyhow::anyhow;
use bytes::Bytes;
use reqwest::Client as Reqwest;

use super::{Arguments, Client};

/// A client and what it asks for.
pub(super) struct Calls {
    client: Reqwest,
    url: String,
}

impl Calls {
    /// As it is by default, with ring for a TLS that is not used, and without proxies that the environment may name.
    pub(super) fn new(arguments: &Arguments) -> anyhow::Result<Self> {
        let installed = rustls::crypto::ring::default_provider().install_default();
        installed.map_err(|_| anyhow!("a crypto provider was there before"))?;
        let client = Reqwest::builder().no_proxy().build()?;
        Ok(Self { client, url: format!("http://{}{}", arguments.target, arguments.path) })
    }
}

impl Client for Calls {
    async fn call(&self, post: Option<Bytes>) -> anyhow::Result<(u16, Bytes)> {
        let request = match post {
            None => self.client.get(&self.url),
            Some(body) => self.client.post(&self.url).body(body),
        };
        let answer = request.send().await?;
        Ok((answer.status().as_u16(), answer.bytes().await?))
    }
}
