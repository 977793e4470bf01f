//! Settings and keys that change while the gateway runs.

use mesh_core::{
    secret::Secret,
    signature::{Keyring, Signer},
};
use mesh_gateway::GatewaySettings;
use mesh_testkit::upstream::{FakeUpstream, Recorded};

use crate::support::{Node, keyring, manifest, name, service, until};

fn is_signed_by(request: &Recorded, keyring: &Keyring) -> bool {
    let timestamp = str::from_utf8(request.header("x-timestamp")[0]).unwrap().parse().unwrap();
    let expected = Signer::new(keyring).sign("GET", &request.target, timestamp, b"");
    request.header("x-signature") == [expected.as_str().as_bytes()]
}

#[tokio::test]
async fn other_instances_prefixes_limits_and_keys_apply_without_a_restart() {
    let (old, new) = (FakeUpstream::scripted([]).await.unwrap(), FakeUpstream::scripted([]).await.unwrap());
    let settings = |upstream: &FakeUpstream| GatewaySettings {
        configured: vec![service("pim", &[upstream.url()])],
        ..GatewaySettings::default()
    };
    let routes = [("GET", "/api/products"), ("POST", "/api/products")];
    let node = Node::start(settings(&old), &[manifest("pim", &routes)]).await;
    assert_eq!(node.get("/api/products").await.status, 200);
    assert!(is_signed_by(&old.requests()[0], &keyring()));

    let fresh = Keyring::new(Secret::try_new("a fresh secret of the test street").unwrap());
    let changed = GatewaySettings {
        prefixes: [(name("pim"), "catalog".to_owned())].into(),
        body_limit: 1,
        ..settings(&new)
    };
    node.running.gateway().reload(changed, fresh.clone()).await.unwrap();
    until("the new prefix is served", async || node.get("/api/catalog/products").await.status == 200).await;
    assert_eq!(old.count(), 1);
    assert!(is_signed_by(&new.requests()[0], &fresh));
    node.post("/api/catalog/products", "", b"ok").await.is_refusal(413, "body_too_large");
    node.get("/api/products").await.is_refusal(404, "route_not_found");
    node.stop().await;
}
