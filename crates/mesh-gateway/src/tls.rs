//! Keys and certificates, read from PEM: what instances are trusted by, and what the gateway shows of itself.
//!
//! Refuses PEM without what is asked of it, and a key that does not belong to its certificate. The provider is ring,
//! passed explicitly: what the process has chosen as its default does not matter.

mod listener;
mod upstream;

use std::sync::Arc;

use rustls::{
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject as _},
    sign::CertifiedKey,
};

pub use listener::ListenerTls;
pub use upstream::UpstreamTls;

/// Why PEM is of no use. The fault of the settings; never shows a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// There is no certificate in it.
    #[error("there is no certificate in PEM")]
    NoCertificate,
    /// There is no private key in it.
    #[error("there is no private key in PEM")]
    NoKey,
    /// It has a beginning and no end, or what stands between is no base64.
    #[error("the PEM is malformed")]
    Malformed,
    /// It is none that can be used, for this reason.
    #[error("{0}")]
    Unusable(String),
}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        match error {
            rustls::Error::InconsistentKeys(_) => {
                Self::Unusable("the key does not belong to the certificate".to_owned())
            }
            error => Self::Unusable(error.to_string()),
        }
    }
}

/// A certificate with its chain and its private key.
#[derive(Clone, Debug)]
pub struct Identity(Arc<CertifiedKey>);

impl Identity {
    /// Whether clients that ask for `name` (a host, or `*.` and a host) may be shown it.
    ///
    /// # Errors
    ///
    /// When it holds another name, or `name` is none.
    pub fn check_name(&self, name: &str) -> Result<(), TlsError> {
        listener::check_name(name, &self.0)
    }

    /// Reads a certificate (the chain behind it, leaf first) and its private key (PKCS #8, PKCS #1 or SEC 1), both PEM.
    ///
    /// # Errors
    ///
    /// When one of them is missing or cannot be used, or the key belongs to another certificate.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = certificates(certificate)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| match error {
            pem::Error::NoItemsFound => TlsError::NoKey,
            _ => TlsError::Malformed,
        })?;
        Ok(Self(Arc::new(CertifiedKey::from_der(chain, key, &provider())?)))
    }
}

/// Every certificate in `pem`; at least one.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|_| TlsError::Malformed)?;
    if certificates.is_empty() { Err(TlsError::NoCertificate) } else { Ok(certificates) }
}

fn provider() -> CryptoProvider {
    ring::default_provider()
}
