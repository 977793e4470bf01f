//! `mesh health`, `mesh routes`, `mesh explain`: from the store, from a gateway, and from nobody.

use mesh_core::clock::{Clock as _, SystemClock};

use super::{fails, fails_with, good, head, rows, run};
use crate::{
    house::{House, manifest, wait_for},
    store::Store,
    wire,
};

/// MD5 of `http://127.0.0.1:1` and of `http://127.0.0.1:2`.
const KEYS: [&str; 2] = [
    "microservice:health:pim:c92ec682fd2c22e8bca73bc3e786143c",
    "microservice:health:pim:fe3d3d3eab74cdf67762463c65b5a6e3",
];

fn house(redis: &Store) -> House {
    House::new(&format!(
        "[services.pim]\nbase_urls = [\"http://127.0.0.1:1\", \"http://127.0.0.1:2\"]\n[redis]\nurl = \"{}\"\n\
         [gateway]\nsnapshot = \"\"\n",
        redis.url()
    ))
}

#[test]
fn health_says_that_no_services_are_configured() {
    let redis = Store::start();
    let house = House::new(&format!("[redis]\nurl = \"{}\"\n", redis.url()));
    let ran = good(&house, &["health"]);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("No services configured.\n", ""));
    assert_eq!(good(&house, &["health", "--json"]).json(), serde_json::json!({ "services": [] }));
    let alone = House::new("[gateway]\nsnapshot = \"\"\n");
    let gateway = alone.gateway();
    let admin = format!("http://{}", gateway.admin);
    assert_eq!(good(&alone, &["health", "--admin", &admin]).out, "No services configured.\n");
}

#[test]
fn health_shows_what_the_package_wrote_and_ends_with_1_when_a_service_has_no_healthy_instance() {
    let redis = Store::start();
    let house = house(&redis);
    let now = || SystemClock.unix().seconds();
    let record =
        |failures: u32, age: u64| format!("{{\"failures\":{failures},\"last_failure\":{}}}", now() - age);
    // The records of both instances, their states, and the exit codes of `unhealthy` and `degraded`.
    let cases = [
        ([None, None], ["healthy", "healthy"], [0, 0]),
        ([Some(record(2, 0)), None], ["healthy", "healthy"], [0, 0]),
        ([Some(record(3, 0)), None], ["unhealthy", "healthy"], [0, 1]),
        ([Some(record(9, 31)), None], ["half_open", "healthy"], [0, 1]),
        ([Some(record(3, 0)), Some(record(3, 45))], ["unhealthy", "half_open"], [1, 1]),
        ([Some(record(3, 0)), Some(record(4, 0))], ["unhealthy", "unhealthy"], [1, 1]),
        ([Some("garbage".to_owned()), None], ["healthy", "healthy"], [0, 0]),
    ];
    for (records, states, codes) in cases {
        for (key, record) in KEYS.iter().zip(&records) {
            match record {
                Some(record) => redis.command(&["SET", key, record]),
                None => redis.command(&["DEL", key]),
            };
        }
        for (fail_on, code) in ["unhealthy", "degraded"].iter().zip(codes) {
            let ran = run(&house, &[], &["health", "--fail-on", fail_on]);
            assert_eq!(ran.code, Some(code), "{records:?} {fail_on}: {ran:#?}");
            assert_eq!(head(&ran.out), ["Service", "URL", "Failures", "Last Failure", "Status"]);
            let shown: Vec<_> = rows(&ran.out).into_iter().map(|mut row| row.remove(4)).collect();
            assert_eq!(shown, states, "{records:?}");
        }
        assert_eq!(run(&house, &[], &["health"]).code, Some(codes[0]));
    }
    redis.command(&["SET", KEYS[0], "{\"failures\":3,\"last_failure\":1795220372}"]);
    let table = good(&house, &["health"]).out;
    let row = ["pim", "http://127.0.0.1:1", "3", "2026-11-21 00:19:32"];
    assert!(rows(&table)[0][..4] == row, "times are UTC: {table}");
    let json = good(&house, &["health", "--json"]).json();
    let first = &json["services"][0];
    assert_eq!((&first["failures"], &first["last_failure"]), (&3.into(), &1_795_220_372.into()));
    assert!(json["services"][1]["last_failure"].is_null());
    assert_eq!(json["services"][0].as_object().map(serde_json::Map::len), Some(5));
}

