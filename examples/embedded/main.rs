//! An axum app that takes some requests itself and leaves all others to a gateway, on one runtime and one port.
#![expect(clippy::print_stdout, reason = "says where it listens")]

use std::{error::Error, sync::Arc};

use axum::{Router, routing::get};
use mesh_core::{
    clock::SystemClock, name::ServiceName, secret::Secret, signature::Keyring, store::MemoryStore,
};
use mesh_gateway::{Gateway, Peer};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().collect();
    let [_, address, admin, secret] = &arguments[..] else {
        return Err("usage: embedded-gateway ADDRESS ADMIN_ADDRESS SECRET".into());
    };
    let keyring = Keyring::new(Secret::try_new(secret.as_str())?);
    let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    let gateway = Gateway::builder(ServiceName::parse("gateway")?, keyring, store.clone(), store).build()?;

    let embedded = gateway.embed();
    let admin = TcpListener::bind(admin).await?;
    let admin_app = gateway.admin_router::<()>();
    tokio::spawn(async move { axum::serve(admin, admin_app).await });

    let app = Router::new().route("/", get(async || "the app's own")).fallback_service(gateway);
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let interrupted = async {
        let _stops_also_without_signals = tokio::signal::ctrl_c().await;
    };
    axum::serve(listener, app.into_make_service_with_connect_info::<Peer>())
        .with_graceful_shutdown(embedded.drain_when(interrupted))
        .await?;
    embedded.shutdown().await;
    Ok(())
}
