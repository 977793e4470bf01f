//! The contract of [`HealthStore`], sentence by sentence.

use std::{sync::Arc, time::Duration};

use mesh_core::{
    clock::UnixMillis,
    health::HealthRecord,
    name::ServiceName,
    service::{BaseUrl, Instance},
    store::HealthStore,
};
use tokio::task::JoinSet;

use super::UnderTest;

/// A health store under test.
pub type Health = UnderTest<dyn HealthStore>;

const NOW: UnixMillis = UnixMillis::from_seconds(1_795_220_372);
const LONG: Duration = Duration::from_secs(60);

/// Values that are no record, for [`what_does_not_parse_is_no_record`].
pub const GARBAGE: &[&[u8]] = &[
    b"",
    b"null",
    b"[]",
    b"3",
    b"\"x\"",
    b"{}",
    b"{\"failures\":3}",
    b"{\"last_failure\":1795220372}",
    b"{\"failures\":-1,\"last_failure\":1}",
    b"{\"failures\":\"many\",\"last_failure\":1}",
    b"{\"failures\":3,\"last_failure\":1",
    b"a:2:{s:8:\"failures\";i:3;s:12:\"last_failure\";i:1;}",
    b"\xff\xfe\x00",
];

/// Makes a test of each sentence of this suite.
#[macro_export]
macro_rules! health_conformance {
    ($under_test:expr) => {
        $crate::conformance_tests! { $crate::conformance::health, $under_test,
            of_any_number_of_concurrent_failures_none_is_lost
            a_failure_is_added_and_the_record_returned
            a_record_is_forgotten_its_ttl_after_its_last_failure
            a_failure_renews_the_record
            clear_forgets_and_answers_whether_there_were_any
            of_concurrent_clears_one_finds_the_record
            records_come_in_the_order_of_the_instances
            instances_are_independent
        }
    };
}

fn instance(service: &str, url: &str) -> Instance {
    Instance { service: ServiceName::parse(service).unwrap(), url: BaseUrl::parse(url).unwrap() }
}

fn orders() -> Instance {
    instance("orders", "http://oms-1:8000")
}

async fn add(health: &Health, instance: &Instance) -> HealthRecord {
    health.store.add_failure(instance, NOW, LONG).await.unwrap()
}

async fn read(health: &Health, instance: &Instance) -> Option<HealthRecord> {
    health.store.read(std::slice::from_ref(instance)).await.unwrap().remove(0)
}

/// Of any number of concurrent `add_failure` calls, none is lost.
pub async fn of_any_number_of_concurrent_failures_none_is_lost(health: &Health) {
    let mut tasks = JoinSet::new();
    for _ in 0..1_000 {
        let store = Arc::clone(&health.store);
        tasks.spawn(async move { store.add_failure(&orders(), NOW, LONG).await.unwrap().failures });
    }
    let mut counts = tasks.join_all().await;
    counts.sort_unstable();
    assert!(counts.into_iter().eq(1..=1_000), "each call sees a count of its own");
    assert_eq!(read(health, &orders()).await.map(|record| record.failures), Some(1_000));
}

/// `add_failure` adds one failure at `now`, and returns the record.
pub async fn a_failure_is_added_and_the_record_returned(health: &Health) {
    let second = health.store.add_failure(&orders(), NOW, LONG).await.unwrap();
    assert_eq!(second, HealthRecord { failures: 1, last_failure: 1_795_220_372 });
    let later = UnixMillis(NOW.0 + 2_999);
    let third = health.store.add_failure(&orders(), later, LONG).await.unwrap();
    assert_eq!(third, HealthRecord { failures: 2, last_failure: 1_795_220_374 });
    assert_eq!(read(health, &orders()).await, Some(third));
}

