//! A gateway with the two layers, on the in-memory store: services register with it over HTTP.
#![expect(clippy::print_stdout, reason = "says where it listens")]

use std::{error::Error, fs, sync::Arc};

use mesh_core::{
    clock::SystemClock,
    name::ServiceName,
    secret::Secret,
    service::{BaseUrl, Service},
    signature::Keyring,
    store::MemoryStore,
};
use mesh_gateway::{
    Gateway, GatewaySettings,
    server::{Listening, serve},
};
use permissions::{Tokens, guarded};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().collect();
    let [_, address, secret, tokens, services @ ..] = &arguments[..] else {
        return Err("usage: permissions-gateway ADDRESS SECRET TOKENS.json SERVICE=URL...".into());
    };
    let tokens = Tokens::parse(&fs::read_to_string(tokens)?)?;
    let keyring = Keyring::new(Secret::try_new(secret.as_str())?);
    let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));

    let mut settings = GatewaySettings::default();
    for service in services {
        let (name, url) = service.split_once('=').ok_or("a service is written SERVICE=URL")?;
        settings.configured.push(Service::new(ServiceName::parse(name)?, vec![BaseUrl::parse(url)?]));
    }
    let builder = Gateway::builder(ServiceName::parse("gateway")?, keyring, store.clone(), store);
    let gateway = guarded(builder.settings(settings), tokens).build()?;

    let running = serve(&gateway, Listening { public: address.parse()?, admin: None, workers: 1 })?;
    println!("listening on http://{}", running.public());
    tokio::signal::ctrl_c().await?;
    Ok(tokio::task::spawn_blocking(|| running.shutdown()).await?)
}
