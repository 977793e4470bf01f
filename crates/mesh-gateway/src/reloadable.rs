//! What may change while a gateway runs: settings and keys, replaced whole with the snapshot.

use std::sync::Arc;

use mesh_core::signature::{Keyring, Signer, Verifier};

use crate::{
    settings::GatewaySettings,
    tls::{TlsError, UpstreamTls},
};

/// The settings and keys that apply to a snapshot.
#[derive(Debug)]
pub(crate) struct Reloadable {
    pub(crate) settings: GatewaySettings,
    pub(crate) signer: Signer,
    pub(crate) verifier: Arc<Verifier>,
    pub(crate) upstream_tls: UpstreamTls,
}

impl Reloadable {
    pub(crate) fn new(settings: GatewaySettings, keyring: Keyring) -> Result<Arc<Self>, TlsError> {
        let upstream_tls = match &settings.upstream_tls {
            Some(given) => given.clone(),
            None => UpstreamTls::new(None, None)?,
        };
        let signer = Signer::new(&keyring);
        let verifier = Arc::new(Verifier::new(keyring, settings.timestamp_tolerance));
        Ok(Arc::new(Self { settings, signer, verifier, upstream_tls }))
    }
}
