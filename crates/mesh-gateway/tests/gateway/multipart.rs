//! Multipart bodies towards a PHP service.

use std::time::Duration;

use mesh_core::{
    clock::{Clock as _, SystemClock},
    signature::{MultipartPolicy, Presented, Verifier},
};
use mesh_gateway::GatewaySettings;
use mesh_testkit::upstream::{FakeUpstream, Recorded};

use crate::support::{Node, keyring, manifest, service};

const BODY: &[u8] = b"--x\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\nv\r\n--x--\r\n";
const FORM: &str = "Content-Type: multipart/form-data; boundary=x\r\n";

/// Whether a receiver that saw `body` takes the request.
fn verifies(request: &Recorded, body: &[u8]) -> bool {
    let presented = Presented::parse(&request.header("x-signature"), &request.header("x-timestamp")).unwrap();
    let verifier = Verifier::new(keyring(), Duration::from_secs(60));
    let now = SystemClock.unix();
    verifier.verify(&presented, request.method.as_str(), &request.target, body, now).is_ok()
}

#[tokio::test]
async fn a_multipart_post_is_signed_as_empty_towards_a_php_service_and_counted() {
    let (php, rust) = (FakeUpstream::scripted([]).await.unwrap(), FakeUpstream::scripted([]).await.unwrap());
    let mut of_php = service("php", &[php.url()]);
    of_php.multipart = MultipartPolicy::Php;
    let settings = GatewaySettings {
        configured: vec![of_php, service("rust", &[rust.url()])],
        ..GatewaySettings::default()
    };
    let manifests = ["php", "rust"].map(|name| manifest(name, &[("POST", &format!("/api/{name}"))]));
    let node = Node::start(settings, &manifests).await;
    for name in ["php", "rust"] {
        assert_eq!(node.post(&format!("/api/{name}"), FORM, BODY).await.status, 200);
        assert_eq!(
            node.post(&format!("/api/{name}"), "Content-Type: text/plain\r\n", BODY).await.status,
            200
        );
    }
    for (upstream, leaves_out) in [(&php, true), (&rust, false)] {
        let [form, text] = &upstream.requests()[..] else { panic!("two requests") };
        assert_eq!((&form.body[..], &text.body[..]), (BODY, BODY), "the body itself travels");
        assert_eq!((verifies(form, b""), verifies(form, BODY)), (leaves_out, !leaves_out));
        assert!(verifies(text, BODY));
    }
    let figures = node.admin("/microservice/metrics").await.text();
    assert!(figures.contains("\nmesh_unsigned_bodies_total 1\n"), "{figures}");
    node.stop().await;
}
