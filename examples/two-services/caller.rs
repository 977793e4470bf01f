//! A caller: one call that changes something, one that asks; signed, retried, failed over.
#![expect(clippy::print_stdout, reason = "prints the answers")]

use mesh_client::{Identity, ServiceClient};
use mesh_core::service::{BaseUrl, Service};
use mesh_core::{name::ServiceName, secret::Secret, signature::Keyring};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [_, secret, urls @ ..] = &std::env::args().collect::<Vec<_>>()[..] else {
        return Err("usage: two-services-caller SECRET URL...".into());
    };
    let identity =
        Identity::new(ServiceName::parse("shop")?, Keyring::new(Secret::try_new(secret.as_str())?));
    let urls = urls.iter().map(|url| BaseUrl::parse(url)).collect::<Result<_, _>>()?;
    let client = ServiceClient::builder(identity)
        .services([Service::new(ServiceName::parse("stock")?, urls)])
        .build()?;

    let added: serde_json::Value =
        client.service("stock").post("/api/bananas", &5).send().await?.throw()?.json()?;
    println!("{added}");
    let bananas = client.service("stock").get("/api/bananas").send().await?.throw()?.get("bananas");
    println!("bananas: {}", bananas.unwrap_or_default());
    Ok(())
}
