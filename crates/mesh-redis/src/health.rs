//! The health port on Redis: one JSON document per instance, as the PHP package writes it (docs/wire.md, Redis).

use std::time::Duration;

use async_trait::async_trait;
use deadpool_redis::redis::{Script, cmd};
use mesh_core::{
    clock::UnixMillis,
    health::HealthRecord,
    service::Instance,
    store::{HealthStore, StoreError},
};
use serde::Deserialize;

use crate::{connect::RedisStore, link::CALL_LIMIT, ttl};

#[derive(Debug)]
pub(crate) struct HealthScripts {
    add_failure: Script,
}

impl Default for HealthScripts {
    fn default() -> Self {
        Self { add_failure: Script::new(include_str!("scripts/add_failure.lua")) }
    }
}

#[derive(Deserialize)]
struct Stored {
    failures: u32,
    last_failure: u64,
}

/// Reads a record; absent when it is none. Numbers are whole and not negative; other keys are nobody's business.
fn parse(value: &[u8]) -> Option<HealthRecord> {
    // An array would do for serde as well.
    if value.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    let Stored { failures, last_failure } = serde_json::from_slice(value).ok()?;
    Some(HealthRecord { failures, last_failure })
}

#[async_trait]
impl HealthStore for RedisStore {
    async fn add_failure(
        &self,
        instance: &Instance,
        now: UnixMillis,
        ttl: Duration,
    ) -> Result<HealthRecord, StoreError> {
        let store = &*self.0;
        let key = store.keys.health(instance);
        let mut call = store.health.add_failure.key(&key);
        call.arg(now.seconds()).arg(ttl::seconds(ttl));
        let (failures, malformed): (u32, u8) = store
            .link
            .run(CALL_LIMIT, |mut redis| async move { call.invoke_async(&mut redis).await })
            .await?;
        if malformed > 0 {
            store.ignore(&key, "it is no health record; failures count from zero");
        }
        Ok(HealthRecord { failures, last_failure: now.seconds() })
    }

    async fn clear(&self, instance: &Instance) -> Result<bool, StoreError> {
        let mut del = cmd("DEL");
        del.arg(self.0.keys.health(instance));
        self.0.link.run(CALL_LIMIT, |mut redis| async move { del.query_async(&mut redis).await }).await
    }

    async fn read(&self, instances: &[Instance]) -> Result<Vec<Option<HealthRecord>>, StoreError> {
        if instances.is_empty() {
            return Ok(Vec::new());
        }
        let store = &*self.0;
        let keys: Vec<_> = instances.iter().map(|instance| store.keys.health(instance)).collect();
        let mut mget = cmd("MGET");
        mget.arg(&keys);
        let values: Vec<Option<Vec<u8>>> =
            store.link.run(CALL_LIMIT, |mut redis| async move { mget.query_async(&mut redis).await }).await?;
        Ok(keys
            .iter()
            .zip(values)
            .map(|(key, value)| {
                let record = parse(&value?);
                if record.is_none() {
                    store.ignore(key, "it is no health record");
                }
                record
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_two_whole_numbers() {
        let expected = Some(HealthRecord { failures: 3, last_failure: 1_795_220_372 });
        assert_eq!(parse(br#"{"failures":3,"last_failure":1795220372}"#), expected);
        assert_eq!(parse(br#" {"last_failure": 1795220372, "failures": 3, "note": "x"} "#), expected);
    }

    #[test]
    fn anything_else_is_no_record() {
        for value in [
            "",
            "null",
            "3",
            "[3,1795220372]",
            "{}",
            r#"{"failures":3}"#,
            r#"{"failures":"3","last_failure":1}"#,
            r#"{"failures":3.0,"last_failure":1}"#,
            r#"{"failures":-1,"last_failure":1}"#,
            r#"{"failures":4294967296,"last_failure":1}"#,
            r#"{"failures":3,"last_failure":null}"#,
            r#"{"failures":3,"last_failure":1"#,
            "\u{fffd}",
        ] {
            assert_eq!(parse(value.as_bytes()), None, "{value}");
        }
    }
}
