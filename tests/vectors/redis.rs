//! Redis: the package's keys and values are ours, byte for byte, on a real server (tests/vectors/README.md).

use std::{error::Error, time::Duration};

use bytes::Bytes;
use mesh_core::{
    clock::UnixMillis,
    health::HealthRecord,
    name::ServiceName,
    service::{BaseUrl, Instance},
    store::{HealthStore, ManifestStore},
};
use mesh_redis::{Keys, RedisStore};
use mesh_testkit::{RedisServer, redis::Reply};
use serde_json::Value;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// The package's prefix where nobody configures another.
const PREFIX: &str = "microservice:";
const LAST_FAILURE: u64 = 1_795_220_372;

fn vectors() -> Outcome<Value> {
    Ok(serde_json::from_str(include_str!("redis.json"))?)
}

fn text<'a>(value: &'a Value, field: &str) -> Outcome<&'a str> {
    value[field].as_str().ok_or_else(|| format!("no {field}").into())
}

fn health_keys(vectors: &Value) -> Outcome<Vec<(&str, &str, &str)>> {
    let keys = vectors["health_keys"].as_array().ok_or("no health_keys")?;
    keys.iter().map(|entry| Ok((text(entry, "service")?, text(entry, "url")?, text(entry, "key")?))).collect()
}

/// A text before the ` (` that explains it.
fn key_part(note: &str) -> &str {
    note.split(" (").next().unwrap_or(note)
}

/// The TTL is renewed: nothing that took less than half a minute can have lowered it further.
#[track_caller]
fn fresh(reply: &Reply, ttl: Duration) {
    let left = Duration::from_millis(reply.integer().and_then(|ms| u64::try_from(ms).ok()).unwrap_or(0));
    assert!(left <= ttl && left > ttl - Duration::from_secs(30), "{left:?} left of {ttl:?}");
}

#[test]
fn every_health_key_is_the_packages() -> Outcome {
    let vectors = vectors()?;
    let (keys, expected) = (Keys::new(PREFIX), health_keys(&vectors)?);
    assert_eq!(expected.len(), 23);
    let mut configurable = 0;
    for (service, url, key) in expected {
        assert_eq!(keys.health_of(service, url), key, "{service} {url}");
        if let Ok(parsed) = BaseUrl::parse(url) {
            let instance = Instance { service: ServiceName::parse(service)?, url: parsed };
            assert_eq!(keys.health(&instance), key, "{service} {url}");
            configurable += 1;
        }
    }
    assert!(configurable >= 19, "only {configurable} are URLs of settings");
    Ok(())
}

#[test]
fn the_keys_of_manifests_are_the_packages() -> Outcome {
    let vectors = vectors()?;
    let keys = Keys::new(PREFIX);
    let pattern = text(&vectors, "manifest_key")?;
    for service in ["oms", "Билинг", "a:b"] {
        assert_eq!(keys.manifest(&ServiceName::parse(service)?), pattern.replace("{service}", service));
    }
    assert_eq!(keys.manifests(), key_part(text(&vectors, "manifests_set_key")?));
    assert_eq!(keys.manifests_changed(), "microservice:manifests:changed");
    Ok(())
}

#[test]
fn a_prefix_of_laravel_stands_in_front_of_every_key() -> Outcome {
    let vectors = vectors()?;
    let keys = Keys::new(&format!("laravel_database_{PREFIX}"));
    for (service, url, key) in health_keys(&vectors)? {
        assert_eq!(keys.health_of(service, url), format!("laravel_database_{key}"));
    }
    assert_eq!(keys.manifests(), "laravel_database_microservice:manifests");
    Ok(())
}

