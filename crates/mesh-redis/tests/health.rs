//! The health port on a real Redis: what stands there, byte for byte, and that no failure is lost.

use std::time::Duration;

use mesh_core::{
    clock::UnixMillis,
    health::HealthRecord,
    name::ServiceName,
    service::{BaseUrl, Instance},
    store::{HealthStore, StoreError},
};
use mesh_redis::{ConnectError, RedisStore};
use mesh_testkit::{RedisServer, redis::Reply};

const NOW: UnixMillis = UnixMillis::from_seconds(1_795_220_372);
const TTL: Duration = Duration::from_secs(60);

fn instance(name: &str) -> Option<Instance> {
    let service = ServiceName::parse(name).ok()?;
    Some(Instance { service, url: BaseUrl::parse("http://oms-2:8000").ok()? })
}

fn store(server: &RedisServer) -> Result<RedisStore, ConnectError> {
    RedisStore::connect(&server.url(), "microservice:")
}

#[tokio::test]
async fn a_failure_is_written_as_the_package_writes_it_and_its_ttl_is_renewed() {
    let server = RedisServer::start().await;
    let store = store(&server).unwrap();
    let oms = instance("oms").unwrap();
    let key = "microservice:health:oms:ca341a5d26c5b780c4caa20091396143";
    for failures in 1..=3 {
        let record = store.add_failure(&oms, NOW, TTL).await.unwrap();
        assert_eq!(record, HealthRecord { failures, last_failure: NOW.seconds() });
        server.command(&["PEXPIRE", key, "1000"]).await;
    }
    store.add_failure(&oms, UnixMillis(NOW.0 + 1_999), TTL + Duration::from_millis(1)).await.unwrap();
    let stored = server.command(&["GET", key]).await;
    assert_eq!(stored.text(), Some(r#"{"failures":4,"last_failure":1795220373}"#));
    let pttl = server.command(&["PTTL", key]).await.integer().unwrap();
    assert!((60_000..=61_000).contains(&pttl), "{pttl} ms: not 61 s rounded up from 60.001 s, just renewed");
    assert_eq!(server.command(&["DBSIZE"]).await, Reply::Integer(1), "one key and no other");
}

#[tokio::test]
async fn of_twelve_hundred_concurrent_failures_none_is_lost() {
    let server = RedisServer::start().await;
    let oms = instance("oms").unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        // A store of its own: nothing but Redis joins them.
        let (store, oms) = (store(&server).unwrap(), oms.clone());
        tasks.spawn(async move {
            for _ in 0..60 {
                store.add_failure(&oms, NOW, TTL).await.unwrap();
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let read = store(&server).unwrap().read(&[oms]).await.unwrap();
    assert_eq!(read, [Some(HealthRecord { failures: 1_200, last_failure: NOW.seconds() })]);
}

#[tokio::test]
async fn records_are_read_in_order_and_cleared_once() {
    let server = RedisServer::start().await;
    let store = store(&server).unwrap();
    let [a, b, c] = ["a", "b", "c"].map(|name| instance(name).unwrap());
    store.add_failure(&a, NOW, TTL).await.unwrap();
    store.add_failure(&c, NOW, TTL).await.unwrap();
    store.add_failure(&c, NOW, TTL).await.unwrap();
    let record = |failures| Some(HealthRecord { failures, last_failure: NOW.seconds() });
    let all = [c.clone(), b.clone(), a.clone()];
    assert_eq!(store.read(&all).await.unwrap(), [record(2), None, record(1)]);
    assert_eq!(store.read(&[]).await.unwrap(), []);
    assert!(store.clear(&c).await.unwrap());
    assert!(!store.clear(&c).await.unwrap());
    assert!(!store.clear(&b).await.unwrap());
    assert_eq!(store.read(&all).await.unwrap(), [None, None, record(1)]);
}

#[tokio::test]
async fn what_does_not_parse_is_no_record_is_counted_and_failures_start_anew() {
    let server = RedisServer::start().await;
    let store = store(&server).unwrap();
    let oms = instance("oms").unwrap();
    let key = store.keys().health(&oms);
    let malformed = [
        "",
        "garbage",
        "null",
        "7",
        "[]",
        "[3,1795220372]",
        "{}",
        r#"{"failures":3}"#,
        r#"{"failures":"3","last_failure":1}"#,
        r#"{"failures":3.0,"last_failure":1}"#,
        r#"{"failures":3e0,"last_failure":1}"#,
        r#"{"failures":-3,"last_failure":1}"#,
        r#"{"failures":3,"last_failure":1.5}"#,
        r#"{"failures":3,"last_failure":null}"#,
        r#"{"failures":4294967296,"last_failure":1}"#,
        r#"{"failures":3,"last_failure":1"#,
    ];
    for (n, value) in malformed.iter().enumerate() {
        server.command(&["SET", &key, value]).await;
        assert_eq!(store.read(std::slice::from_ref(&oms)).await.unwrap(), [None], "{value}");
        let record = store.add_failure(&oms, NOW, TTL).await.unwrap();
        assert_eq!(record.failures, 1, "{value}");
        let counted = store.malformed_values();
        assert_eq!(counted, 2 * (n as u64 + 1), "{value}: once read, once added to");
    }
    server.command(&["SET", &key, r#" {"last_failure": 5, "failures": 3, "by": "somebody"} "#]).await;
    assert_eq!(store.add_failure(&oms, NOW, TTL).await.unwrap().failures, 4);
}

#[tokio::test]
async fn failures_never_overflow() {
    let server = RedisServer::start().await;
    let store = store(&server).unwrap();
    let oms = instance("oms").unwrap();
    let key = store.keys().health(&oms);
    server.command(&["SET", &key, r#"{"failures":4294967295,"last_failure":1}"#]).await;
    assert_eq!(store.add_failure(&oms, NOW, TTL).await.unwrap().failures, u32::MAX);
    assert_eq!(
        server.command(&["GET", &key]).await.text(),
        Some(r#"{"failures":4294967295,"last_failure":1795220372}"#)
    );
}

#[tokio::test]
async fn a_value_of_another_type_is_refused_when_written_ignored_when_read_and_cleared() {
    let server = RedisServer::start().await;
    let store = store(&server).unwrap();
    let oms = instance("oms").unwrap();
    server.command(&["LPUSH", &store.keys().health(&oms), "x"]).await;
    let refused = store.add_failure(&oms, NOW, TTL).await;
    assert!(
        matches!(&refused, Err(StoreError::Refused(reason)) if reason.contains("WRONGTYPE")),
        "{refused:?}"
    );
    assert_eq!(store.read(std::slice::from_ref(&oms)).await.unwrap(), [None]);
    assert!(store.clear(&oms).await.unwrap());
    assert_eq!(store.add_failure(&oms, NOW, TTL).await.unwrap().failures, 1);
}
