//! The service in a fleet whose other half is PHP, of which only the keys in Redis and the answers are played.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use mesh_client::{Identity, ServiceClient};
use mesh_core::{
    name::ServiceName,
    secret::Secret,
    service::{BaseUrl, Service},
    signature::Keyring,
};
use mesh_testkit::{
    redis::{RedisServer, Reply},
    upstream::{Canned, FakeUpstream},
};
use serde_json::{Value, json};

const PREFIX: &str = "laravel_database_microservice:";

/// The running service; ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The service with the example's own settings, but for the addresses.
fn serve(redis: &RedisServer, oms: &FakeUpstream) -> (Running, String) {
    let folder = tempfile::tempdir().unwrap();
    let settings = include_str!("mesh.toml")
        .replace("http://127.0.0.1:8002", &oms.url())
        .replace("redis://127.0.0.1:6379/0", &redis.url());
    let file = folder.path().join("mesh.toml");
    std::fs::write(&file, settings).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_migrate-from-php"))
        .arg(&file)
        .arg("127.0.0.1:0")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
    (Running(child), url)
}

fn caller(url: &str) -> ServiceClient {
    let name = |text| ServiceName::parse(text).unwrap();
    let keyring = Keyring::new(Secret::try_new("the secret of the whole fleet").unwrap());
    let pim = Service::new(name("pim"), vec![BaseUrl::parse(url).unwrap()]);
    ServiceClient::builder(Identity::new(name("gateway"), keyring)).services([pim]).build().unwrap()
}

async fn stored(redis: &RedisServer, key: &str) -> Value {
    let looks = async {
        loop {
            if let Reply::Bytes(bytes) = redis.command(&["GET", &format!("{PREFIX}{key}")]).await {
                return serde_json::from_slice(&bytes).unwrap();
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), looks).await.unwrap()
}

#[tokio::test]
async fn a_service_that_was_php_shares_its_keys_with_those_that_still_are() {
    let redis = RedisServer::start().await;
    let oms = FakeUpstream::scripted([Canned::json(r#"{"data":[17]}"#)]).await.unwrap();
    let (_running, url) = serve(&redis, &oms);
    let client = caller(&url);

    let manifest = stored(&redis, "manifest:pim").await;
    assert_eq!(manifest["routes"][0]["name"], "products.show");

    let product = client.service("pim").get("/api/products/7").send().await.unwrap();
    assert_eq!(product.json::<Value>().unwrap(), json!({ "id": 7, "orders": [17] }));
    let asked = &oms.requests()[0];
    assert_eq!(
        (asked.target.as_str(), asked.header("x-service-name")),
        ("/api/orders?product=7", vec![&b"pim"[..]])
    );

    let create = || {
        client.service("pim").post("/api/products", &json!({ "n": 1 })).with_header("X-Request-Id", "id-1")
    };
    assert_eq!(create().send().await.unwrap().status(), http::StatusCode::CREATED);
    let kept = stored(&redis, "idempotency:id-1").await;
    assert_eq!(
        (&kept["status"], &kept["content"]),
        (&json!(201), &json!(r#"{"by":"gateway","product":{"n":1}}"#))
    );
    assert_eq!(create().send().await.unwrap().header("X-Idempotency-Cache-Hit"), Some("true"));

    let entry =
        r#"{"status":202,"headers":{"content-type":["application\/json"]},"content":"{\"by\":\"php\"}"}"#;
    redis.command(&["SETEX", &format!("{PREFIX}idempotency:id-2"), "60", entry]).await;
    let replayed = create().with_header("X-Request-Id", "id-2").send().await.unwrap();
    assert_eq!((replayed.status().as_u16(), replayed.text().as_ref()), (202, r#"{"by":"php"}"#));
}
