//! A service that takes orders, and a shop that calls it: both take what they stand on as arguments, so that tests can
//! give them something else.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use mesh_client::{CallError, ServiceClient};
use mesh_core::{clock::Clock, event::EventSink, signature::Verifier, store::IdempotencyStore};
use mesh_http::{Caller, Idempotency, TrustService};
use serde_json::{Value, json};

/// What the service stands on. In production: Redis, the system's clock, a log.
#[derive(Clone, Debug)]
pub struct Ground {
    /// Who may call.
    pub verifier: Arc<Verifier>,
    /// Which requests ran already.
    pub store: Arc<dyn IdempotencyStore>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Who is told.
    pub sink: Arc<dyn EventSink>,
}

/// The service: `POST /api/orders` adds one order, once per key.
pub fn service(ground: &Ground) -> Router {
    Router::new()
        .route("/api/orders", post(order))
        .with_state(Arc::<AtomicU64>::default())
        .layer(Idempotency::layer(ground.store.clone()).event_sink(ground.sink.clone()).required())
        .layer(TrustService::layer(ground.verifier.clone()).clock(ground.clock.clone()))
}

async fn order(State(orders): State<Arc<AtomicU64>>, caller: Caller) -> (StatusCode, Json<Value>) {
    let number = orders.fetch_add(1, Ordering::Relaxed) + 1;
    (StatusCode::CREATED, Json(json!({ "order": number, "for": caller.name() })))
}

/// The caller: a shop that orders.
#[derive(Clone, Debug)]
pub struct Shop {
    client: ServiceClient,
}

impl Shop {
    /// A shop that calls with `client`.
    #[must_use]
    pub const fn new(client: ServiceClient) -> Self {
        Self { client }
    }

    /// Orders something, and gives the order's number.
    ///
    /// # Errors
    ///
    /// When the service does not take the order, or answers without a number.
    pub async fn order(&self, key: &str) -> Result<u64, CallError> {
        #[derive(serde::Deserialize)]
        struct Taken {
            order: u64,
        }
        let orders = self.client.service("orders");
        let request = orders.post("/api/orders", &json!({})).with_header("Idempotency-Key", key);
        let taken: Taken = request.send().await?.throw()?.json()?;
        Ok(taken.order)
    }
}
