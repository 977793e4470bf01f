//! The binary under TLS: certificates from files, read again when they change, and told when they are bad.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
};

use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::ring, pki_types::ServerName,
};

use crate::house::{House, wait_for};

const LISTENER: &str = "[gateway.tls]\ncertificate = \"a.pem\"\nkey = \"a.key\"\n";

/// An authority of its own.
struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::default()).expect("no names are fine");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    /// Writes `file`.pem and `file`.key into the house, for `name`.
    fn issue(&self, house: &House, file: &str, name: &str) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([name.to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        super::write(house, &format!("{file}.pem"), certificate.pem());
        super::write(house, &format!("{file}.key"), key.serialize_pem());
    }

    /// The status of a request to `address` by the name `name`, if this authority vouches for what is shown.
    fn status(&self, address: &str, name: &str) -> Option<u16> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).ok()?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .ok()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(name.to_owned()).ok()?;
        let tls = ClientConnection::new(Arc::new(config), name).ok()?;
        let mut stream = StreamOwned::new(tls, TcpStream::connect(address).ok()?);
        stream.write_all(b"GET /api/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.split(' ').nth(1)?.parse().ok()
    }
}

#[test]
fn the_listener_shows_certificates_from_files_and_reads_them_again_when_they_change() {
    let (old, new) = (Authority::new(), Authority::new());
    let house = House::new(&format!(
        "{LISTENER}[gateway.tls.sni.\"b.example\"]\ncertificate = \"b.pem\"\nkey = \"b.key\"\n"
    ));
    old.issue(&house, "a", "a.example");
    old.issue(&house, "b", "b.example");
    let mut gateway = house.gateway();
    for name in ["a.example", "b.example"] {
        assert_eq!(old.status(&gateway.public, name), Some(404), "{name}");
        assert_eq!(new.status(&gateway.public, name), None, "{name}");
    }

    new.issue(&house, "a", "a.example");
    wait_for("the new certificate", || new.status(&gateway.public, "a.example"));
    assert_eq!(old.status(&gateway.public, "a.example"), None);
    assert_eq!(old.status(&gateway.public, "b.example"), Some(404));

    super::write(&house, "b.pem", "no certificate");
    gateway.process.line("the mistake", |line| {
        line.contains("gateway.tls.sni.b.example.certificate: there is no certificate").then_some(())
    });
    gateway.process.line("what holds", |line| line.contains("the old ones stay").then_some(()));
    assert_eq!(old.status(&gateway.public, "b.example"), Some(404));
    gateway.process.signal("TERM");
    assert_eq!(gateway.process.exit_code(), Some(0));
}

#[test]
fn files_that_cannot_be_used_end_the_gateway_with_the_key_that_names_them() {
    let authority = Authority::new();
    let arguments = ["gateway", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    let house = House::new(LISTENER);
    super::fails(&house, &arguments, 2, "mesh.toml:4: gateway.tls.certificate: a.pem cannot be read");
    super::fails(&house, &["config", "check"], 2, "gateway.tls.key: a.key cannot be read");
    authority.issue(&house, "a", "a.example");
    authority.issue(&house, "b", "b.example");
    super::good(&house, &["config", "check"]);
    std::fs::copy(house.folder.path().join("b.key"), house.folder.path().join("a.key")).expect("a copy");
    super::fails(&house, &arguments, 2, "gateway.tls.key: the key does not belong to the certificate");

    for (settings, says) in [
        ("[gateway.tls]\nkey = \"a.key\"\n", "gateway.tls.key: needs gateway.tls.certificate"),
        ("[gateway.upstream_tls]\ncertificate = \"b.pem\"\n", "needs gateway.upstream_tls.key"),
        (
            "[gateway.tls.sni.\"x.example\"]\ncertificate = \"b.pem\"\nkey = \"b.key\"\n",
            "gateway.tls.sni.x.example.certificate: needs gateway.tls.certificate",
        ),
        (
            "[gateway.tls]\ncertificate = \"b.pem\"\nkey = \"b.key\"\n\
             [gateway.tls.sni.\"x.example\"]\ncertificate = \"b.pem\"\nkey = \"b.key\"\n",
            "gateway.tls.sni.x.example.certificate: the certificate is not one for x.example",
        ),
        (
            "[gateway.upstream_tls]\nroots = \"b.key\"\n",
            "gateway.upstream_tls.roots: there is no certificate",
        ),
    ] {
        let other = House::new(settings);
        for file in ["a.key", "b.pem", "b.key"] {
            std::fs::copy(house.folder.path().join(file), other.folder.path().join(file)).expect("a copy");
        }
        super::fails(&other, &arguments, 2, says);
    }
}
