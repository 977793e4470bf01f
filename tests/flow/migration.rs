//! A fleet on its way from PHP to Rust: both sides call each other, share Redis, and change their secret together.
//! The PHP side is peer.php, written from docs/wire.md with PHP's own `hash_hmac`.

mod bad_input;
mod calls;
mod chance;
mod ran;
mod rotation;
mod sharing;
mod signatures;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Json, Router, routing::any};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Method, Uri};
use mesh_core::{
    name::ServiceName,
    secret::Secret,
    signature::{Keyring, Verifier},
};
use mesh_http::{Caller, TrustService};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// A Rust service of the fleet: answers with what arrived, to whoever holds a secret of the keyring.
#[derive(Debug)]
struct RustService {
    address: SocketAddr,
    _runtime: Runtime,
}

impl RustService {
    fn start(keyring: Keyring) -> Self {
        Self::of(Router::new().fallback(any(echo)), keyring)
    }

    fn of(app: Router, keyring: Keyring) -> Self {
        let runtime = runtime();
        let verifier = Arc::new(Verifier::new(keyring, Duration::from_secs(60)));
        let app = app.layer(TrustService::layer(verifier));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("an address");
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { address, _runtime: runtime }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn echo(caller: Caller, method: Method, uri: Uri, body: Bytes) -> Json<Value> {
    let body = STANDARD.encode(body);
    Json(
        json!({ "method": method.as_str(), "target": uri.to_string(), "caller": caller.name(), "body": body }),
    )
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

fn name(text: &str) -> ServiceName {
    ServiceName::parse(text).expect("a name")
}

fn secret(text: &str) -> Secret {
    Secret::try_new(text).expect("a secret")
}

/// Routes of `service` for every method, on one and on two parameters.
fn routes(service: &str) -> Vec<(&'static str, String)> {
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter();
    let uris = [format!("/api/{service}/{{a}}"), format!("/api/{service}/{{a}}/{{b}}")];
    methods.flat_map(|method| uris.clone().map(|uri| (method, uri))).collect()
}
