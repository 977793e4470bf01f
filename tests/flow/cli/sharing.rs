//! One health for PHP and Rust processes: the package's own commands on one side, the binary on the other.

use mesh_core::clock::{Clock as _, SystemClock};
use mesh_testkit::redis::Reply;
use serde_json::{Value, json};

use super::{rows, run};
use crate::{
    house::{House, python_service},
    store::Store,
};

/// `health_key_rule` and the md5 of `http://127.0.0.1:8001` in tests/vectors/redis.json.
const OMS: &str = "microservice:health:oms:0e43914763cde60845992139bc85c580";
const OMS_URL: &str = "http://127.0.0.1:8001";
const THRESHOLD: u64 = 3;
const RECOVERY: u64 = 30;

fn now() -> u64 {
    SystemClock.unix().seconds()
}

/// A PHP process: every command is one that the package sends, every rule is its own.
struct Php<'s>(&'s Store);

impl Php<'_> {
    fn record(&self, key: &str) -> Option<Value> {
        serde_json::from_str(self.0.command(&["GET", key]).text()?).ok()
    }

    /// GET, add, SETEX with twice the recovery timeout.
    fn failed(&self, key: &str) {
        let failures = self.record(key).map_or(0, |record| record["failures"].as_u64().unwrap_or(0));
        let record = format!("{{\"failures\":{},\"last_failure\":{}}}", failures + 1, now());
        self.0.command(&["SETEX", key, &(RECOVERY * 2).to_string(), &record]);
    }

    fn succeeded(&self, key: &str) {
        self.0.command(&["DEL", key]);
    }

    /// No key, or fewer failures than the threshold, or the recovery timeout is over.
    fn is_healthy(&self, key: &str) -> bool {
        self.record(key).is_none_or(|record| {
            let of = |field: &str| record[field].as_u64().expect("a whole number");
            of("failures") < THRESHOLD || now() - of("last_failure") >= RECOVERY
        })
    }
}

fn house(redis: &Store, url: &str) -> House {
    House::new(&format!(
        "[services.oms]\nbase_urls = [\"{url}\"]\n[defaults]\nretries = 0\n[redis]\nurl = \"{}\"\n",
        redis.url()
    ))
}

#[test]
fn failures_that_a_php_process_counted_stand_in_the_table_and_the_document_of_health() {
    let redis = Store::start();
    let (house, php) = (house(&redis, OMS_URL), Php(&redis));
    for failures in 1..=THRESHOLD {
        let before = now();
        php.failed(OMS);
        let document = run(&house, &[], &["health", "--json"]);
        let row = &document.json()["services"][0];
        let is_open = failures == THRESHOLD;
        assert_eq!(row["status"], if is_open { "unhealthy" } else { "healthy" }, "{row}");
        assert_eq!(
            (&row["service"], &row["url"], &row["failures"]),
            (&json!("oms"), &json!(OMS_URL), &json!(failures))
        );
        assert!(row["last_failure"].as_u64().is_some_and(|last| (before..=now()).contains(&last)), "{row}");
        assert_eq!(document.code, Some(i32::from(is_open)));
        assert_eq!(php.is_healthy(OMS), !is_open);
        let table = run(&house, &[], &["health"]).out;
        assert_eq!(rows(&table)[0][2], failures.to_string(), "{table}");
    }
    php.succeeded(OMS);
    let health = run(&house, &[], &["health", "--json"]);
    let expected =
        json!({ "service": "oms", "url": OMS_URL, "failures": 0, "last_failure": null, "status": "healthy" });
    assert_eq!((health.code, &health.json()["services"][0]), (Some(0), &expected));
}

#[test]
fn a_failure_that_we_count_goes_on_from_php_s_and_is_read_by_php_s_rules() {
    let redis = Store::start();
    // Nobody listens there; the key is of the URL exactly as it is configured.
    let (house, php) = (house(&redis, "http://127.0.0.1:1"), Php(&redis));
    let key = "microservice:health:oms:c92ec682fd2c22e8bca73bc3e786143c";
    php.failed(key);
    php.failed(key);
    assert!(php.is_healthy(key));
    let before = now();
    assert_eq!(run(&house, &[], &["call", "oms", "GET", "/"]).code, Some(3));
    assert!(!php.is_healthy(key), "the third failure was ours");
    let value = redis.command(&["GET", key]);
    let value = value.text().expect("a record");
    assert!(
        (before..=now()).any(|last| value == format!("{{\"failures\":3,\"last_failure\":{last}}}")),
        "{value}"
    );
    let ttl = redis.command(&["TTL", key]).integer().expect("a TTL");
    assert!((30..=60).contains(&ttl), "{ttl} s: not twice the recovery timeout, just renewed");
    php.failed(key);
    assert_eq!(php.record(key).expect("a record")["failures"], 4, "and PHP counts on from ours");
}

#[test]
fn a_success_of_ours_deletes_the_key_that_php_wrote() {
    let redis = Store::start();
    let (_service, port) = python_service("oms");
    let (house, php) = (house(&redis, &format!("http://127.0.0.1:{port}")), Php(&redis));
    // The key is learned from a failure of ours: the service's own 500.
    assert_eq!(run(&house, &[], &["call", "oms", "GET", "/api/broken"]).code, Some(1));
    let Reply::Array(keys) = redis.command(&["KEYS", "microservice:health:oms:*"]) else { panic!("no keys") };
    let [Reply::Bytes(key)] = &keys[..] else { panic!("{keys:?}: not one key") };
    let key = String::from_utf8(key.clone()).expect("a key is text");
    php.failed(&key);
    php.failed(&key);
    assert!(!php.is_healthy(&key), "two of PHP's and one of ours");
    assert_eq!(run(&house, &[], &["call", "oms", "GET", "/api/x"]).code, Some(0));
    assert_eq!(redis.command(&["EXISTS", &key]), Reply::Integer(0));
    assert!(php.is_healthy(&key));
}

#[test]
fn threshold_and_recovery_timeout_are_settings_and_judge_the_same_record() {
    let redis = Store::start();
    let house = house(&redis, OMS_URL);
    redis.command(&["SETEX", OMS, "60", &format!("{{\"failures\":4,\"last_failure\":{}}}", now() - 20)]);
    for (threshold, recovery, status) in
        [("3", "30", "unhealthy"), ("4", "30", "unhealthy"), ("5", "30", "healthy"), ("3", "10", "half_open")]
    {
        let variables =
            [("MESH__HEALTH__FAILURE_THRESHOLD", threshold), ("MESH__HEALTH__RECOVERY_TIMEOUT", recovery)];
        let health = run(&house, &variables, &["health", "--json"]);
        assert_eq!(health.json()["services"][0]["status"], status, "{variables:?}");
    }
}
