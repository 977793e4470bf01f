//! Manifests on their way to routes: registered over HTTP and in Redis, by us and by others, good and bad.

use std::time::Duration;

use crate::store::Store;

use crate::{
    house::{Gateway, House, manifest, now, python_service, wait_for},
    wire::{self, Answer},
};

fn settings(redis: &Store, port: u16) -> String {
    format!(
        "[services.pim]\nbase_urls = [\"http://127.0.0.1:{port}\"]\n[services.oms]\n\
         base_urls = [\"http://127.0.0.1:{port}\"]\n[redis]\nurl = \"{}\"\n",
        redis.url()
    )
}

fn status(gateway: &Gateway, target: &str) -> u16 {
    wire::get(&gateway.public, target).map_or(0, |answer| answer.status)
}

/// A manifest pushed as `caller` would, signed by hand.
fn push(gateway: &Gateway, caller: &str, document: &str) -> Answer {
    let house = House::new("");
    let file = house.folder.path().join("body");
    std::fs::write(&file, document).expect("a file can be written");
    let body = format!("@{}", file.display());
    let output = house
        .command(&["sign", "POST", "/microservice/manifest", "--body", &body])
        .env("SERVICE_NAME", caller)
        .output()
        .expect("the binary runs");
    let headers = String::from_utf8(output.stdout).expect("headers").trim_end().replace('\n', "\r\n");
    wire::request(
        &gateway.public,
        &format!("POST /microservice/manifest HTTP/1.1\r\n{headers}"),
        document.as_bytes(),
    )
    .expect("an answer")
}

#[test]
fn a_registration_is_live_on_every_gateway_of_a_store() {
    let (_service, port) = python_service("pim");
    let redis = Store::start();
    let house = House::new(&settings(&redis, port));
    let gateways = [house.gateway(), house.gateway()];
    assert_eq!(push(&gateways[0], "pim", &manifest("pim", &[("GET", "/api/first")])).status, 200);
    for gateway in &gateways {
        wait_for("the route", || (status(gateway, "/api/first") == 200).then_some(()));
    }
    house.register("oms", &[("GET", "/api/second")]);
    for gateway in &gateways {
        wait_for("the route from the store", || (status(gateway, "/api/second") == 200).then_some(()));
    }
}

#[test]
fn a_manifest_that_the_package_wrote_is_served() {
    let (_service, port) = python_service("pim");
    let redis = Store::start();
    let house = House::new(&settings(&redis, port));
    let gateway = house.gateway();
    let document = r#"{"service":"pim","routes":[{"method":"GET","uri":"\/api\/php"}],"timestamp":"t"}"#;
    redis.command(&["SET", "microservice:manifest:pim", document, "EX", "300"]);
    let began = now();
    wait_for("the package's route", || (status(&gateway, "/api/php") == 200).then_some(()));
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn bad_manifests_are_answered_and_touch_nothing() {
    let (_service, port) = python_service("pim");
    let redis = Store::start();
    let house = House::new(&settings(&redis, port));
    let gateway = house.gateway();
    assert_eq!(push(&gateway, "pim", &manifest("pim", &[("GET", "/api/good")])).status, 200);

    let unsigned =
        wire::request(&gateway.public, "POST /microservice/manifest HTTP/1.1\r\nX-Service-Name: pim", b"{}");
    assert_eq!(unsigned.expect("an answer").status, 401);
    let answer = push(&gateway, "pim", "not json");
    assert_eq!((answer.status, answer.code().as_str()), (400, "manifest.not_json"));
    let answer = push(&gateway, "pim", "{}");
    assert_eq!((answer.status, answer.code().as_str()), (422, "manifest.invalid"));
    assert_eq!(answer.json()["message"], "The service field is required. (and 2 more errors)");
    assert_eq!(answer.json()["errors"]["service"][0], "The service field is required.");
    let answer = push(&gateway, "oms", &manifest("pim", &[("GET", "/api/x")]));
    assert_eq!((answer.status, answer.code().as_str()), (403, "manifest.not_owner"));
    let answer = push(&gateway, "oms", &manifest("oms", &[("GET", "/api/good")]));
    assert_eq!((answer.status, answer.code().as_str()), (409, "manifest.route_conflict"));
    assert!(String::from_utf8_lossy(&answer.body).contains("pim"), "the owner is named");
    let answer = push(&gateway, "pim", &manifest("pim", &[("GET", "/{a}/{a}")]));
    assert_eq!((answer.status, answer.code().as_str()), (422, "manifest.invalid_route"));
    let reserved =
        r#"{"service":"pim","routes":[{"method":"GET","uri":"/x","_service":"oms"}],"timestamp":"t"}"#;
    let answer = push(&gateway, "pim", reserved);
    assert_eq!((answer.status, answer.code().as_str()), (422, "manifest.reserved_key"));
    let target = r#"{"service":"new","routes":[{"method":"GET","uri":"/new"}],"timestamp":"t","base_urls":["http://169.254.169.254"]}"#;
    let answer = push(&gateway, "new", target);
    assert_eq!((answer.status, answer.code().as_str()), (422, "manifest.target_forbidden"));

    assert_eq!(status(&gateway, "/api/good"), 200);
    redis.command(&[
        "SET",
        "microservice:manifest:oms",
        "{\"service\":\"oms\",\"routes\":[{\"method\":\"GET\",\"uri\":\"/api/{a}/{a}\"}]",
    ]);
    redis.command(&["SET", "microservice:manifest:pim", "garbage"]);
    redis.command(&["PUBLISH", "microservice:manifests:changed", "pim"]);
    house.register("oms", &[("GET", "/api/after")]);
    wait_for("the route after the garbage", || (status(&gateway, "/api/after") == 200).then_some(()));
    assert_eq!(status(&gateway, "/api/good"), 200, "a service with a corrupt manifest keeps its old one");
}

#[test]
fn prefixes_and_filters_shape_the_gateways_uris() {
    let (_service, port) = python_service("pim");
    let redis = Store::start();
    let house = House::new(&format!(
        "{}[gateway]\nservices = [\"pim\"]\n[gateway.prefixes]\npim = \"catalog\"\n",
        settings(&redis, port)
    ));
    house.register("pim", &[("GET", "/api/products/{product}")]);
    house.register("oms", &[("GET", "/api/orders")]);
    let gateway = house.gateway();
    let answer = wait_for("the prefixed route", || {
        wire::get(&gateway.public, "/api/catalog/products/a%20b?x=1")
            .ok()
            .filter(|answer| answer.status == 200)
    });
    assert_eq!(answer.json()["target"], "/api/products/a%20b?x=1");
    assert_eq!(status(&gateway, "/api/products/1"), 404);
    assert_eq!(status(&gateway, "/api/orders"), 404, "a service outside the filter is not served");
    let explained = house.run(&[
        "explain",
        "GET",
        "/api/catalog/products/7",
        "--json",
        "--admin",
        &format!("http://{}", gateway.admin),
    ]);
    let document: serde_json::Value = serde_json::from_slice(&explained.stdout).expect("json");
    assert_eq!(document["matched"]["service_path"], "/api/products/7");
    assert_eq!(document["matched"]["parameters"]["product"], "7");
}
