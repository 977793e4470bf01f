//! TLS towards instances: whom the gateway believes, and who it says it is.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, sign::SingleCertAndKey};

use super::{Identity, TlsError, certificates, provider};

/// Whom the gateway believes to be an instance, and the certificate that it shows to those that ask for one (mTLS).
/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct UpstreamTls(Arc<ClientConfig>);

impl UpstreamTls {
    /// Believes instances whose certificate leads to one of `roots` (PEM) and holds the base URL's host name or address;
    /// without `roots`, to one of the public roots that came with this build (those of Mozilla). Shows `identity` to instances
    /// that ask for a certificate.
    ///
    /// # Errors
    ///
    /// When `roots` hold no certificate, or one that cannot be a root.
    pub fn new(roots: Option<&[u8]>, identity: Option<Identity>) -> Result<Self, TlsError> {
        let mut trusted = RootCertStore::empty();
        match roots {
            Some(pem) => {
                for root in certificates(pem)? {
                    trusted.add(root)?;
                }
            }
            None => trusted.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(trusted);
        let mut config = match identity {
            Some(identity) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.0))),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }

    pub(crate) const fn config(&self) -> &Arc<ClientConfig> {
        &self.0
    }
}