#[test]
fn routes_and_explain_say_the_same_from_the_store_and_from_a_gateway() {
    let redis = Store::start();
    let house = house(&redis);
    house.register("pim", &[("GET", "/api/products/{product}"), ("GET", "/api/products/new")]);
    let gateway = house.gateway();
    let admin = format!("http://{}", gateway.admin);
    wait_for("the routes", || {
        let answer = wire::get(&gateway.admin, "/admin/routes").ok()?;
        (answer.json()["routes"].as_array()?.len() == 2).then_some(())
    });
    for from in [&[][..], &["--admin", &admin]] {
        let with = |arguments: &[&str]| run(&house, &[], &[arguments, from].concat());
        let table = with(&["routes"]).out;
        assert_eq!(head(&table), ["Service", "Method", "URI", "Service URI", "Name", "Metadata"]);
        assert_eq!(rows(&table).len(), 2, "{table}");
        assert_eq!(rows(&with(&["routes", "--service", "pim"]).out).len(), 2);
        let none = with(&["routes", "--service", "oms", "--json"]);
        assert_eq!((none.code, none.json()), (Some(0), serde_json::json!({ "routes": [] })));

        let won = with(&["explain", "get", "/api/products/new?page=1&x=/y", "--json"]);
        let (code, won) = (won.code, won.json());
        assert_eq!((code, &won["matched"]["uri"]), (Some(0), &"/api/products/new".into()), "{won:#}");
        assert_eq!(won["matched"]["service_path"], "/api/products/new");
        assert_eq!(won["candidates"][0]["uri"], "/api/products/{product}");
        assert!(won["candidates"][0]["reason"].as_str().is_some_and(|reason| !reason.is_empty()));
        assert_eq!(won["instances"].as_array().map(Vec::len), Some(2));

        let encoded = with(&["explain", "GET", "/api/products/a%20b%252F", "--json"]).json();
        assert_eq!(encoded["matched"]["service_path"], "/api/products/a%20b%252F");
        let text = with(&["explain", "GET", "/api/products/7"]).out;
        for part in
            ["goes to pim", "/api/products/{product}", "{\"product\":\"7\"}", "http://127.0.0.1:1 healthy"]
        {
            assert!(text.contains(part), "no {part:?} in {text}");
        }
        let lost = with(&["explain", "DELETE", "/api/products/7"]);
        assert_eq!(lost.code, Some(1));
        assert!(
            lost.out.contains("No route matches.") && lost.out.contains("another method: GET"),
            "{lost:#?}"
        );
        let nothing = with(&["explain", "GET", "/none", "--json"]);
        assert_eq!((nothing.code, &nothing.json()["matched"]), (Some(1), &serde_json::Value::Null));
        let refused = with(&["explain", "GET", "/api/../products"]);
        assert_eq!(refused.code, Some(1));
        assert!(refused.err.contains("dot segment"), "{refused:#?}");
    }
    let text = good(&house, &["explain", "GET", "/api/products/7"]).out;
    assert!(text.contains("5 s for one attempt, 2 further attempts"), "{text}");
}

#[test]
fn without_a_store_the_admin_address_of_the_settings_is_asked_and_a_wildcard_means_loopback() {
    let house = House::new("[gateway]\nsnapshot = \"\"\n");
    let gateway = house.gateway();
    let port = gateway.admin.rsplit_once(':').expect("a port").1;
    for address in [format!("127.0.0.1:{port}"), format!("0.0.0.0:{port}")] {
        let ran = run(&house, &[("MESH__GATEWAY__ADMIN_LISTEN", &address)], &["routes"]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(0), "No routes registered.\n"), "{ran:#?}");
    }
}

#[test]
fn who_does_not_answer_ends_a_command_with_3() {
    let house = House::new("");
    let redis = Store::start();
    for command in [&["health"][..], &["routes"], &["explain", "GET", "/x"]] {
        let admin = |url| [command, &["--admin", url]].concat();
        fails(&house, &admin("http://127.0.0.1:1"), 3, "cannot reach the admin listener http://127.0.0.1:1");
        fails(
            &house,
            &admin(&redis.url().replace("redis://", "http://")),
            3,
            "cannot reach the admin listener",
        );
        let admin = [("MESH__GATEWAY__ADMIN_LISTEN", "127.0.0.1:1")];
        fails_with(&house, &admin, command, 3, "http://127.0.0.1:1");
        fails_with(&house, &[("SERVICE_REDIS_URL", "redis://127.0.0.1:1")], command, 3, "127.0.0.1:1");
        let wrong = format!("{}/99", redis.url().trim_end_matches("/0"));
        fails_with(&house, &[("SERVICE_REDIS_URL", &wrong)], command, 3, "out of range");
    }
}

#[test]
fn a_manifest_in_the_store_that_is_none_is_told_and_left_out() {
    let redis = Store::start();
    let house = house(&redis);
    house.register("pim", &[("GET", "/api/good")]);
    redis.command(&["SET", "microservice:manifest:oms", "garbage"]);
    redis.command(&["SET", "microservice:manifest:crm", &manifest("pim", &[("GET", "/api/stolen")])]);
    redis.command(&["SADD", "microservice:manifests", "oms", "crm"]);
    let ran = good(&house, &["routes"]);
    assert_eq!(rows(&ran.out).len(), 1, "{ran:#?}");
    assert!(ran.err.contains("oms") && ran.err.contains("crm"), "{ran:#?}");
}
