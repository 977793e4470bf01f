//! `mesh explain`: the same from a gateway, from the store and from files; every loser; what is not served.

use serde_json::Value;

use super::{fails, good, run, write};
use crate::{
    house::{House, manifest, wait_for},
    store::Store,
    wire,
};

const PIM: [(&str, &str); 6] = [
    ("GET", "/api/products/{product}"),
    ("GET", "/api/products/new"),
    ("POST", "/api/products"),
    ("GET", "/api/files/{name}.{format}"),
    ("GET", "/api/tree/{node?}"),
    ("DELETE", "/api/products/{product}"),
];
const OMS: [(&str, &str); 5] = [
    ("GET", "/api/orders/{order}"),
    ("GET", "/api/orders/{order}/lines/{line?}"),
    ("GET", "/api/catalog/products/{sku}"),
    ("PUT", "/api/{anything}/products"),
    ("OPTIONS", "/api/orders"),
];

fn house(redis: &Store, style: &str) -> House {
    let house = House::new(&format!(
        "[services.pim]\nbase_urls = [\"http://127.0.0.1:1\"]\n[services.oms]\nbase_urls = [\"http://127.0.0.1:2\"]\n\
         retries = 1\nprotocol = \"http2\"\nrequest_bodies = \"streamed\"\n[redis]\nurl = \"{}\"\n[gateway]\nsnapshot = \"\"\nservices = [\"pim\", \"oms\"]\n\
         prefix_style = \"{style}\"\n[gateway.prefixes]\npim = \"catalog\"\n",
        redis.url()
    ));
    for (service, routes) in [("pim", &PIM[..]), ("oms", &OMS), ("crm", &[("GET", "/api/customers")])] {
        house.register(service, routes);
    }
    house
}

const FILES: [&str; 6] =
    ["--manifest", "pim.manifest.json", "--manifest", "oms.manifest.json", "--manifest", "crm.manifest.json"];

#[test]
fn explain_prints_the_same_from_a_gateway_from_the_store_and_from_files() {
    let redis = Store::start();
    for style in ["after-first", "front"] {
        let house = house(&redis, style);
        let gateway = house.gateway();
        let admin = format!("http://{}", gateway.admin);
        wait_for("the routes", || {
            let answer = wire::get(&gateway.admin, "/admin/routes").ok()?;
            (answer.json()["routes"].as_array()?.len() == PIM.len() + OMS.len() - 1
                || answer.json()["routes"].as_array()?.len() == PIM.len() + OMS.len())
            .then_some(())
        });
        for path in [
            "/api/catalog/products/new",
            "/api/catalog/products/7",
            "/catalog/api/products/%6Eew/",
            "/api/products/7",
            "/api/catalog/files/a.b.json",
            "/catalog/api/tree",
            "/api/orders/a%20b%252F/lines",
            "/api/orders",
            "/api/customers",
            "/none",
        ] {
            for method in ["GET", "HEAD", "PUT", "options"] {
                let said = |from: &[&str]| {
                    let ran = run(&house, &[], &[&["explain", method, path, "--json"], from].concat());
                    let document = ran.json();
                    assert_eq!(ran.code, Some(i32::from(document["matched"].is_null())), "{ran:#?}");
                    let part = |name: &str| document[name].clone();
                    [
                        part("matched"),
                        part("answer"),
                        part("candidates"),
                        part("policies"),
                        part("quarantined"),
                    ]
                };
                let from_gateway = said(&["--admin", &admin]);
                let (matched, policies) = (&from_gateway[0], &from_gateway[3]);
                let is_grpc = matched["service"] == "oms";
                let spoken = if is_grpc { ("http2", "streamed") } else { ("http1", "held") };
                if !matched.is_null() {
                    let said = (policies["protocol"].as_str(), policies["request_bodies"].as_str());
                    assert_eq!(said, (Some(spoken.0), Some(spoken.1)), "{method} {path}");
                    assert_eq!(policies["body_limit"].is_null(), is_grpc, "{method} {path}");
                }
                assert_eq!(said(&[]), from_gateway, "{style}: {method} {path} from the store");
                assert_eq!(said(&FILES), from_gateway, "{style}: {method} {path} from files");
            }
        }
    }
}