#[tokio::test]
async fn a_failure_we_count_stands_at_the_packages_key_in_the_packages_form() -> Outcome {
    let vectors = vectors()?;
    let server = RedisServer::start().await;
    let store = RedisStore::connect(&server.url(), PREFIX)?;
    let recovery_timeout = Duration::from_secs(30);
    for (service, url, key) in health_keys(&vectors)? {
        let Ok(url) = BaseUrl::parse(url) else { continue };
        let instance = Instance { service: ServiceName::parse(service)?, url };
        for _ in 0..3 {
            let now = UnixMillis::from_seconds(LAST_FAILURE);
            store.add_failure(&instance, now, recovery_timeout * 2).await?;
        }
        assert_eq!(
            server.command(&["GET", key]).await.text(),
            Some(text(&vectors, "health_value")?),
            "{key}"
        );
        fresh(&server.command(&["PTTL", key]).await, recovery_timeout * 2);
    }
    Ok(())
}

#[tokio::test]
async fn a_failure_the_package_counted_is_read_counted_on_and_cleared() -> Outcome {
    let vectors = vectors()?;
    let server = RedisServer::start().await;
    let store = RedisStore::connect(&server.url(), PREFIX)?;
    for (service, url, key) in health_keys(&vectors)? {
        let Ok(url) = BaseUrl::parse(url) else { continue };
        let instance = Instance { service: ServiceName::parse(service)?, url };
        server.command(&["SETEX", key, "60", text(&vectors, "health_value")?]).await;
        let read = store.read(std::slice::from_ref(&instance)).await?;
        assert_eq!(read, [Some(HealthRecord { failures: 3, last_failure: LAST_FAILURE })], "{key}");
        let now = UnixMillis::from_seconds(LAST_FAILURE + 9);
        let counted = store.add_failure(&instance, now, Duration::from_secs(60)).await?;
        assert_eq!(counted, HealthRecord { failures: 4, last_failure: LAST_FAILURE + 9 });
        assert!(store.clear(&instance).await?);
        assert_eq!(server.command(&["EXISTS", key]).await, Reply::Integer(0));
    }
    assert_eq!(store.malformed_values(), 0);
    Ok(())
}

#[tokio::test]
async fn a_manifest_the_package_stored_is_read_byte_for_byte_and_parses() -> Outcome {
    let vectors = vectors()?;
    let server = RedisServer::start().await;
    let store = RedisStore::connect(&server.url(), PREFIX)?;
    let document = text(&vectors, "manifest_value_example")?;
    assert!(document.contains("\\/x"), "the package escapes slashes: {document}");
    server.command(&["SETEX", "microservice:manifest:oms", "300", document]).await;
    let all = store.all().await?;
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].service.as_str(), &all[0].document[..]), ("oms", document.as_bytes()));
    assert!(all[0].expires_in.is_some_and(|left| left <= Duration::from_secs(300)));
    let parsed: Value = serde_json::from_slice(&all[0].document)?;
    assert_eq!(parsed["routes"][0]["uri"], "/x");
    Ok(())
}

#[tokio::test]
async fn a_manifest_we_store_stands_at_the_packages_key_and_in_its_set() -> Outcome {
    let vectors = vectors()?;
    let server = RedisServer::start().await;
    let store = RedisStore::connect(&server.url(), PREFIX)?;
    let document = Bytes::copy_from_slice(text(&vectors, "manifest_value_example")?.as_bytes());
    let ttl = Duration::from_secs(300);
    store.put(&ServiceName::parse("oms")?, document.clone(), ttl).await?;
    let key = text(&vectors, "manifest_key")?.replace("{service}", "oms");
    assert_eq!(server.command(&["GET", &key]).await, Reply::Bytes(document.to_vec()));
    fresh(&server.command(&["PTTL", &key]).await, ttl);
    let set = key_part(text(&vectors, "manifests_set_key")?);
    assert_eq!(server.command(&["SMEMBERS", set]).await, Reply::Array(vec![Reply::Bytes(b"oms".to_vec())]));
    assert_eq!(server.command(&["PTTL", set]).await, Reply::Integer(-1), "the set has no end");
    Ok(())
}
