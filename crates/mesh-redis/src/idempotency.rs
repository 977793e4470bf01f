//! The idempotency port on Redis: one JSON document per answer, and a lock with its owner's token (docs/wire.md, Redis).
//!
//! Each fact is one script. A value that does not parse is never run over: its request is refused.

use std::{borrow::Cow, time::Duration};

use async_trait::async_trait;
use deadpool_redis::redis::{Script, ScriptInvocation, Value};
use mesh_core::{
    idempotency::{Answer, Fingerprint, IdempotencyKey, wire},
    store::{Begin, IdempotencyStore, Lease, StoreError},
};

use crate::{
    connect::{Inner, RedisStore},
    link::CALL_LIMIT,
    ttl,
};

/// The value of every lock of the PHP package.
const COMPAT_TOKEN: &str = "processing";

#[derive(Debug)]
pub(crate) struct IdempotencyScripts {
    begin: Script,
    renew: Script,
    complete: Script,
    release: Script,
}

impl Default for IdempotencyScripts {
    fn default() -> Self {
        Self {
            begin: Script::new(include_str!("scripts/begin.lua")),
            renew: Script::new(include_str!("scripts/renew.lua")),
            complete: Script::new(include_str!("scripts/complete.lua")),
            release: Script::new(include_str!("scripts/release.lua")),
        }
    }
}

/// What stands in the lock: who has it. The package does not say who.
fn token(key: &IdempotencyKey, owner: [u8; 16]) -> Cow<'static, str> {
    if key.is_compat() { COMPAT_TOKEN.into() } else { hex::encode(owner).into() }
}

/// What an entry says: one of ours has a fingerprint, and one of the package's has none.
fn read(key: &IdempotencyKey, entry: &[u8]) -> Option<Begin> {
    let (fingerprint, answer) = wire::decode(entry)?;
    (fingerprint.is_none() == key.is_compat()).then_some(Begin::Answered(fingerprint, answer))
}

impl Inner {
    async fn held(&self, call: ScriptInvocation<'_>) -> Result<bool, StoreError> {
        self.link.run(CALL_LIMIT, |mut redis| async move { call.invoke_async(&mut redis).await }).await
    }
}

#[async_trait]
impl IdempotencyStore for RedisStore {
    async fn begin(
        &self,
        key: &IdempotencyKey,
        owner: [u8; 16],
        lease_for: Duration,
    ) -> Result<Begin, StoreError> {
        let store = &*self.0;
        let answer_key = store.keys.idempotency(key);
        let mut call = store.idempotency.begin.key(&answer_key);
        call.key(store.keys.idempotency_lock(key)).arg(&*token(key, owner)).arg(ttl::millis(lease_for));
        let said: Value = store
            .link
            .run(CALL_LIMIT, |mut redis| async move { call.invoke_async(&mut redis).await })
            .await?;
        let begun = match &said {
            Value::Int(1) => Some(Begin::Fresh(Lease { key: key.clone(), owner })),
            Value::Int(0) => Some(Begin::InFlight),
            Value::BulkString(entry) => read(key, entry),
            _ => None,
        };
        Ok(begun.unwrap_or_else(|| {
            store.ignore(&answer_key, "it is no answer; requests under its key are refused");
            Begin::Unreadable
        }))
    }

    async fn renew(&self, lease: &Lease, lease_for: Duration) -> Result<bool, StoreError> {
        let store = &*self.0;
        let mut call = store.idempotency.renew.key(store.keys.idempotency_lock(&lease.key));
        call.arg(&*token(&lease.key, lease.owner)).arg(ttl::millis(lease_for));
        store.held(call).await
    }

    async fn complete(
        &self,
        lease: &Lease,
        fingerprint: &Fingerprint,
        answer: &Answer,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        let store = &*self.0;
        let fingerprint = (!lease.key.is_compat()).then_some(fingerprint);
        let mut call = store.idempotency.complete.key(store.keys.idempotency_lock(&lease.key));
        call.key(store.keys.idempotency(&lease.key))
            .arg(&*token(&lease.key, lease.owner))
            .arg(wire::encode(answer, fingerprint))
            .arg(ttl::millis(ttl));
        store.held(call).await
    }

    async fn release(&self, lease: &Lease) -> Result<bool, StoreError> {
        let store = &*self.0;
        let mut call = store.idempotency.release.key(store.keys.idempotency_lock(&lease.key));
        call.arg(&*token(&lease.key, lease.owner));
        store.held(call).await
    }
}
