//! TLS towards instances: whom the gateway believes, and who it says it is.

use std::sync::Arc;

use mesh_core::service::Protocol;
use rustls::{ClientConfig, RootCertStore, sign::SingleCertAndKey};

use super::{Identity, TlsError, certificates, provider};

/// Whom the gateway believes to be an instance, and the certificate that it shows to those that ask for one (mTLS).
/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct UpstreamTls {
    http1: Arc<ClientConfig>,
    http2: Arc<ClientConfig>,
}

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
        let mut http2 = config.clone();
        http2.alpn_protocols = vec![b"h2".to_vec()];
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { http1: Arc::new(config), http2: Arc::new(http2) })
    }

    /// For instances that are to speak `protocol`, and nothing else.
    pub(crate) const fn config(&self, protocol: Protocol) -> &Arc<ClientConfig> {
        match protocol {
            Protocol::Http2 => &self.http2,
            _ => &self.http1,
        }
    }

    /// Whether `other` is the same trust, not only an equal one.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.http1, &other.http1)
    }
}
