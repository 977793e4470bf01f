//! The access log of the binary: a line for each request, where the settings say and as they say.

use std::fs;

use serde_json::Value;

use crate::{
    house::{Gateway, House, Process, python_service, wait_for},
    wire,
};

const ID: &str = "0b9c2a6e-6a6f-4b6e-9f63-0d3f5c1d2e3f";

/// A gateway with this access log before a service `pim`, whose route it knows.
fn gateway(format: &str, target: &str) -> (House, Gateway, Process, u16) {
    let (service, port) = python_service("pim");
    let house = House::new(&format!(
        "[services.pim]\nbase_urls = [\"http://127.0.0.1:{port}\"]\n\
         [gateway.access_log]\nformat = \"{format}\"\ntarget = \"{target}\"\n"
    ));
    let gateway = house.gateway();
    let pusher = House::new(&format!(
        "[services.edge]\nbase_urls = [\"http://{}\"]\n[manifest]\ngateway = \"edge\"\n",
        gateway.public
    ));
    pusher.register("pim", &[("GET", "/api/products/{product}")]);
    (house, gateway, service, port)
}

fn ask(gateway: &Gateway, target: &str) -> u16 {
    let head = format!("GET {target} HTTP/1.1\r\nX-Request-Id: {ID}");
    wire::request(&gateway.public, &head, b"").expect("an answer").status
}

#[test]
fn each_request_leaves_a_line_of_json_in_the_file_that_the_settings_name() {
    let (house, mut gateway, _service, port) = gateway("json", "access.log");
    assert_eq!(ask(&gateway, "/api/products/7?token=hidden"), 200);
    assert_eq!(ask(&gateway, "/nowhere?token=hidden"), 404);
    let read = || fs::read_to_string(house.folder.path().join("access.log")).expect("a log");
    let lines = || {
        let log = read();
        // The last line may be on its way.
        let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect::<Vec<Value>>()
    };
    let found = |path: &str| wait_for(path, || lines().into_iter().find(|line| line["path"] == path));

    let line = found("/api/products/7");
    assert_eq!((&line["request_id"], &line["status"]), (&ID.into(), &200.into()), "{line}");
    assert_eq!(
        (&line["service"], &line["route"]),
        (&"pim".into(), &"/api/products/{product}".into()),
        "{line}"
    );
    assert_eq!(line["instance"], format!("http://127.0.0.1:{port}"), "{line}");
    assert_eq!((&line["method"], &line["attempts"]), (&"GET".into(), &1.into()), "{line}");
    assert_eq!((&line["client"], &line["complete"]), (&"127.0.0.1".into(), &true.into()), "{line}");
    let refused = found("/nowhere");
    assert_eq!((&refused["status"], &refused["code"]), (&404.into(), &"route_not_found".into()), "{refused}");
    assert_eq!(refused["service"], Value::Null, "{refused}");

    gateway.process.signal("TERM");
    assert_eq!(gateway.process.exit_code(), Some(0));
    // Each worker writes when its answer is out: in no order.
    let mut paths: Vec<_> = lines().iter().map(|line| line["path"].as_str().unwrap().to_owned()).collect();
    paths.sort();
    assert_eq!(paths, ["/api/products/7", "/microservice/manifest", "/nowhere"], "one line for each");
    assert!(!read().contains("hidden"));
}

#[test]
fn each_request_leaves_a_line_of_text_on_stderr_where_the_settings_say_so() {
    let (_house, mut gateway, _service, _port) = gateway("text", "stderr");
    assert_eq!(ask(&gateway, "/api/products/7?token=hidden"), 200);
    let line =
        gateway.process.line("the request", |line| line.contains("/api/products/7").then(|| line.to_owned()));
    assert!(line.contains(" 127.0.0.1 \"GET /api/products/7\" 200 "), "{line}");
    assert!(line.contains(&format!(" request_id={ID} ")) && line.contains(" service=pim "), "{line}");
}
