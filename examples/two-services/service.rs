//! A service: two routes, declared once, open to callers that hold the secret.
#![expect(clippy::print_stdout, reason = "says where it listens")]

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Json, extract::State, serve};
use mesh_core::signature::{Keyring, Verifier};
use mesh_core::{clock::SystemClock, name::ServiceName, secret::Secret, store::MemoryStore};
use mesh_http::{Caller, Idempotency, Routes, TrustService, manifest_endpoint};
use serde_json::{Value, json};

type Bananas = Arc<AtomicU64>;

async fn count(State(bananas): State<Bananas>) -> Json<Value> {
    Json(json!({ "bananas": bananas.load(Ordering::Relaxed) }))
}

async fn add(State(bananas): State<Bananas>, caller: Caller, Json(more): Json<u64>) -> Json<Value> {
    let before = bananas.fetch_add(more, Ordering::Relaxed);
    Json(json!({ "bananas": before + more, "thanks": caller.name() }))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let [_, address, secret] = &std::env::args().collect::<Vec<_>>()[..] else {
        return Err("usage: two-services-service ADDRESS SECRET".into());
    };
    let keyring = Keyring::new(Secret::try_new(secret.as_str())?);
    let verifier = Arc::new(Verifier::new(keyring, Duration::from_secs(60)));
    let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));

    let routes =
        Routes::new("stock").get("/api/bananas", count).post("/api/bananas", add).meta("idempotency", true);
    let (router, manifest) = routes.with_state(Bananas::default()).into_parts();
    let app = router
        .layer(Idempotency::layer(store).service(ServiceName::parse("stock")?))
        .layer(TrustService::layer(verifier.clone()))
        .merge(manifest_endpoint(manifest, verifier));

    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(serve(listener, app).await?)
}