/// The reason of the last candidate with this service and URI.
fn reason(document: &Value, service: &str, uri: &str) -> String {
    let candidates = document["candidates"].as_array().expect("candidates");
    let found = candidates.iter().rfind(|one| one["service"] == service && one["uri"] == uri);
    let found = found.unwrap_or_else(|| panic!("no {service} {uri} in {document:#}"));
    found["reason"].as_str().expect("a reason").to_owned()
}

#[test]
fn every_loser_is_told_with_its_reason() {
    let redis = Store::start();
    let house = house(&redis, "after-first");
    let explain =
        |method, path| run(&house, &[], &[&["explain", method, path, "--json"], &FILES[..]].concat()).json();

    let won = explain("GET", "/api/catalog/products/new");
    assert_eq!(won["matched"]["service"], "pim");
    assert_eq!(
        reason(&won, "oms", "/api/catalog/products/{sku}"),
        "less specific than /api/catalog/products/new"
    );
    assert_eq!(reason(&won, "pim", "/api/catalog/products/{product}"), "the service oms keeps this route");
    let other = explain("POST", "/api/catalog/products/7");
    assert_eq!(
        other["answer"],
        serde_json::json!(
            { "status": 405, "code": "method_not_allowed", "allow": "DELETE, GET, HEAD, OPTIONS" }
        )
    );
    assert_eq!(reason(&other, "oms", "/api/catalog/products/{sku}"), "another method: GET");
    let unserved = explain("GET", "/api/customers");
    assert_eq!(reason(&unserved, "crm", "/api/customers"), "the service crm is not served by this gateway");
    let elsewhere = explain("GET", "/api/tree/7");
    assert_eq!(
        reason(&elsewhere, "pim", "/api/catalog/tree/{node?}"),
        "the service pim has this path, and it is served at /api/catalog/tree/{node?}"
    );
    assert_eq!(elsewhere["answer"]["status"], 404);
    let refused = explain("GET", "/api/../x");
    assert_eq!((&refused["answer"]["status"], &refused["matched"]), (&400.into(), &Value::Null));
}

#[test]
fn a_manifest_that_is_not_served_is_told_with_its_reason() {
    let redis = Store::start();
    let house = house(&redis, "after-first");
    redis.command(&["SET", "microservice:manifest:erp", "garbage"]);
    redis.command(&["SET", "microservice:manifest:cms", &manifest("pim", &[("GET", "/api/pages")])]);
    redis.command(&["SADD", "microservice:manifests", "erp", "cms"]);
    let ran = run(&house, &[], &["explain", "GET", "/api/pages"]);
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    for part in [
        "No route matches.\nThe gateway answers itself: 404 route_not_found\n",
        "Manifests that are not served:\n  cms: it is stored under cms and describes pim\n  erp: ",
    ] {
        assert!(ran.out.contains(part), "no {part:?} in {ran:#?}");
    }
    let json = run(&house, &[], &["explain", "GET", "/api/pages", "--json"]).json();
    assert_eq!(json["quarantined"][0]["service"], "cms");
}

