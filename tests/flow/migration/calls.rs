//! Calls over real sockets: PHP to Rust and Rust to PHP, directly and through one gateway.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::Method;
use mesh_client::{Identity, ServiceClient};
use mesh_core::{
    service::{BaseUrl, Service},
    signature::Keyring,
};
use serde_json::{Value, json};

use super::{
    RustService,
    chance::{Chance, Request},
    name, routes, runtime, secret,
};
use crate::{
    house::{House, SECRET},
    php::{self, Peer},
    store::Store,
    wire,
};

/// So many calls each way, half of them through the gateway.
const CALLS: usize = 300;

fn client(secret_text: &str, services: &[(&str, String)]) -> ServiceClient {
    let services = services
        .iter()
        .map(|(service, url)| Service::new(name(service), vec![BaseUrl::parse(url).expect("a base URL")]));
    let identity = Identity::new(name("crm"), Keyring::new(secret(secret_text)));
    ServiceClient::builder(identity).services(services).build().expect("a client")
}

async fn call(client: &ServiceClient, service: &str, request: &Request) -> (u16, Value) {
    let method: Method = request.method.parse().expect("a method");
    let call = client.service(service).request(method, format!("{}{}", request.path, request.query));
    let call = if request.method == "GET" { call } else { call.with_body(request.body.clone()) };
    let answer = call.send().await.unwrap_or_else(|error| panic!("{error} for {request:?}"));
    (answer.status().as_u16(), answer.json().unwrap_or_else(|error| panic!("{error} for {request:?}")))
}

#[track_caller]
fn check(request: &Request, caller: &str, status: u64, seen: &Value) {
    assert_eq!(status, 200, "{seen} for {request:?}");
    let target = format!("{}{}", request.path, request.query);
    let sent = json!([request.method, target, caller, STANDARD.encode(&request.body)]);
    assert_eq!(json!([seen["method"], seen["target"], seen["caller"], seen["body"]]), sent);
}

#[test]
fn php_and_rust_call_each_other_directly_and_through_one_gateway() {
    let rust = RustService::start(Keyring::new(secret(SECRET)));
    let redis = Store::start();
    let house = House::new("");
    let secret_file = house.folder.path().join("secret");
    std::fs::write(&secret_file, SECRET).expect("a file");
    let (_php_service, port) = php::receiver("oms", &secret_file);
    let php_url = format!("http://127.0.0.1:{port}");
    let text = format!(
        "name = \"gateway\"\nsecret = \"{SECRET}\"\n[services.pim]\nbase_urls = [\"{}\"]\n[services.oms]\n\
         base_urls = [\"{php_url}\"]\n[redis]\nurl = \"{}\"\nprefix = \"laravel_database_microservice:\"\n",
        rust.url(),
        redis.url()
    );
    std::fs::write(house.folder.path().join("mesh.toml"), text).expect("settings");
    for service in ["pim", "oms"] {
        let routes = routes(service);
        let routes: Vec<_> = routes.iter().map(|(method, uri)| (*method, uri.as_str())).collect();
        house.register(service, &routes);
    }
    let gateway = house.gateway();
    let edge = format!("http://{}", gateway.public);
    let (mut chance, mut peer) = (Chance::new(), Peer::start());

    for count in 0..CALLS {
        let request = chance.canonical("pim");
        let (base, caller) = if count % 2 == 0 { (rust.url(), "crm") } else { (edge.clone(), "gateway") };
        let target = format!("{}{}", request.path, request.query);
        let (status, body) = peer.call("crm", SECRET, &base, (request.method, &target, &request.body));
        check(&request, caller, status, &serde_json::from_str(&body).expect("json"));
    }
    let runtime = runtime();
    runtime.block_on(async {
        let services = [("oms", php_url.clone()), ("edge", edge.clone())];
        let client = client(SECRET, &services);
        for count in 0..CALLS {
            let request = chance.canonical("oms");
            let (service, caller) = if count % 2 == 0 { ("oms", "crm") } else { ("edge", "gateway") };
            let (status, seen) = call(&client, service, &request).await;
            check(&request, caller, status.into(), &seen);
        }
    });

    let request = chance.canonical("pim");
    let invalid = json!({ "error": "Invalid signature or timestamp.", "code": "sig.invalid" });
    let nameless = json!({ "error": "Missing service name header.", "code": "sig.service_missing" });
    for (caller, secret, refusal) in [("crm", "a secret of somebody else", &invalid), ("", SECRET, &nameless)]
    {
        let (status, body) =
            peer.call(caller, secret, &rust.url(), (request.method, &request.path, &request.body));
        assert_eq!((status, &serde_json::from_str::<Value>(&body).expect("json")), (401, refusal));
    }
    let (status, seen) = runtime.block_on(async {
        let stranger = client("a secret of somebody else", &[("oms", php_url)]);
        call(&stranger, "oms", &chance.canonical("oms")).await
    });
    assert_eq!((status, seen), (401, json!({ "error": "Invalid signature or timestamp." })));
}

#[test]
fn an_upload_reaches_a_php_service_whose_multipart_bodies_are_left_out_of_the_signature() {
    let redis = Store::start();
    let house = House::new("");
    let file = house.folder.path().join("secret");
    std::fs::write(&file, SECRET).expect("a file");
    let (_php_service, port) = php::receiver("oms", &file);
    let upload = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--\r\n";
    let head = "POST /api/oms/uploads HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x";
    for (multipart, status) in [("php", 200), ("signed", 401)] {
        let text = format!(
            "name = \"gateway\"\nsecret = \"{SECRET}\"\n[services.oms]\nbase_urls = [\"http://127.0.0.1:{port}\"]\n\
             multipart = \"{multipart}\"\n[redis]\nurl = \"{}\"\n",
            redis.url()
        );
        std::fs::write(house.folder.path().join("mesh.toml"), text).expect("settings");
        house.register("oms", &[("POST", "/api/oms/{a}")]);
        let gateway = house.gateway();
        let answer = wire::request(&gateway.public, head, upload.as_bytes()).expect("an answer");
        assert_eq!(answer.status, status, "{multipart}: {answer:?}");
    }
}
