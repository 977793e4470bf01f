//! Which manifests a gateway serves: what the store holds, and for how long what it no longer holds.
//!
//! Refuses to forget on bad news: a store that is silent or was emptied stops the clock (docs/wire.md, Gateway).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;

use super::Manifest;
use crate::{clock::Tick, name::ServiceName, store::StoredManifest};

/// What a store's clock and ours may differ by when a key runs out.
const SLACK: Duration = Duration::from_secs(1);

/// A manifest that is served.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// The document as it was stored.
    pub document: Bytes,
    /// The document, read.
    pub manifest: Arc<Manifest>,
    /// When the store forgets it.
    pub expires: Tick,
}

/// A document in the store that is no manifest of its service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// The document as it is stored.
    pub document: Bytes,
    /// Why it is not served.
    pub reason: String,
}

/// All manifests that a gateway knows.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    kept: BTreeMap<ServiceName, Kept>,
    quarantined: BTreeMap<ServiceName, Quarantined>,
    last_round: Tick,
    /// Whether an empty store is no word against them: they come from disk, or the store was emptied, and it has held
    /// none since.
    is_store_doubted: bool,
}

/// The numbers that steer how long manifests are kept.
#[derive(Clone, Copy, Debug)]
pub struct Keeping {
    /// The expiry of a manifest whose store names none.
    pub ttl: Duration,
    /// How long a manifest is served past its expiry.
    pub grace: Duration,
}

impl Remembered {
    /// Nothing, at `now`.
    #[must_use]
    pub fn new(now: Tick) -> Self {
        Self { last_round: now, ..Self::default() }
    }

    /// The manifests that are served, by service name.
    #[must_use]
    pub const fn kept(&self) -> &BTreeMap<ServiceName, Kept> {
        &self.kept
    }

    /// The documents that are not, by service name.
    #[must_use]
    pub const fn quarantined(&self) -> &BTreeMap<ServiceName, Quarantined> {
        &self.quarantined
    }

    /// Takes in one document that is stored for `expires_in` from `now` on. One that is no manifest of `service`
    /// is quarantined, and an older good one stays. Answers whether anything changed but expiries.
    pub fn put(&mut self, service: &ServiceName, document: &Bytes, expires_in: Duration, now: Tick) -> bool {
        let expires = now.after(expires_in);
        if let Some(quarantined) = self.quarantined.get(service)
            && quarantined.document == *document
        {
            self.renew(service, expires);
            return false;
        }
        if let Some(kept) = self.kept.get_mut(service)
            && kept.document == *document
        {
            kept.expires = expires;
            return self.quarantined.remove(service).is_some();
        }
        match read(service, document) {
            Ok(manifest) => {
                let kept = Kept { document: document.clone(), manifest: Arc::new(manifest), expires };
                self.kept.insert(service.clone(), kept);
                self.quarantined.remove(service);
            }
            Err(reason) => {
                self.renew(service, expires);
                self.quarantined.insert(service.clone(), Quarantined { document: document.clone(), reason });
            }
        }
        true
    }

    /// Takes in a document that was kept on disk, whose store forgets it `expires_in` from `now`.
    pub fn restore(&mut self, service: &ServiceName, document: &Bytes, expires_in: Duration, now: Tick) {
        self.put(service, document, expires_in, now);
        self.is_store_doubted = true;
    }

    /// Takes in a successful read of the whole store. A manifest that it lacks is dropped once it is past its expiry
    /// and the grace. A read without any manifest, while one should still be there, is a store that was emptied:
    /// nothing is dropped, and expiries stand still. Answers whether anything changed but expiries.
    pub fn absorb(&mut self, read: &[StoredManifest], now: Tick, keeping: Keeping) -> bool {
        let is_early = |kept: &Kept| kept.expires.since(now) > SLACK;
        let was_emptied = read.is_empty() && (self.is_store_doubted || self.kept.values().any(is_early));
        if was_emptied {
            self.is_store_doubted = true;
            self.suspend(now);
            return false;
        }
        self.last_round = now;
        self.is_store_doubted = false;
        let mut changed = false;
        for stored in read {
            let expires_in = stored.expires_in.unwrap_or(keeping.ttl);
            changed |= self.put(&stored.service, &stored.document, expires_in, now);
        }
        let is_there = |service: &ServiceName| read.iter().any(|stored| stored.service == *service);
        let before = (self.kept.len(), self.quarantined.len());
        self.kept.retain(|service, kept| is_there(service) || now < kept.expires.after(keeping.grace));
        self.quarantined.retain(|service, _| is_there(service));
        changed || before != (self.kept.len(), self.quarantined.len())
    }

    /// The store could not be read: expiries stand still since the last round.
    pub fn suspend(&mut self, now: Tick) {
        let silent = now.since(self.last_round);
        self.last_round = now;
        for kept in self.kept.values_mut() {
            kept.expires = kept.expires.after(silent);
        }
    }

    fn renew(&mut self, service: &ServiceName, expires: Tick) {
        if let Some(kept) = self.kept.get_mut(service) {
            kept.expires = expires;
        }
    }
}

fn read(service: &ServiceName, document: &Bytes) -> Result<Manifest, String> {
    let manifest = Manifest::parse(document).map_err(|error| error.to_string())?;
    if manifest.service == *service {
        Ok(manifest)
    } else {
        Err(format!("it is stored under {service} and describes {}", manifest.service))
    }
}

#[cfg(test)]
mod tests;