#[test]
fn explain_tells_the_policies_that_apply_by_route_service_and_defaults() {
    let house = House::new(
        "[services.oms]\nbase_urls = [\"http://127.0.0.1:2\"]\nretries = 0\ntimeout = 3\n[defaults]\ntimeout = 4\n",
    );
    write(
        &house,
        "oms.toml",
        "service = \"oms\"\n[[routes]]\nmethod = \"GET\"\nuri = \"/a\"\n[[routes]]\nmethod = \"POST\"\nuri = \"/b\"\n\
         timeout = \"500ms\"\nbody_limit = \"2KiB\"\nidempotency = \"required\"\n",
    );
    write(&house, "pim.json", "{\"service\":\"pim\",\"routes\":[{\"method\":\"GET\",\"uri\":\"/c\"}]}");
    let policies = |method, path| {
        let files = ["--manifest", "oms.toml", "--manifest", "pim.json", "--json"];
        good(&house, &[&["explain", method, path], &files[..]].concat()).json()["policies"].clone()
    };
    let (route, service, defaults) = (policies("POST", "/b"), policies("GET", "/a"), policies("GET", "/c"));
    assert_eq!((&route["attempt_timeout"], &route["deadline"]), (&0.5.into(), &1.5.into()));
    assert_eq!((&route["body_limit"], &route["idempotency"]), (&2048.into(), &"required".into()));
    assert_eq!((&service["attempt_timeout"], &service["retries"]), (&3.0.into(), &0.into()));
    assert_eq!((&defaults["attempt_timeout"], &defaults["retries"]), (&4.0.into(), &2.into()));
    assert_eq!(defaults["idempotency"], Value::Null);
}

#[test]
fn explain_says_what_the_instances_are_spoken_to_in_and_what_becomes_of_bodies() {
    let house = House::new(
        "[services.oms]\nbase_urls = [\"http://127.0.0.1:2\"]\nprotocol = \"http2\"\n\
         [services.chat]\nbase_urls = [\"http://127.0.0.1:3\"]\nprotocol = \"http2\"\nrequest_bodies = \"streamed\"\n",
    );
    for service in ["oms", "chat", "pim"] {
        write(&house, &format!("{service}.json"), manifest(service, &[("POST", &format!("/api/{service}"))]));
    }
    for (service, says) in [
        ("oms", "  over HTTP/2: a body of at most 1048576 bytes\n"),
        ("chat", "  over HTTP/2: a body of any size, passed on as it comes\n"),
        ("pim", "  a body of at most 1048576 bytes\n"),
    ] {
        let (path, file) = (format!("/api/{service}"), format!("{service}.json"));
        let ran = good(&house, &["explain", "POST", &path, "--manifest", &file]);
        assert!(ran.out.contains(says), "{ran:#?}");
    }
}

#[test]
fn files_need_neither_store_nor_gateway_and_a_bad_one_is_named() {
    let house = House::new("[services.oms]\nbase_urls = [\"http://127.0.0.1:2\"]\n");
    write(&house, "oms.json", manifest("oms", &[("GET", "/api/orders/{order}")]));
    let ran = good(&house, &["explain", "GET", "/api/orders/7", "--manifest", "oms.json"]);
    assert!(ran.out.contains("Instances:\n  http://127.0.0.1:2 unknown\n"), "{ran:#?}");
    assert_eq!(
        good(&house, &["routes", "--manifest", "oms.json", "--json"]).json()["routes"][0]["service"],
        "oms"
    );
    write(&house, "empty.json", "");
    write(&house, "text.json", "not json");
    write(&house, "bad.json", "{\"service\":\"oms\",\"routes\":[{\"method\":\"GET\",\"uri\":\"/{a}/{a}\"}]}");
    for command in [&["explain", "GET", "/x"][..], &["routes"]] {
        let with = |files: &[&'static str]| [command, files].concat();
        fails(&house, &with(&["--manifest", "none.json"]), 2, "cannot read none.json: No such file");
        fails(&house, &with(&["--manifest", "."]), 2, "cannot read .: Is a directory");
        fails(&house, &with(&["--manifest", "empty.json"]), 2, "empty.json: the file is empty");
        fails(&house, &with(&["--manifest", "text.json"]), 2, "text.json: ");
        fails(&house, &with(&["--manifest", "bad.json"]), 1, "bad.json: ");
        let twice = with(&["--manifest", "oms.json", "--manifest", "oms.json"]);
        fails(&house, &twice, 2, "another file is the manifest of oms already");
        fails(
            &house,
            &with(&["--manifest", "oms.json", "--admin", "http://127.0.0.1:1"]),
            2,
            "cannot be used with",
        );
    }
}
