//! The manifest port on Redis: one JSON document per service, the set of their names, and a channel for changes
//! (docs/wire.md, Redis).
//!
//! A read costs four round trips and at most a hundred SCANs: manifests that the package's first version wrote are in no
//! set. With more than about 100,000 keys in the database, such a manifest is found a few reads later.

mod changes;
mod read;
mod scan;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use deadpool_redis::redis::{Client, Script, ScriptInvocation};
use mesh_core::{
    name::ServiceName,
    store::{ManifestStore, Replaced, Revision, StoreError, StoredManifest},
};

use self::{changes::Changes, scan::Scan};
use crate::{connect::RedisStore, keys::Keys, link::CALL_LIMIT, ttl};

#[derive(Debug)]
pub(crate) struct Manifests {
    put: Script,
    replace: Script,
    forget: Script,
    scan: Scan,
    changes: Changes,
}

impl Manifests {
    pub(crate) fn new(client: &Client, keys: &Keys) -> Self {
        Self {
            put: Script::new(include_str!("scripts/put_manifest.lua")),
            replace: Script::new(include_str!("scripts/replace_manifest.lua")),
            forget: Script::new(include_str!("scripts/forget_members.lua")),
            scan: Scan::default(),
            changes: Changes::new(client.clone(), keys.manifests_changed()),
        }
    }
}

fn storing<'a>(
    script: &'a Script,
    keys: &Keys,
    service: &ServiceName,
    document: &Bytes,
    ttl: Duration,
) -> ScriptInvocation<'a> {
    let mut call = script.key(keys.manifest(service));
    call.key(keys.manifests())
        .arg(&document[..])
        .arg(ttl::millis(ttl))
        .arg(service.as_str())
        .arg(keys.manifests_changed());
    call
}

#[async_trait]
impl ManifestStore for RedisStore {
    async fn put(&self, service: &ServiceName, document: Bytes, ttl: Duration) -> Result<(), StoreError> {
        let store = &*self.0;
        let call = storing(&store.manifests.put, &store.keys, service, &document, ttl);
        store
            .link
            .run(CALL_LIMIT, |mut redis| async move { call.invoke_async::<()>(&mut redis).await })
            .await?;
        store.manifests.changes.tell();
        Ok(())
    }

    async fn replace(
        &self,
        service: &ServiceName,
        expected: Option<Bytes>,
        document: Bytes,
        ttl: Duration,
    ) -> Result<Replaced, StoreError> {
        let store = &*self.0;
        let mut call = storing(&store.manifests.replace, &store.keys, service, &document, ttl);
        if let Some(expected) = &expected {
            call.arg(&expected[..]);
        }
        let stored: bool = store
            .link
            .run(CALL_LIMIT, |mut redis| async move { call.invoke_async(&mut redis).await })
            .await?;
        if !stored {
            return Ok(Replaced::Changed);
        }
        store.manifests.changes.tell();
        Ok(Replaced::Stored)
    }

    async fn get(&self, service: &ServiceName) -> Result<Option<StoredManifest>, StoreError> {
        let keys = [self.0.keys.manifest(service)];
        let stored = self.0.link.run(CALL_LIMIT, |redis| read::stored(redis, &keys)).await?;
        Ok(stored.into_iter().next().and_then(|stored| stored.into_manifest(service.clone())))
    }

    async fn all(&self) -> Result<Vec<StoredManifest>, StoreError> {
        self.0.read_all().await
    }

    async fn changed(&self, seen: Revision) -> Revision {
        self.0.manifests.changes.after(seen).await
    }
}
