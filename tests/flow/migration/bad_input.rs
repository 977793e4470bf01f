//! What others may write into the shared Redis, or send, that means nothing or two things.

use serde_json::json;

use super::{RustService, secret, sharing::PREFIX, signatures};
use crate::{
    house::{House, SECRET, wait_for},
    store::Store,
    wire,
};
use mesh_core::signature::Keyring;

const HEALTH: &[&str] = &[
    "",
    "garbage",
    "null",
    "[]",
    "3",
    "\"x\"",
    "{",
    "{}",
    r#"{"failures":"3"}"#,
    r#"{"failures":[9],"last_failure":{}}"#,
    r#"{"failures":-1,"last_failure":1}"#,
    r#"{"failures":9,"last_failure":"now"}"#,
    r#"{"failures":1e99,"last_failure":1}"#,
    "a:1:{s:8:\"failures\";i:3;}",
];

const MANIFESTS: &[&str] = &[
    "",
    "garbage",
    "null",
    "[]",
    "7",
    r#"{"service":"bad"}"#,
    r#"{"service":"bad","routes":"all","timestamp":"t"}"#,
    r#"{"service":"bad","routes":[7],"timestamp":"t"}"#,
    r#"{"service":"bad","routes":[{"method":"GET","uri":"/api/bad","name":["a"]}],"timestamp":"t"}"#,
    r#"{"service":"bad","routes":[{"method":"GET","uri":"/api/bad"},{"method":"GET","uri":"/{a}/{a}"}],"timestamp":"t"}"#,
    r#"{"service":"bad","routes":[{"method":"GET","uri":"/api/bad","_service":"good"}],"timestamp":"t"}"#,
    r#"{"service":"bad","routes":[{"method":["GET"],"uri":"/api/bad"}],"timestamp":"t"}"#,
    r#"{"service":"good","routes":[{"method":"GET","uri":"/api/bad"}],"timestamp":"t"}"#,
    r#"{"service":"bad","routes":[{"method":"GET","uri":"/api/bad"}"#,
];

/// A gateway before `good` and `bad`, both the same process.
fn settings(redis: &Store, url: &str) -> String {
    format!(
        "[services.good]\nbase_urls = [\"{url}\"]\n[services.bad]\nbase_urls = [\"{url}\"]\n[redis]\nurl = \"{}\"\n\
         prefix = \"{PREFIX}\"\n",
        redis.url()
    )
}

#[test]
fn health_values_that_are_none_cost_no_request() {
    let service = RustService::start(Keyring::new(secret(SECRET)));
    let redis = Store::start();
    let house = House::new(&settings(&redis, &service.url()));
    house.register("good", &[("GET", "/api/good")]);
    let gateway = house.gateway();
    let key = mesh_redis::Keys::new(PREFIX).health_of("good", &service.url());
    for value in HEALTH {
        redis.command(&["SET", &key, value]);
        let shown = house.run(&["health", "--json"]);
        let document: serde_json::Value = serde_json::from_slice(&shown.stdout).expect("json");
        assert_eq!(document["services"][0]["status"], "healthy", "{value}: {document}");
        assert_eq!(wire::get(&gateway.public, "/api/good").expect("an answer").status, 200, "{value}");
    }
}

#[test]
fn manifests_that_are_none_cost_nobody_else_a_route() {
    let service = RustService::start(Keyring::new(secret(SECRET)));
    let redis = Store::start();
    let house = House::new(&settings(&redis, &service.url()));
    house.register("good", &[("GET", "/api/good")]);
    let gateway = house.gateway();
    let status = |target: &str| wire::get(&gateway.public, target).map_or(0, |answer| answer.status);
    for (at, value) in MANIFESTS.iter().enumerate() {
        redis.command(&["SET", &format!("{PREFIX}manifest:bad"), value]);
        redis.command(&["SADD", &format!("{PREFIX}manifests"), "bad"]);
        let uri = format!("/api/good/{at}");
        house.register("good", &[("GET", "/api/good"), ("GET", &uri)]);
        wait_for(value, || (status(&uri) == 200).then_some(()));
        assert_eq!((status("/api/good"), status("/api/bad")), (200, 404), "{value}");
    }
}

#[test]
fn a_timestamp_with_text_that_php_takes_is_refused() {
    let now = signatures::NOW;
    for text in [
        format!("{now}abc"),
        format!("+{now}"),
        format!(" {now}"),
        "1.795220372e9".to_owned(),
        format!("{now}.9"),
    ] {
        let (by_php, by_us) = signatures::timestamp_is_taken(&json!(text));
        assert!(by_php, "php takes {text}: this test plays what the package does");
        assert!(!by_us, "{text}");
    }
    assert_eq!(signatures::timestamp_is_taken(&json!(now)), (true, true));
}
