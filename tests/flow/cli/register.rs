//! `mesh register`: from a file, from a running service, to the store, to a gateway, and refused.

use std::process::Command;

use super::{Ran, fails, fails_with, good, head, rows, run, write};
use crate::{
    house::{House, Process, SECRET, example_binary, wait_for},
    store::Store,
    wire,
};

const MANIFEST: &str = r#"{"service":"pim","routes":[
    {"method":"GET","uri":"/api/products/{product}","name":"products.show","permissions":["a"]},
    {"method":"POST","uri":"/api/products"},
    {"method":"GET","uri":"/internal/products"}],"timestamp":"2026-02-10T12:00:00+00:00"}"#;

const TOML: &str = "[[routes]]\nmethod = \"GET\"\nuri = \"/api/products\"\nname = \"products.index\"\n";

/// A service whose settings name a store.
fn service(redis: &Store) -> House {
    let house = House::new(&format!("[redis]\nurl = \"{}\"\n", redis.url()));
    write(&house, "pim.json", MANIFEST);
    write(&house, "pim.toml", TOML);
    house
}

fn as_pim(house: &House, arguments: &[&str]) -> Ran {
    run(house, &[("SERVICE_NAME", "pim")], arguments)
}

#[test]
fn a_manifest_is_shown_as_a_table_and_counted_without_what_its_prefix_leaves_out() {
    let redis = Store::start();
    let house = service(&redis);
    let dry = as_pim(&house, &["register", "--manifest", "pim.json", "--dry-run"]);
    assert_eq!(head(&dry.out), ["Method", "URI", "Name"], "{dry:#?}");
    assert_eq!(
        rows(&dry.out),
        [["GET", "/api/products/{product}", "products.show"], ["POST", "/api/products", ""]]
    );
    assert!(!dry.out.contains("registered.\n2"), "{dry:#?}");
    assert_eq!(good(&house, &["routes", "--json"]).json()["routes"], serde_json::json!([]));

    let registered = as_pim(&house, &["register", "--manifest", "pim.json"]);
    assert_eq!((registered.code, registered.err.as_str()), (Some(0), ""));
    assert!(registered.out.ends_with("\n2 route(s) registered.\n"), "{registered:#?}");
    let routes = good(&house, &["routes"]).out;
    assert_eq!(rows(&routes).len(), 2, "{routes}");

    let all = [("SERVICE_NAME", "pim"), ("MESH__MANIFEST__PREFIX", "")];
    let all = run(&house, &all, &["register", "--manifest", "pim.json", "--json"]);
    assert_eq!(all.json(), serde_json::json!({ "service": "pim", "routes": 3, "target": "store" }));
}

#[test]
fn a_file_may_be_toml_or_begin_with_a_byte_order_mark_and_leave_out_what_the_settings_know() {
    let redis = Store::start();
    let house = service(&redis);
    write(&house, "bom.json", "\u{feff}{\"routes\":[]}");
    let toml = as_pim(&house, &["register", "--manifest", "pim.toml"]);
    assert!(toml.out.ends_with("\n1 route(s) registered.\n"), "{toml:#?}");
    let route = &good(&house, &["routes", "--json"]).json()["routes"][0];
    let expected = serde_json::json!({ "service": "pim", "method": "GET", "uri": "/api/products",
        "service_uri": "/api/products", "name": "products.index", "metadata": {} });
    assert_eq!(*route, expected);
    let bom = as_pim(&house, &["register", "--manifest", "bom.json", "--json"]);
    assert_eq!(bom.json(), serde_json::json!({ "service": "pim", "routes": 0, "target": "store" }));
}

#[test]
fn a_manifest_that_is_wrong_is_a_problem_and_one_that_cannot_be_read_is_wrong_usage() {
    let house = House::new("[redis]\nurl = \"redis://127.0.0.1:1\"\n");
    for (name, content, code, says) in [
        ("broken.json", "{\"routes\":[", 2, "broken.json: EOF"),
        ("broken.toml", "routes = ", 2, "line 1"),
        ("list.json", "[]", 1, "The service field is required."),
        ("twice.json", "{\"service\":\"pim\",\"service\":\"pim\",\"routes\":[]}", 1, "twice"),
        ("uri.json", "{\"routes\":[{\"method\":\"GET\",\"uri\":\"x\"}]}", 1, "begins with '/'"),
        ("parameter.json", "{\"routes\":[{\"method\":\"GET\",\"uri\":\"/{a}/{a}\"}]}", 1, "/{a}/{a}"),
        ("key.json", "{\"routes\":[{\"method\":\"GET\",\"uri\":\"/x\",\"_service\":\"x\"}]}", 1, "_service"),
    ] {
        write(&house, name, content);
        for more in [&["--dry-run"][..], &[]] {
            fails(&house, &[&["register", "--manifest", name], more].concat(), code, says);
        }
    }
    fails(&house, &["register", "--manifest", "none.json"], 2, "cannot read none.json");
    fails(&house, &["register", "--manifest", "."], 2, "cannot read .");
}

