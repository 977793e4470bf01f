//! `mesh-client`, as the first page of its documentation makes it.

use bytes::Bytes;
use mesh_client::{Identity, ServiceClient};
use mesh_core::name::ServiceName;
use mesh_core::secret::Secret;
use mesh_core::service::{BaseUrl, Service};
use mesh_core::signature::Keyring;

use super::{Arguments, Client};

/// The service's name, known to this process only.
const SERVICE: &str = "bench";

/// A client and what it asks for.
pub(super) struct Calls {
    client: ServiceClient,
    path: String,
}

impl Calls {
    /// One instance, every number as it is by default.
    pub(super) fn new(arguments: &Arguments) -> anyhow::Result<Self> {
        let keyring = Keyring::new(Secret::try_new(arguments.secret.clone())?);
        let urls = vec![BaseUrl::parse(&format!("http://{}", arguments.target))?];
        let client = ServiceClient::builder(Identity::new(ServiceName::parse("caller")?, keyring))
            .services([Service::new(ServiceName::parse(SERVICE)?, urls)])
            .build()?;
        Ok(Self { client, path: arguments.path.clone() })
    }
}

impl Client for Calls {
    async fn call(&self, post: Option<Bytes>) -> anyhow::Result<(u16, Bytes)> {
        let service = self.client.service(SERVICE);
        let request = match post {
            None => service.get(&*self.path),
            Some(body) => service.request(http::Method::POST, &*self.path).with_body(body),
        };
        let answer = request.send().await?;
        Ok((answer.status().as_u16(), answer.bytes().clone()))
    }
}
