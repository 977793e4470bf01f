//! One Redis for both sides: health that either counts, manifests that PHP posts or writes.

use serde_json::{Value, json};

use super::{RustService, secret};
use crate::{
    house::{Gateway, House, SECRET, python_service, wait_for},
    php::{self, Peer},
    store::Store,
    wire,
};
use mesh_core::signature::Keyring;

/// What Laravel makes of the package's own prefix.
pub(super) const PREFIX: &str = "laravel_database_microservice:";

fn settings(redis: &Store, services: &str) -> String {
    format!(
        "{services}[redis]\nurl = \"{}\"\nprefix = \"{PREFIX}\"\n[health]\nrecovery_timeout = 600\n",
        redis.url()
    )
}

/// PHP asked about an instance of `oms` in the shared Redis.
fn health(php: &mut Peer, redis: &Store, verb: &str, url: &str) -> Value {
    php.ask(json!({
        "do": verb, "redis": php::redis(&redis.url()), "prefix": PREFIX, "service": "oms", "url": url, "recovery": 600,
    }))
}

/// Failures and status of an instance, as the gateway sees it.
fn seen(gateway: &Gateway, url: &str) -> Option<(u64, String)> {
    let document = wire::get(&gateway.admin, "/admin/instances").ok()?.json();
    let row = document["services"].as_array()?.iter().find(|row| row["url"] == url)?.clone();
    Some((row["failures"].as_u64()?, row["status"].as_str()?.to_owned()))
}

/// The process that answered a call through the gateway.
fn answered_by(gateway: &Gateway) -> u64 {
    let answer = wire::get(&gateway.public, "/api/orders").expect("an answer");
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["pid"].as_u64().expect("a pid")
}

#[test]
fn an_instance_that_php_saw_fail_is_left_alone_until_php_saw_it_work() {
    let instances = [python_service("oms"), python_service("oms")];
    let urls = [0, 1].map(|at| format!("http://127.0.0.1:{}", instances[at].1));
    let redis = Store::start();
    let services = format!("[services.oms]\nbase_urls = [\"{}\", \"{}\"]\n", urls[0], urls[1]);
    let house = House::new(&settings(&redis, &services));
    house.register("oms", &[("GET", "/api/orders")]);
    let gateway = house.gateway();
    let mut php = Peer::start();
    for _ in 0..3 {
        health(&mut php, &redis, "failed", &urls[0]);
    }
    wait_for("the failures that php counted", || {
        (seen(&gateway, &urls[0]) == Some((3, "unhealthy".to_owned()))).then_some(())
    });
    for _ in 0..20 {
        assert_eq!(answered_by(&gateway), u64::from(instances[1].0.pid()));
    }
    health(&mut php, &redis, "worked", &urls[0]);
    wait_for("the instance that php saw work", || {
        (answered_by(&gateway) == u64::from(instances[0].0.pid())).then_some(())
    });
}

#[test]
fn an_instance_that_the_gateway_saw_fail_is_unhealthy_for_php() {
    let (alive, port) = python_service("oms");
    let (dead, dead_port) = python_service("oms");
    let urls = [dead_port, port].map(|port| format!("http://127.0.0.1:{port}"));
    let redis = Store::start();
    let services = format!("[services.oms]\nbase_urls = [\"{}\", \"{}\"]\n", urls[0], urls[1]);
    let house = House::new(&settings(&redis, &services));
    house.register("oms", &[("GET", "/api/orders")]);
    let gateway = house.gateway();
    let mut php = Peer::start();
    assert_eq!(health(&mut php, &redis, "healthy", &urls[0]), true);
    dead.signal("KILL");
    wait_for("php to see what the gateway counted", || {
        assert_eq!(answered_by(&gateway), u64::from(alive.pid()));
        (health(&mut php, &redis, "healthy", &urls[0]) == false).then_some(())
    });
    assert_eq!(health(&mut php, &redis, "healthy", &urls[1]), true);
}

#[test]
fn manifests_that_php_posts_or_writes_become_routes() {
    let rust = RustService::start(Keyring::new(secret(SECRET)));
    let redis = Store::start();
    let services: String = ["posted", "first", "later"]
        .map(|service| format!("[services.{service}]\nbase_urls = [\"{}\"]\n", rust.url()))
        .concat();
    let house = House::new(&settings(&redis, &services));
    let gateway = house.gateway();
    let edge = format!("http://{}", gateway.public);
    let mut php = Peer::start();
    let manifest = |service: &str, routes: Value| json!({ "service": service, "routes": routes, "timestamp": "2026-02-10T12:00:00+00:00" });

    let posted =
        manifest("posted", json!([{ "method": "GET", "uri": "/api/posted/{id}", "name": "posted.show" }]));
    let request = ("POST", "/microservice/manifest", posted.to_string().into_bytes());
    let answer = php.call("posted", SECRET, &edge, (request.0, request.1, &request.2));
    assert_eq!(answer, (200, "{\"status\":\"registered\"}".to_owned()));
    let stranger = php.call("posted", "a secret of somebody else", &edge, (request.0, request.1, &request.2));
    assert_eq!(stranger.0, 401);

    let first = manifest("first", json!([{ "method": "GET", "uri": "/api/first/{id}" }]));
    let later = manifest("later", json!([{ "methods": ["GET", "HEAD"], "uri": "/api/later/{id}" }]));
    for (document, is_later) in [(first, false), (later, true)] {
        let stored = php.ask(json!({
            "do": "store", "redis": php::redis(&redis.url()), "prefix": PREFIX, "later": is_later, "manifest": document,
        }));
        assert_eq!(stored, "OK");
    }
    for service in ["posted", "first", "later"] {
        wait_for(service, || {
            let answer = wire::get(&gateway.public, &format!("/api/{service}/7")).ok()?;
            (answer.status == 200 && answer.json()["caller"] == "gateway").then_some(())
        });
    }
}

#[test]
fn the_settings_of_the_example_are_what_the_program_reads() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/migrate-from-php/mesh.toml");
    let checked = House::new("").run(&["--config", file, "config", "check"]);
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
    let settings = std::fs::read_to_string(file).expect("the example's settings");
    assert!(settings.contains(PREFIX), "Laravel's prefix and the package's, as these tests use it");
}
