//! Gateways that share a Redis, and the users behind them.

use std::{io::Write as _, net::TcpStream, thread};

use super::stage::{LOCK, Service, Stage, check_in_flight, is_hit, is_not_stored};
use crate::{
    house::{Gateway, House, wait_for},
    wire::{self, Answer},
};

/// A house with routes to `service`, which says what it wants of idempotency.
fn house(stage: &Stage, service: &Service, idempotency: &[(&str, serde_json::Value)]) -> House {
    let house = House::new(&format!(
        "[services.stock]\nbase_urls = [\"http://{}\"]\n[redis]\nurl = \"{}\"\n",
        service.address,
        stage.redis.url()
    ));
    let routes: Vec<_> = idempotency
        .iter()
        .map(|(uri, wish)| serde_json::json!({"method": "POST", "uri": uri, "idempotency": wish}))
        .collect();
    let manifest = serde_json::json!({
        "service": "stock", "routes": routes, "timestamp": "2026-02-10T12:00:00+00:00"
    });
    let file = house.folder.path().join("stock.manifest.json");
    std::fs::write(&file, manifest.to_string()).expect("a manifest can be written");
    let mut command = house.command(&["register", "--manifest", &file.to_string_lossy()]);
    let output = command.env("SERVICE_NAME", "stock").output().expect("the binary runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    house
}

fn post(gateway: &Gateway, target: &str, key: &str, more: &str) -> Answer {
    let head = format!("POST {target} HTTP/1.1\r\nX-Request-Id: {key}{more}");
    wire::request(&gateway.public, &head, b"x").expect("an answer")
}

#[test]
fn duplicates_over_two_gateways_run_once() {
    let stage = Stage::new();
    let service = stage.service("stock", LOCK, "bare");
    let house = house(&stage, &service, &[("/api/hold", true.into())]);
    let gateways = [house.gateway(), house.gateway()];
    let address = gateways[0].public.clone();
    let running = thread::spawn(move || {
        wire::request(&address, "POST /api/hold HTTP/1.1\r\nX-Request-Id: k", b"x").expect("an answer")
    });
    stage.wait_for_runs("k", 1);
    for gateway in &gateways {
        check_in_flight(&post(gateway, "/api/hold", "k", ""));
    }
    stage.let_go("stock");
    let answer = running.join().expect("an answer");
    assert_eq!((answer.status, is_not_stored(&answer)), (201, false));
    for gateway in &gateways {
        let replay = post(gateway, "/api/hold", "k", "");
        assert_eq!((is_hit(&replay), &replay.body), (true, &answer.body));
    }
    assert_eq!(stage.runs("k"), ["stock"]);
}

#[test]
fn a_request_whose_client_goes_finishes_and_another_gateway_repeats_its_answer() {
    let stage = Stage::new();
    let service = stage.service("stock", LOCK, "bare");
    let house = house(&stage, &service, &[("/api/hold", true.into())]);
    let gateways = [house.gateway(), house.gateway()];
    let mut client = TcpStream::connect(&gateways[0].public).expect("a connection");
    let head = "POST /api/hold HTTP/1.1\r\nHost: a\r\nX-Request-Id: k\r\nContent-Length: 1\r\n\r\nx";
    client.write_all(head.as_bytes()).expect("an open connection");
    stage.wait_for_runs("k", 1);
    drop(client);
    wait_for("the gateway's view that the client has gone", || {
        let figures = wire::get(&gateways[0].admin, "/microservice/metrics").ok()?.body;
        String::from_utf8(figures).ok()?.contains("\nmesh_client_connections 0").then_some(())
    });
    check_in_flight(&post(&gateways[1], "/api/hold", "k", ""));
    stage.let_go("stock");
    let replay = wait_for("the stored answer", || {
        let answer = post(&gateways[1], "/api/hold", "k", "");
        (answer.status != 409).then_some(answer)
    });
    assert_eq!((replay.status, is_hit(&replay)), (201, true));
    assert_eq!(stage.runs("k"), ["stock"]);
}

#[test]
fn two_users_behind_one_gateway_with_the_same_id_and_body_never_share_an_answer() {
    for (mode, wish) in [("trusted", false), ("trusted", true), ("bare", true)] {
        let stage = Stage::new();
        let service = stage.service("stock", LOCK, mode);
        let house = house(&stage, &service, &[("/api/work", wish.into())]);
        let gateway = house.gateway();
        let users = [
            ("\r\nAuthorization: Bearer alice", "authorization", "Bearer alice"),
            ("\r\nAuthorization: Bearer bob", "authorization", "Bearer bob"),
            ("\r\nCookie: session=carol", "cookie", "session=carol"),
        ];
        for round in 1..=2 {
            for (credentials, field, value) in users {
                let answer = post(&gateway, "/api/work", "k", credentials);
                assert_eq!(answer.status, 201);
                assert_eq!(
                    answer.json()[field],
                    value,
                    "{mode} {wish}, round {round}: somebody else's answer"
                );
            }
        }
        assert_eq!(stage.runs("k").len(), users.len(), "each user's request ran once ({mode} {wish})");
    }
}

#[test]
fn without_redis_a_required_route_is_refused_and_another_runs_once_at_the_gateway() {
    let mut stage = Stage::new();
    let service = stage.service("stock", LOCK, "bare");
    let house = house(&stage, &service, &[("/api/work", "required".into()), ("/api/hold", true.into())]);
    let gateway = house.gateway();
    assert_eq!(post(&gateway, "/api/work", "before", "").status, 201);
    stage.redis.kill();

    let refused = post(&gateway, "/api/work", "strict", "");
    assert_eq!((refused.status, refused.code().as_str()), (503, "idempotency.store_unavailable"));
    assert_eq!(refused.values("retry-after"), ["1"]);
    assert!(stage.runs("strict").is_empty());

    let address = gateway.public.clone();
    let running = thread::spawn(move || {
        wire::request(&address, "POST /api/hold HTTP/1.1\r\nX-Request-Id: open", b"x").expect("an answer")
    });
    stage.wait_for_runs("open", 1);
    check_in_flight(&post(&gateway, "/api/hold", "open", ""));
    stage.let_go("stock");
    let answer = running.join().expect("an answer");
    assert_eq!((answer.status, is_not_stored(&answer)), (201, true));
    assert_eq!(stage.runs("open"), ["stock"]);
    let metrics = wire::get(&gateway.admin, "/microservice/metrics").expect("an answer");
    let text = String::from_utf8_lossy(&metrics.body);
    assert!(text.contains("\nmesh_idempotency_not_stored_total 1\n"), "{text}");

    stage.redis.restart();
    wait_for("the return of Redis", || {
        (post(&gateway, "/api/work", "after", "").status == 201).then_some(())
    });
    assert_eq!(stage.runs("after"), ["stock"]);
}
