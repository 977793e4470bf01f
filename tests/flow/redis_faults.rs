//! Redis killed, frozen or emptied while the gateway serves: no proxied request fails or waits for it.

use std::{collections::BTreeMap, time::Duration};

use crate::store::Store;

use crate::{
    house::{Gateway, House, Process, now, python_service, wait_for},
    wire,
};

struct Scene {
    redis: Store,
    house: House,
    gateway: Gateway,
    _service: Process,
}

fn scene() -> Scene {
    let (service, port) = python_service("pim");
    let redis = Store::start();
    let house = House::new(&format!(
        "[services.pim]\nbase_urls = [\"http://127.0.0.1:{port}\"]\n[redis]\nurl = \"{}\"\n",
        redis.url()
    ));
    house.register("pim", &[("GET", "/api/x")]);
    let gateway = house.gateway();
    let scene = Scene { redis, house, gateway, _service: service };
    wait_for("the first answer", || scene.serves().then_some(()));
    scene
}

impl Scene {
    fn serves(&self) -> bool {
        wire::get(&self.gateway.public, "/api/x").is_ok_and(|answer| answer.status == 200)
    }

    /// Calls until `until`, at least 50 times; every call is answered.
    #[track_caller]
    fn serves_until(&self, mut until: impl FnMut() -> bool) {
        let end = now() + Duration::from_secs(30);
        let mut calls = 0;
        while calls < 50 || !until() {
            assert!(now() < end, "the condition did not come after {calls} calls");
            let answer = wire::get(&self.gateway.public, "/api/x").expect("an answer");
            assert_eq!(answer.status, 200, "call {calls}: {}", String::from_utf8_lossy(&answer.body));
            calls += 1;
        }
    }

    fn store_is(&self, word: &str) -> bool {
        wire::get(&self.gateway.admin, "/microservice/health")
            .is_ok_and(|answer| answer.json()["store"].to_string().contains(word))
    }
}

/// How often each command was given to this server, background and all.
fn commands(redis: &Store) -> BTreeMap<String, u64> {
    let told = redis.command(&["INFO", "commandstats"]);
    let rows = told.text().expect("figures of the server").lines();
    rows.filter_map(|row| {
        let (name, figures) = row.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        Some((name.to_owned(), figures.split(',').next()?.parse().ok()?))
    })
    .collect()
}

#[test]
fn a_thousand_requests_cost_no_redis_command() {
    let scene = scene();
    scene.house.register("pim", &[("GET", "/api/x"), ("POST", "/api/x"), ("GET", "/api/teapot")]);
    let ask = |number: usize| match number % 4 {
        0 => (wire::get(&scene.gateway.public, "/api/teapot"), 418),
        1 => (wire::request(&scene.gateway.public, "POST /api/x HTTP/1.1\r\nX-Request-Id: one", b"{}"), 200),
        2 => (wire::get(&scene.gateway.public, "/nothing"), 404),
        _ => (wire::get(&scene.gateway.public, "/api/x"), 200),
    };
    wait_for("the routes", || (ask(0).0.ok()?.status == 418).then_some(()));
    // What reads in the background goes on, and has done all that it does before the first request.
    let reads = |counts: &BTreeMap<String, u64>| counts.get("mget").copied().unwrap_or_default();
    let first = reads(&commands(&scene.redis));
    let before = wait_for("some rounds of what reads in the background", || {
        Some(commands(&scene.redis)).filter(|counts| reads(counts) > first + 2)
    });
    for number in 0..1_000 {
        let (answer, status) = ask(number);
        assert_eq!(answer.expect("an answer").status, status, "request {number}");
    }
    let after = commands(&scene.redis);
    assert!(after.keys().all(|name| before.contains_key(name)), "other commands: {before:?}, then {after:?}");
    // A command for every fourth request would be 250.
    let sum = |counts: &BTreeMap<String, u64>| counts.values().sum::<u64>();
    assert!(sum(&after) - sum(&before) < 250, "{before:?}, then {after:?}");
}

#[test]
fn a_killed_redis_costs_no_request_and_its_return_is_noticed() {
    let mut scene = scene();
    scene.redis.kill();
    scene.serves_until(|| scene.store_is("down"));
    scene.redis.restart();
    scene.serves_until(|| scene.store_is("up"));
    scene.house.register("pim", &[("GET", "/api/x"), ("GET", "/api/y")]);
    wait_for("the new route", || {
        wire::get(&scene.gateway.public, "/api/y").is_ok_and(|answer| answer.status == 200).then_some(())
    });
}

#[test]
fn a_frozen_redis_costs_no_request() {
    let scene = scene();
    scene.redis.freeze();
    scene.serves_until(|| scene.store_is("down"));
    scene.redis.thaw();
    scene.serves_until(|| scene.store_is("up"));
}

#[test]
fn an_emptied_redis_costs_no_route() {
    let scene = scene();
    scene.redis.command(&["FLUSHALL"]);
    let began = now();
    scene.serves_until(|| began.elapsed() > Duration::from_secs(3));
}

#[test]
fn a_cold_start_without_redis_serves_the_last_good_routes() {
    let Scene { mut redis, house, gateway, _service } = scene();
    wait_for("the snapshot on disk", || house.folder.path().join("mesh-routes.json").exists().then_some(()));
    drop(gateway);
    redis.kill();
    let again = house.gateway();
    let answer = wait_for("an answer from the snapshot", || {
        wire::get(&again.public, "/api/x").ok().filter(|answer| answer.status == 200)
    });
    assert_eq!(answer.json()["name"], "pim");
    let ready = wire::get(&again.admin, "/microservice/health/ready").expect("an answer");
    assert_eq!(ready.status, 200);
}

#[test]
fn a_cold_start_with_neither_redis_nor_snapshot_says_so() {
    let mut redis = Store::start();
    let house = House::new(&format!("[redis]\nurl = \"{}\"\n", redis.url()));
    redis.kill();
    let gateway = house.gateway_without_routes();
    let answer = wire::get(&gateway.public, "/api/x").expect("an answer");
    assert_eq!((answer.status, answer.code().as_str()), (503, "not_ready"));
    let ready = wire::get(&gateway.admin, "/microservice/health/ready").expect("an answer");
    assert_eq!(ready.status, 503);
    let live = wire::get(&gateway.admin, "/microservice/health/live").expect("an answer");
    assert_eq!(live.status, 200);
}
