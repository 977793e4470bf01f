//! Every key and channel of the mesh in Redis (docs/wire.md, Redis).

use std::sync::Arc;

use md5::{Digest, Md5};
use mesh_core::{idempotency::IdempotencyKey, name::ServiceName, service::Instance};

/// The keys under one prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    prefix: Arc<str>,
}

impl Keys {
    /// The keys under `prefix`, as it stands in the settings: with its colon, if any.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Self { prefix: Arc::from(prefix) }
    }

    /// The prefix, exactly as given.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The failures of an instance: a JSON document that expires.
    #[must_use]
    pub fn health(&self, instance: &Instance) -> String {
        self.health_of(instance.service.as_str(), instance.url.as_str())
    }

    /// [`Keys::health`] for texts: the package has keys for names and URLs that our settings refuse.
    #[must_use]
    pub fn health_of(&self, service: &str, url: &str) -> String {
        format!("{}health:{service}:{}", self.prefix, hex::encode(Md5::digest(url.as_bytes())))
    }

    /// A service's manifest: a JSON document that expires.
    #[must_use]
    pub fn manifest(&self, service: &ServiceName) -> String {
        self.manifest_of(service.as_str())
    }

    /// [`Keys::manifest`] for a text.
    #[must_use]
    pub fn manifest_of(&self, service: &str) -> String {
        format!("{}manifest:{service}", self.prefix)
    }

    /// The set of the names of all services that have a manifest.
    #[must_use]
    pub fn manifests(&self) -> String {
        format!("{}manifests", self.prefix)
    }

    /// The channel on which the name of a service is published when its manifest is stored.
    #[must_use]
    pub fn manifests_changed(&self) -> String {
        format!("{}manifests:changed", self.prefix)
    }

    /// The answer to a request that ran: a JSON document that expires.
    #[must_use]
    pub fn idempotency(&self, key: &IdempotencyKey) -> String {
        format!("{}idempotency:{key}", self.prefix)
    }

    /// The lock of a request that runs: its owner's token, which expires. Under the package's keys, the key of another
    /// request can be the same text; under ours it cannot.
    #[must_use]
    pub fn idempotency_lock(&self, key: &IdempotencyKey) -> String {
        format!("{}idempotency:{key}:lock", self.prefix)
    }

    /// The glob that matches the key of every manifest under this prefix, and no other prefix.
    #[must_use]
    pub fn manifest_glob(&self) -> String {
        let mut glob = String::with_capacity(self.prefix.len() + 16);
        for c in self.prefix.chars() {
            if matches!(c, '*' | '?' | '[' | ']' | '\\') {
                glob.push('\\');
            }
            glob.push(c);
        }
        glob.push_str("manifest:*");
        glob
    }

    /// The name of the service whose manifest's key this is; absent when it is another key.
    #[must_use]
    pub fn service_of<'a>(&self, manifest_key: &'a [u8]) -> Option<&'a [u8]> {
        manifest_key.strip_prefix(self.prefix.as_bytes())?.strip_prefix(b"manifest:")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_health_key_holds_the_md5_of_the_url_as_configured() {
        let keys = Keys::new("microservice:");
        assert_eq!(
            keys.health_of("oms", "http://oms-2:8000"),
            "microservice:health:oms:ca341a5d26c5b780c4caa20091396143"
        );
        assert_ne!(keys.health_of("oms", "http://oms-2:8000/"), keys.health_of("oms", "http://oms-2:8000"));
    }

    #[test]
    fn the_key_of_a_manifest_leads_back_to_its_service() {
        let keys = Keys::new("p:");
        assert_eq!(keys.service_of(keys.manifest_of("a:b").as_bytes()), Some(&b"a:b"[..]));
        assert_eq!(keys.service_of(keys.manifests().as_bytes()), None);
        assert_eq!(keys.service_of(b"q:manifest:a"), None);
    }

    #[test]
    fn a_prefix_means_itself_in_a_glob() {
        assert_eq!(Keys::new("a*[b]?\\:").manifest_glob(), "a\\*\\[b\\]\\?\\\\:manifest:*");
    }
}