#[test]
fn without_a_manifest_or_a_place_to_register_nothing_is_done() {
    let house = House::new("");
    write(&house, "pim.json", MANIFEST);
    fails(&house, &["register", "--manifest", "pim.json"], 2, "set manifest.gateway or redis.url");
    fails(&house, &["register", "--dry-run"], 2, "--manifest FILE or --from URL");
    let store = [("MESH__REDIS__URL", "redis://127.0.0.1:1")];
    fails_with(&house, &store, &["register"], 2, "manifest.base_urls");
    fails_with(&house, &store, &["register", "--manifest", "pim.json"], 3, "127.0.0.1:1");
    let every = |seconds| ["register", "--manifest", "pim.json", "--every", seconds];
    fails_with(&house, &store, &every("151"), 2, "half of manifest.ttl (300 s)");
    let short = [store[0], ("MESH__MANIFEST__TTL", "10")];
    fails_with(&house, &short, &every("6"), 2, "half of manifest.ttl (10 s)");
    fails_with(&house, &short, &every("5"), 3, "127.0.0.1:1");
}

#[test]
fn a_running_service_is_asked_for_its_own_manifest() {
    let redis = Store::start();
    let house = House::new(&format!("[redis]\nurl = \"{}\"\n", redis.url()));
    let binary = example_binary("two-services-service");
    let mut stock = Process::start(Command::new(binary).args(["127.0.0.1:0", SECRET]));
    let url = stock.line("its URL", |line| line.strip_prefix("listening on ").map(str::to_owned));
    let document = format!("{url}/microservice/manifest");
    for from in [&document, &url] {
        let ran = good(&house, &["register", "--from", from]).out;
        assert_eq!(rows(&ran), [["GET", "/api/bananas", ""], ["POST", "/api/bananas", ""]]);
        assert!(ran.ends_with("\n2 route(s) registered.\n"), "{ran}");
    }
    let own = [("MESH__MANIFEST__BASE_URLS", url.as_str())];
    let own = run(&house, &own, &["register", "--json"]);
    assert_eq!(own.json(), serde_json::json!({ "service": "stock", "routes": 2, "target": "store" }));
    assert_eq!(good(&house, &["health", "--json"]).json()["services"][0]["url"], url.as_str());

    fails(&house, &["register", "--from", &format!("{url}/none")], 1, "404");
    let stranger = [("SERVICE_SECRET", "another secret altogether")];
    fails_with(&house, &stranger, &["register", "--from", &url], 1, "401");
    fails(&house, &["register", "--from", "somewhere"], 2, "--from somewhere");
    fails(&house, &["register", "--from", "http://127.0.0.1:1"], 3, "cannot reach http://127.0.0.1:1");
}

#[test]
fn a_gateway_takes_a_manifest_or_its_refusal_is_told_and_ends_with_1() {
    let street = House::new("[gateway]\nsnapshot = \"\"\n");
    let gateway = street.gateway();
    let settings = |url: &str| {
        let house = House::new(&format!(
            "[services.gateway]\nbase_urls = [\"{url}\"]\n[defaults]\nretries = 0\n[manifest]\ngateway = \"gateway\"\n"
        ));
        write(
            &house,
            "mesh.toml",
            std::fs::read_to_string(house.folder.path().join("mesh.toml"))
                .expect("settings can be read")
                .replace("name = \"gateway\"", "name = \"pim\""),
        );
        write(&house, "pim.json", MANIFEST);
        write(&house, "free.json", "{\"routes\":[{\"method\":\"GET\",\"uri\":\"/api/products/{id}\"}]}");
        write(
            &house,
            "target.json",
            "{\"routes\":[{\"method\":\"GET\",\"uri\":\"/api/x\"}],\"base_urls\":[\"http://169.254.169.254\"]}",
        );
        house
    };
    let house = settings(&format!("http://{}", gateway.public));
    let ran = good(&house, &["register", "--manifest", "pim.json", "--json"]);
    assert_eq!(ran.json(), serde_json::json!({ "service": "pim", "routes": 2, "target": "gateway" }));
    wait_for("the routes", || {
        let answer = wire::get(&gateway.admin, "/admin/routes").ok()?;
        (answer.json()["routes"].as_array()?.len() == 2).then_some(())
    });
    let other = [("SERVICE_NAME", "oms")];
    let register = |file| ["register", "--manifest", file];
    fails_with(&house, &other, &register("pim.json"), 1, "403 Forbidden");
    fails_with(&house, &other, &register("free.json"), 1, "belongs to the service pim");
    fails(&house, &register("target.json"), 1, "manifest.target_forbidden");
    let stranger = [("SERVICE_SECRET", "another secret altogether")];
    fails_with(&house, &stranger, &register("pim.json"), 1, "401");
    fails(&settings("http://127.0.0.1:1"), &register("pim.json"), 3, "http://127.0.0.1:1");
}

#[test]
fn a_manifest_is_registered_again_and_again_and_a_failure_on_the_way_is_told_and_outlived() {
    let mut redis = Store::start();
    let house = service(&redis);
    let mut command = house.command(&["register", "--manifest", "pim.json", "--every", "1"]);
    let mut process = Process::start(command.env("SERVICE_NAME", "pim"));
    process.line("the first registration", |line| line.contains("route(s) registered.").then_some(()));
    redis.command(&["FLUSHALL"]);
    let is_back = |redis: &Store| format!("{:?}", redis.command(&["EXISTS", "microservice:manifest:pim"]));
    wait_for("the second registration", || is_back(&redis).contains('1').then_some(()));
    redis.kill();
    process.line("the failure", |line| line.contains("not registered, tried again in 1 s").then_some(()));
    redis.restart();
    wait_for("a registration after the failure", || is_back(&redis).contains('1').then_some(()));
}