/// A record is forgotten `ttl` after its last failure.
pub async fn a_record_is_forgotten_its_ttl_after_its_last_failure(health: &Health) {
    let (ttl, since) = (Duration::from_secs(1), health.now());
    health.store.add_failure(&orders(), NOW, ttl).await.unwrap();
    health.ends(ttl, since, async || read(health, &orders()).await.is_none()).await;
    assert_eq!(add(health, &orders()).await.failures, 1, "counted from one again");
}

/// `add_failure` renews the record's `ttl`.
pub async fn a_failure_renews_the_record(health: &Health) {
    let ttl = Duration::from_secs(1);
    health.store.add_failure(&orders(), NOW, ttl).await.unwrap();
    health.pass(Duration::from_millis(600)).await;
    let since = health.now();
    health.store.add_failure(&orders(), NOW, ttl).await.unwrap();
    health.ends(ttl, since, async || read(health, &orders()).await.is_none()).await;
}

/// `clear` forgets the failures, and answers whether there were any.
pub async fn clear_forgets_and_answers_whether_there_were_any(health: &Health) {
    assert!(!health.store.clear(&orders()).await.unwrap());
    add(health, &orders()).await;
    assert!(health.store.clear(&orders()).await.unwrap());
    assert!(!health.store.clear(&orders()).await.unwrap());
    assert_eq!(read(health, &orders()).await, None);
    assert_eq!(add(health, &orders()).await.failures, 1);
}

/// Of concurrent `clear` calls, one answers that there were failures.
pub async fn of_concurrent_clears_one_finds_the_record(health: &Health) {
    add(health, &orders()).await;
    let mut tasks = JoinSet::new();
    for _ in 0..100 {
        let store = Arc::clone(&health.store);
        tasks.spawn(async move { store.clear(&orders()).await.unwrap() });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|found| *found).count(), 1);
}

/// `read` gives the records of the instances in their order.
pub async fn records_come_in_the_order_of_the_instances(health: &Health) {
    let [one, none, two] = ["http://a:1", "http://b:1", "http://c:1"].map(|url| instance("orders", url));
    add(health, &one).await;
    add(health, &two).await;
    add(health, &two).await;
    let asked = [two.clone(), none, one, two];
    let records = health.store.read(&asked).await.unwrap();
    let failures: Vec<_> = records.iter().map(|record| record.map(|record| record.failures)).collect();
    assert_eq!(failures, [Some(2), None, Some(1), Some(2)]);
    assert_eq!(health.store.read(&[]).await.unwrap(), []);
}

/// An instance is a service and a base URL exactly as configured; no two share a record.
pub async fn instances_are_independent(health: &Health) {
    let instances = [
        instance("orders", "http://oms-1:8000"),
        instance("orders", "http://oms-1:8000/"),
        instance("orders", "http://OMS-1:8000"),
        instance("Orders", "http://oms-1:8000"),
        instance("Билинг", "http://oms-1:8000"),
        instance("a:b", "http://oms-1:8000"),
        instance("a", "http://oms-1:8000"),
    ];
    for (before, instance) in instances.iter().enumerate() {
        for _ in 0..=before {
            add(health, instance).await;
        }
    }
    let records = health.store.read(&instances).await.unwrap();
    let failures = records.into_iter().map(|record| record.map_or(0, |record| record.failures));
    assert_eq!(failures.collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
    assert!(health.store.clear(&instances[0]).await.unwrap());
    assert_eq!(read(health, &instances[1]).await.map(|record| record.failures), Some(2));
}

/// What does not parse is no record, never an error. `write` puts bytes where the instance's record is kept; for stores
/// that others write into.
pub async fn what_does_not_parse_is_no_record(health: &Health, write: impl AsyncFn(&Instance, &[u8])) {
    for garbage in GARBAGE {
        write(&orders(), garbage).await;
        assert_eq!(read(health, &orders()).await, None, "{garbage:?}");
        assert_eq!(add(health, &orders()).await.failures, 1, "{garbage:?}");
        assert_eq!(read(health, &orders()).await.map(|record| record.failures), Some(1), "{garbage:?}");
    }
}
