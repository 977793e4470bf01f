//! A demo service as a process of its own: `orders` or `catalog`. Written as a user would write one.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use mesh_client::{Identity, ServiceClient, ServiceResponse};
use mesh_core::{
    clock::SystemClock,
    entropy::{Entropy as _, SystemEntropy, uuid_v4},
    name::ServiceName,
    route::Manifest,
    secret::Secret,
    service::{BaseUrl, Service},
    signature::{Keyring, Verifier},
    store::MemoryStore,
};
use mesh_http::{
    idempotency::Idempotency,
    manifest::{Routes, manifest_endpoint},
    verify::TrustService,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines, Stdin},
    net::TcpListener,
    sync::OnceCell,
};

use super::house::Neighbours;
use crate::{
    args::DevService,
    exit::{Exit, Failure},
    output::Output,
};

/// How far a signature's timestamp may be off.
const TOLERANCE: Duration = Duration::from_secs(60);
/// How often routes are registered again; manifests live for 300 s.
const EVERY: Duration = Duration::from_secs(60);
/// Those who call each other here.
const GATEWAY: &str = "gateway";
const CATALOG: &str = "catalog";

/// What the handlers of `orders` share: a client, once the neighbours are known.
type Caller = Arc<OnceCell<ServiceClient>>;

pub(crate) fn run(service: &DevService, output: &Output) -> Result<Exit, Failure> {
    let served = crate::commands::client::runtime()?.block_on(serve(&service.name, output));
    served.map(|()| Exit::Ok).map_err(|error| Failure::new(Exit::Problem, format!("{error:#}")))
}

async fn serve(name: &str, output: &Output) -> anyhow::Result<()> {
    let mut input = BufReader::new(tokio::io::stdin()).lines();
    let secret = input.next_line().await?.context("no secret on the standard input")?;
    let keyring = Keyring::new(Secret::try_new(secret)?);
    let caller = Caller::default();
    let (router, manifest) = match name {
        CATALOG => catalog().try_into_parts()?,
        _ => orders(Arc::clone(&caller)).try_into_parts()?,
    };
    let app = app(router, &manifest, &keyring)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    output.line(listener.local_addr()?);
    tokio::select! {
        served = async { axum::serve(listener, app).await } => served?,
        ended = introduced(input, name, keyring, manifest, caller) => ended?,
    }
    Ok(())
}

/// The service: verified first, then de-duplicated, then handled.
fn app(router: Router, manifest: &Manifest, keyring: &Keyring) -> anyhow::Result<Router> {
    let verifier = Arc::new(Verifier::new(keyring.clone(), TOLERANCE));
    let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    Ok(router
        .layer(Idempotency::layer(store).service(manifest.service.clone()))
        .layer(TrustService::layer(Arc::clone(&verifier)))
        .merge(manifest_endpoint(manifest.clone(), verifier)))
}

/// Waits for the neighbours, registers the routes, and stays until the standard input ends: then the demo is over.
async fn introduced(
    mut input: Lines<BufReader<Stdin>>,
    name: &str,
    keyring: Keyring,
    manifest: Manifest,
    caller: Caller,
) -> anyhow::Result<()> {
    let Some(line) = input.next_line().await? else { return Ok(()) };
    let neighbours: Neighbours = serde_json::from_str(&line)?;
    let catalog = neighbours.catalog.iter().map(|url| BaseUrl::parse(url)).collect::<Result<Vec<_>, _>>()?;
    let client = ServiceClient::builder(Identity::new(ServiceName::parse(name)?, keyring))
        .services([
            Service::new(ServiceName::parse(GATEWAY)?, vec![BaseUrl::parse(&neighbours.gateway)?]),
            Service::new(ServiceName::parse(CATALOG)?, catalog),
        ])
        .manifest_gateway(ServiceName::parse(GATEWAY)?)
        .build()?;
    caller.set(client.clone()).ok();
    let _registration = client.keep_registered(manifest, EVERY);
    while input.next_line().await?.is_some() {}
    Ok(())
}

fn catalog() -> Routes {
    Routes::new(CATALOG)
        .get("/api/products", || async {
            Json(json!({ "products": [product(1), product(2)], "by": by(CATALOG) }))
        })
        .name("products.index")
        .get("/api/products/{product}", |Path(id): Path<u64>| async move {
            Json(json!({ "data": product(id), "by": by(CATALOG) }))
        })
        .name("products.show")
}

fn orders(caller: Caller) -> Routes {
    Routes::new("orders")
        .get("/api/orders", || async { Json(json!({ "orders": [1, 2], "by": by("orders") })) })
        .name("orders.index")
        .get("/api/orders/{order}", |Path(id): Path<u64>| async move {
            Json(json!({ "id": id, "state": "paid", "by": by("orders") }))
        })
        .name("orders.show")
        .post("/api/orders", place)
        .name("orders.store")
        .meta("idempotency", true)
        .with_state(caller)
}

/// Places an order: asks the catalog for the product, with a signed call.
async fn place(State(caller): State<Caller>, Json(order): Json<Value>) -> Response {
    let Some(client) = caller.get() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "not introduced yet").into_response();
    };
    let path = format!("/api/products/{}", order["product_id"].as_u64().unwrap_or(1));
    let found = client.service(CATALOG).get(path).send().await.and_then(ServiceResponse::throw);
    match found {
        Ok(answer) => {
            let placed = json!({
                "id": order_id(), "product": answer.get("data"), "quantity": order["quantity"],
                "by": by("orders"), "asked": answer.get("by"),
            });
            (StatusCode::CREATED, Json(placed)).into_response()
        }
        Err(error) => (StatusCode::BAD_GATEWAY, Json(json!({ "error": error.to_string() }))).into_response(),
    }
}

/// A number of its own for every order: running the handler twice would show.
fn order_id() -> String {
    let mut random = [0; 16];
    SystemEntropy::new().fill(&mut random);
    uuid_v4(random)
}

fn product(id: u64) -> Value {
    json!({ "id": id, "name": format!("product {id}") })
}

/// Which process answers.
fn by(service: &str) -> Value {
    json!({ "service": service, "pid": std::process::id() })
}
