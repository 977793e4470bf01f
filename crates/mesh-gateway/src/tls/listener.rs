//! TLS towards clients: which certificate the gateway shows to whom.

use std::{collections::HashMap, sync::Arc};

use rustls::{
    ServerConfig,
    client::verify_server_name,
    pki_types::ServerName,
    server::{ClientHello, ParsedCertificate, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::{Identity, TlsError, provider};

/// The certificates of the public listener. Offers HTTP/2 and HTTP/1.1. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ListenerTls(Arc<ServerConfig>);

impl ListenerTls {
    /// Shows the certificate of `named` to clients that ask for its name (SNI; `*.shop.example` stands for every name one
    /// label longer), and `default` to all others.
    ///
    /// # Errors
    ///
    /// When a certificate of `named` does not hold its name.
    pub fn new(
        default: Identity,
        named: impl IntoIterator<Item = (String, Identity)>,
    ) -> Result<Self, TlsError> {
        let mut by_name = HashMap::new();
        for (name, identity) in named {
            let name = name.to_ascii_lowercase();
            check_name(&name, &identity.0)?;
            by_name.insert(name, identity.0);
        }
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Certificates { default: default.0, by_name }));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }

    pub(crate) const fn config(&self) -> &Arc<ServerConfig> {
        &self.0
    }
}

/// That the certificate holds `name`.
pub(super) fn check_name(name: &str, identity: &CertifiedKey) -> Result<(), TlsError> {
    let of = |name: &str| TlsError::Unusable(format!("the certificate is not one for {name}"));
    let asked = name.strip_prefix("*.").map_or_else(|| name.to_owned(), |parent| format!("any.{parent}"));
    let asked = ServerName::try_from(asked).map_err(|_| TlsError::Unusable(format!("{name} is no host")))?;
    let certificate = ParsedCertificate::try_from(identity.end_entity_cert()?)?;
    verify_server_name(&certificate, &asked).map_err(|_| of(name))
}

#[derive(Debug)]
struct Certificates {
    default: Arc<CertifiedKey>,
    by_name: HashMap<String, Arc<CertifiedKey>>,
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = hello.server_name().and_then(|name| {
            let name = name.to_ascii_lowercase();
            let parent = || self.by_name.get(&format!("*.{}", name.split_once('.')?.1));
            self.by_name.get(&name).or_else(parent)
        });
        Some(Arc::clone(named.unwrap_or(&self.default)))
    }
}
