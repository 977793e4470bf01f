//! A Rust service that takes the place of a PHP service: the same name, secret, routes and keys in Redis.
#![expect(clippy::print_stdout, reason = "says where it listens")]

mod settings;

use std::{error::Error, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    serve,
};
use mesh_client::{Identity, ServiceClient};
use mesh_core::signature::Verifier;
use mesh_http::{Caller, Idempotency, Routes, TrustService, manifest_endpoint};
use mesh_redis::RedisStore;
use serde_json::{Value, json};

use settings::Settings;

/// A product, and what `oms`, which is still PHP, knows of its orders.
async fn show(
    State(client): State<ServiceClient>,
    Path(product): Path<u64>,
) -> Result<Json<Value>, StatusCode> {
    let call = client.service("oms").get("/api/orders").with_query([("product", product.to_string())]);
    let orders = call.send().await.and_then(|answer| answer.throw()).map_err(|_| StatusCode::BAD_GATEWAY)?;
    Ok(Json(json!({ "id": product, "orders": orders.get("data").unwrap_or_default() })))
}

async fn create(caller: Caller, Json(product): Json<Value>) -> (StatusCode, Json<Value>) {
    (StatusCode::CREATED, Json(json!({ "product": product, "by": caller.name() })))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let [_, file, address] = &std::env::args().collect::<Vec<_>>()[..] else {
        return Err("usage: migrate-from-php MESH_TOML ADDRESS".into());
    };
    let settings = Settings::read(file)?;
    let store = Arc::new(RedisStore::connect(&settings.redis.url, &settings.redis.prefix)?);
    let client = ServiceClient::builder(Identity::new(settings.name()?, settings.keyring()?))
        .services(settings.services()?)
        .health_store(store.clone())
        .health_policy(settings.health()?)
        .manifest_store(store.clone())
        .manifest_ttl(settings.manifest_ttl())
        .build()?;

    let routes = Routes::new(settings.name()?.as_str())
        .get("/api/products/{product}", show)
        .name("products.show")
        .post("/api/products", create)
        .name("products.store")
        .meta("permissions", json!(["products.edit"]));
    let (router, manifest) = routes.with_state(client.clone()).into_parts();

    let mut once = Idempotency::layer(store).service(settings.name()?);
    if settings.compat() {
        once = once.compat();
    }
    let verifier = Arc::new(Verifier::new(settings.keyring()?, settings.tolerance()));
    let app = router
        .layer(once)
        .layer(TrustService::layer(verifier.clone()))
        .merge(manifest_endpoint(manifest.clone(), verifier));

    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let _registered = client.keep_registered(manifest, settings.manifest_ttl() / 3);
    Ok(serve(listener, app).await?)
}
