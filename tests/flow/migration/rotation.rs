//! A new secret for a fleet of both kinds.

use mesh_core::signature::Keyring;

use super::{RustService, secret};
use crate::{
    house::{Gateway, House, manifest, wait_for},
    php::{self, Peer},
    store::Store,
    wire,
};

const OLD: &str = "the secret of the old days";
const NEW: &str = "the secret of the new days";

fn keyring(active: &str, previous: &[&str]) -> Keyring {
    let previous = previous.iter().map(|text| secret(text)).collect();
    Keyring { previous, ..Keyring::new(secret(active)) }
}

/// Writes the gateway's settings; it reads them when it is told.
fn settings(house: &House, redis: &Store, port: u16, active: &str, previous: &str) {
    let text = format!(
        "name = \"gateway\"\nsecret = \"{active}\"\nprevious_secrets = [{previous}]\n[services.oms]\n\
         base_urls = [\"http://127.0.0.1:{port}\"]\n[redis]\nurl = \"{}\"\n",
        redis.url()
    );
    std::fs::write(house.folder.path().join("mesh.toml"), text).expect("settings");
}

/// A registration by PHP with this secret: the gateway's status.
fn registers(php: &mut Peer, gateway: &Gateway, secret: &str) -> u64 {
    let document = manifest("oms", &[("GET", "/api/orders")]);
    let edge = format!("http://{}", gateway.public);
    php.call("oms", secret, &edge, ("POST", "/microservice/manifest", document.as_bytes())).0
}

/// A call through the gateway to the PHP service.
fn through(gateway: &Gateway) -> u16 {
    wire::get(&gateway.public, "/api/orders").map_or(0, |answer| answer.status)
}

#[test]
fn both_sides_change_their_secret_and_no_caller_of_a_rust_receiver_is_refused_on_the_way() {
    let redis = Store::start();
    let house = House::new("");
    let file = house.folder.path().join("secret");
    std::fs::write(&file, OLD).expect("a file");
    let (_php_service, port) = php::receiver("oms", &file);
    let mut php = Peer::start();
    let call = |php: &mut Peer, rust: &RustService, secret| {
        php.call("crm", secret, &rust.url(), ("GET", "/x", b"")).0
    };

    // 1. Rust receivers take both; nothing changes on the wire.
    settings(&house, &redis, port, OLD, &format!("\"{NEW}\""));
    let gateway = house.gateway();
    let rust = RustService::start(keyring(OLD, &[NEW]));
    for secret in [OLD, NEW] {
        assert_eq!((call(&mut php, &rust, secret), registers(&mut php, &gateway, secret)), (200, 200));
    }
    wait_for("the PHP service's route", || (through(&gateway) == 200).then_some(()));

    // 2. PHP receivers know one secret: they and the gateway change together, while callers change one by one.
    std::fs::write(&file, NEW).expect("a file");
    assert_eq!(through(&gateway), 401, "a PHP receiver takes the new secret only");
    settings(&house, &redis, port, NEW, &format!("\"{OLD}\""));
    gateway.process.signal("HUP");
    wait_for("the gateway's new secret", || (through(&gateway) == 200).then_some(()));
    let rust_of_the_new_days = RustService::start(keyring(NEW, &[OLD]));
    for secret in [OLD, NEW] {
        for receiver in [&rust, &rust_of_the_new_days] {
            assert_eq!(call(&mut php, receiver, secret), 200);
        }
        assert_eq!(registers(&mut php, &gateway, secret), 200);
    }

    // 3. The old one goes.
    settings(&house, &redis, port, NEW, "");
    gateway.process.signal("HUP");
    wait_for("the end of the old secret", || (registers(&mut php, &gateway, OLD) == 401).then_some(()));
    let rust = RustService::start(keyring(NEW, &[]));
    assert_eq!((call(&mut php, &rust, OLD), call(&mut php, &rust, NEW)), (401, 200));
    assert_eq!((registers(&mut php, &gateway, NEW), through(&gateway)), (200, 200));
}
