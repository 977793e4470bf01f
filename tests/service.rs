//! A service for stories about requests that are sent twice: writes down each run of its handlers.
//!
//! Usage: idempotent-service FOLDER NAME REDIS_URL LOCK_MILLIS MODE. Prints its port on the first line of stdout. Each run
//! appends `NAME KEY` to FOLDER/log. MODE is `trusted` (callers sign), `required` (and the store must be there), `compat`
//! (the PHP package's keys) or `bare` (callers sign, and every request runs).

use std::{
    error::Error, fs::OpenOptions, io::Write as _, path::PathBuf, pin::Pin, sync::Arc, task::Poll,
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::{any, post},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use mesh_core::{
    name::ServiceName,
    secret::Secret,
    signature::{Keyring, Verifier},
};
use mesh_http::{Idempotency, TrustService};
use mesh_redis::RedisStore;

const SECRET: &str = "flow-secret-of-32-bytes-and-more";
const KIB_256: usize = 256 << 10;

struct Place {
    folder: PathBuf,
    name: String,
}

impl Place {
    /// Writes down that a handler began.
    fn began(&self, headers: &HeaderMap) {
        let key = headers.get("x-request-id").and_then(|key| key.to_str().ok()).unwrap_or("-");
        let mut log =
            OpenOptions::new().append(true).create(true).open(self.folder.join("log")).expect("a log");
        log.write_all(format!("{} {key}\n", self.name).as_bytes()).expect("a line in the log");
    }

    /// Who answered, for whom.
    fn created(&self, headers: &HeaderMap, body: &[u8]) -> Response {
        let said =
            |name| headers.get(name).map(|value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()));
        let answer = serde_json::json!({
            "by": self.name,
            "authorization": said(header::AUTHORIZATION),
            "cookie": said(header::COOKIE),
            "body": String::from_utf8_lossy(body),
        });
        (StatusCode::CREATED, axum::Json(answer)).into_response()
    }
}

type Shared = State<Arc<Place>>;

async fn work(State(place): Shared, headers: HeaderMap, body: Bytes) -> Response {
    place.began(&headers);
    place.created(&headers, &body)
}

async fn slow(State(place): Shared, headers: HeaderMap, body: Bytes) -> Response {
    place.began(&headers);
    tokio::time::sleep(Duration::from_millis(200)).await;
    place.created(&headers, &body)
}

/// Answers once there is a file NAME.go.
async fn hold(State(place): Shared, headers: HeaderMap, body: Bytes) -> Response {
    place.began(&headers);
    while !place.folder.join(format!("{}.go", place.name)).exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    place.created(&headers, &body)
}

async fn answer(State(place): Shared, Path(kind): Path<String>, headers: HeaderMap) -> Response {
    place.began(&headers);
    match kind.as_str() {
        "binary" => (0..=255_u8).collect::<Vec<_>>().into_response(),
        "empty" => StatusCode::NO_CONTENT.into_response(),
        "largest" => "x".repeat(KIB_256).into_response(),
        "oversized" => "x".repeat(KIB_256 + 1).into_response(),
        "streamed" => Body::new(Streamed(Some(Bytes::from_static(b"as it comes")))).into_response(),
        "failing" => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        "headers" => (
            StatusCode::ACCEPTED,
            [
                ("content-type", "application/json"),
                ("x-kept", "Köln"),
                ("set-cookie", "session=1"),
                ("authorization", "Bearer x"),
                ("date", "Sat, 21 Nov 2026 00:00:00 GMT"),
            ]
            .map(|(name, value)| (name, HeaderValue::from_bytes(value.as_bytes()).expect("a value"))),
            "{\"städt\":\"/\"}",
        )
            .into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A body whose length nobody knows before its end.
struct Streamed(Option<Bytes>);

impl http_body::Body for Streamed {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(http_body::Frame::data(bytes))))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let [_, folder, name, redis, lock_millis, mode] = &std::env::args().collect::<Vec<_>>()[..] else {
        return Err("usage: idempotent-service FOLDER NAME REDIS_URL LOCK_MILLIS MODE".into());
    };
    let place = Arc::new(Place { folder: folder.into(), name: name.clone() });
    let keyring = Keyring::new(Secret::try_new(SECRET)?);
    let verifier = Verifier::new(keyring, Duration::from_secs(60));
    let store = Arc::new(RedisStore::connect(redis, "microservice:")?);
    let layer = Idempotency::layer(store)
        .service(ServiceName::parse("stock")?)
        .lock_timeout(Duration::from_millis(lock_millis.parse()?));

    let routes = Router::new()
        .route("/api/work", any(work))
        .route("/api/slow", post(slow))
        .route("/api/hold", post(hold))
        .route("/api/answer/{kind}", post(answer))
        .with_state(place);
    let app = match mode.as_str() {
        "trusted" => routes.layer(layer).layer(TrustService::layer(verifier)),
        "required" => routes.layer(layer.required()).layer(TrustService::layer(verifier)),
        "compat" => routes.layer(layer.compat()),
        "bare" => routes.layer(TrustService::layer(verifier)),
        other => return Err(format!("no mode {other}").into()),
    };

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", listener.local_addr()?.port())?;
    out.flush()?;
    axum::serve(listener, app).await?;
    Ok(())
}
