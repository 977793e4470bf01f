//! Who calls: the name that callers are known by, and the secrets that prove it.

use mesh_core::{name::ServiceName, signature::Keyring};

/// A node's name and its keyring.
#[derive(Clone, Debug)]
pub struct Identity {
    /// What stands in `X-Service-Name`; visible ASCII.
    pub name: ServiceName,
    /// The active secret signs.
    pub keyring: Keyring,
}

impl Identity {
    /// A name and its keyring.
    #[must_use]
    pub const fn new(name: ServiceName, keyring: Keyring) -> Self {
        Self { name, keyring }
    }
}
