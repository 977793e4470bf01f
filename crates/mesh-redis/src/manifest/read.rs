//! Reading manifests: which services have one, and what it says.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use deadpool_redis::redis::{RedisResult, Value, aio::MultiplexedConnection, cmd, from_redis_value, pipe};
use mesh_core::{
    name::ServiceName,
    store::{StoreError, StoredManifest},
};

use crate::{connect::Inner, link::CALL_LIMIT};

/// How long each half of a read may take: which services there are, and what their manifests say.
const READ_LIMIT: Duration = Duration::from_secs(3);

/// What `PTTL` answers for a key without an end.
const WITHOUT_END: i64 = -1;
/// What `PTTL` answers for no key.
const NO_KEY: i64 = -2;

/// What stands at a key.
pub(super) struct Stored {
    /// Absent when there is no key, and when it is no string.
    document: Option<Vec<u8>>,
    pttl: i64,
}

impl Stored {
    /// The manifest; absent when there is none.
    pub(super) fn into_manifest(self, service: ServiceName) -> Option<StoredManifest> {
        let expires_in = match self.pttl {
            WITHOUT_END => None,
            left => Some(Duration::from_millis(u64::try_from(left).ok()?)),
        };
        Some(StoredManifest { service, document: Bytes::from(self.document?), expires_in })
    }
}

/// What stands at `keys`, in one round trip. One of another type does not hide the others.
pub(super) async fn stored(mut redis: MultiplexedConnection, keys: &[String]) -> RedisResult<Vec<Stored>> {
    let mut pipe = pipe();
    pipe.cmd("MGET").arg(keys);
    for key in keys {
        pipe.cmd("PTTL").arg(key);
    }
    let mut answers = pipe.query_async::<Vec<Value>>(&mut redis).await?.into_iter();
    let documents: Vec<Option<Vec<u8>>> = from_redis_value(answers.next().unwrap_or(Value::Nil))?;
    documents
        .into_iter()
        .zip(answers)
        .map(|(document, pttl)| Ok(Stored { document, pttl: from_redis_value(pttl)? }))
        .collect()
}

impl Inner {
    /// Every manifest, by service name. Members whose manifest is gone are removed from the set.
    pub(super) async fn read_all(&self) -> Result<Vec<StoredManifest>, StoreError> {
        let members = self.members().await?;
        let scanned = self.scanned().await?;
        let services: Vec<ServiceName> = members.union(&scanned).cloned().collect();
        if services.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<String> = services.iter().map(|service| self.keys.manifest(service)).collect();
        let stored = self.link.run(READ_LIMIT, |redis| stored(redis, &keys)).await?;

        let (mut manifests, mut gone) = (Vec::with_capacity(services.len()), Vec::new());
        for ((service, key), stored) in services.into_iter().zip(&keys).zip(stored) {
            if stored.document.is_some() {
                manifests.extend(stored.into_manifest(service));
            } else if stored.pttl == NO_KEY {
                gone.push(service);
            } else {
                self.ignore(key, "it is no string and no manifest");
            }
        }
        if !gone.is_empty() {
            self.manifests.scan.forget(&gone);
            self.forget(gone.into_iter().filter(|service| members.contains(service)).collect()).await;
        }
        Ok(manifests)
    }

    async fn members(&self) -> Result<BTreeSet<ServiceName>, StoreError> {
        let key = self.keys.manifests();
        let mut smembers = cmd("SMEMBERS");
        smembers.arg(&key);
        let members = self
            .link
            .run(CALL_LIMIT, |mut redis| async move {
                match smembers.query_async::<Vec<Vec<u8>>>(&mut redis).await {
                    Err(error) if error.code() == Some("WRONGTYPE") => Ok(None),
                    answer => answer.map(Some),
                }
            })
            .await?;
        let Some(members) = members else {
            self.ignore(&key, "it is no set; manifests are found by scanning");
            return Ok(BTreeSet::new());
        };
        Ok(members.iter().filter_map(|name| self.name(name)).collect())
    }

    async fn scanned(&self) -> Result<BTreeSet<ServiceName>, StoreError> {
        let scan = &self.manifests.scan;
        let (glob, cursor) = (self.keys.manifest_glob(), scan.cursor());
        let scanned = self.link.run(READ_LIMIT, |redis| super::scan::steps(redis, glob, cursor)).await;
        let (cursor, keys) = match scanned {
            // A user that may not scan still reads what is in the set.
            Err(StoreError::Refused(reason)) => {
                self.ignore("SCAN", &reason);
                (0, Vec::new())
            }
            answer => answer?,
        };
        let found = keys.iter().filter_map(|key| self.name(self.keys.service_of(key)?)).collect();
        Ok(scan.found(cursor, found))
    }

    fn name(&self, bytes: &[u8]) -> Option<ServiceName> {
        let name = std::str::from_utf8(bytes).ok().and_then(|text| ServiceName::parse(text).ok());
        if name.is_none() {
            let key = self.keys.manifest_of(&String::from_utf8_lossy(bytes));
            self.ignore(&key, "its service name is malformed");
        }
        name
    }

    /// Tidies up. A server that refuses (it may be read-only) leaves the members to the next reader.
    async fn forget(&self, gone: Vec<ServiceName>) {
        if gone.is_empty() {
            return;
        }
        let mut call = self.manifests.forget.key(self.keys.manifests());
        for service in &gone {
            call.key(self.keys.manifest(service)).arg(service.as_str());
        }
        let removed = self
            .link
            .run(CALL_LIMIT, |mut redis| async move { call.invoke_async::<u64>(&mut redis).await })
            .await;
        match removed {
            Ok(removed) => tracing::debug!(removed, "removed members without a manifest"),
            Err(error) => tracing::debug!(%error, "members without a manifest stay"),
        }
    }
}
