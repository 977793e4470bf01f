//! A real Redis that dies, freezes, is emptied or refuses: every call returns in a bounded time, and all is well after.

use std::{future::Future, time::Duration};

use bytes::Bytes;
use mesh_core::{
    clock::{Clock, SystemClock, UnixMillis},
    name::ServiceName,
    service::{BaseUrl, Instance},
    store::{HealthStore, ManifestStore, Revision, StoreError},
};
use mesh_redis::RedisStore;
use mesh_testkit::{RedisServer, redis::Reply};
use tokio::time::{sleep, timeout};

const NOW: UnixMillis = UnixMillis::from_seconds(1_795_220_372);
const TTL: Duration = Duration::from_secs(60);
const CAP: Duration = Duration::from_secs(30);
const DOCUMENT: Bytes = Bytes::from_static(b"{}");
/// What a call may take by its contract (2 s), and the patience of a busy machine.
const BOUND: Duration = Duration::from_secs(10);

#[derive(Clone)]
struct Fixture {
    store: RedisStore,
    oms: Instance,
}

impl Fixture {
    fn on(url: &str) -> Option<Self> {
        let service = ServiceName::parse("oms").ok()?;
        let oms = Instance { service, url: BaseUrl::parse("http://oms-2:8000").ok()? };
        Some(Self { store: RedisStore::connect(url, "microservice:").ok()?, oms })
    }

    /// Every call of both ports: how each ended.
    async fn every_call(&self) -> Vec<Result<(), StoreError>> {
        let (store, oms) = (&self.store, &self.oms);
        vec![
            within(store.add_failure(oms, NOW, TTL)).await.map(drop),
            within(store.read(std::slice::from_ref(oms))).await.map(drop),
            within(store.clear(oms)).await.map(drop),
            within(store.put(&oms.service, DOCUMENT, TTL)).await,
            within(store.replace(&oms.service, None, DOCUMENT, TTL)).await.map(drop),
            within(store.get(&oms.service)).await.map(drop),
            within(store.all()).await.map(drop),
        ]
    }

    /// Waits until calls succeed, then makes all of them.
    async fn recovers(&self) {
        let recovered = timeout(CAP, async {
            while self.store.get(&self.oms.service).await.is_err() {
                sleep(Duration::from_millis(5)).await;
            }
        });
        assert!(recovered.await.is_ok(), "it does not recover");
        for (n, outcome) in self.every_call().await.into_iter().enumerate() {
            assert_eq!(outcome, Ok(()), "call {n}");
        }
    }
}

/// The outcome of a call that returns within its bound.
async fn within<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    timeout(BOUND, call).await.unwrap_or_else(|_| panic!("a call took longer than {BOUND:?}"))
}

#[track_caller]
fn all_unreachable(outcomes: &[Result<(), StoreError>]) {
    for (n, outcome) in outcomes.iter().enumerate() {
        assert!(matches!(outcome, Err(StoreError::Unreachable(_))), "call {n}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_store_is_made_while_its_server_is_down_and_works_once_it_is_up() {
    let mut server = RedisServer::start().await;
    server.kill();
    let fixture = Fixture::on(&server.url()).unwrap();
    all_unreachable(&fixture.every_call().await);
    server.restart().await;
    fixture.recovers().await;
}

#[tokio::test]
async fn while_the_server_is_dead_calls_fail_and_after_its_return_they_succeed() {
    let mut server = RedisServer::start().await;
    let fixture = Fixture::on(&server.url()).unwrap();
    fixture.recovers().await;
    server.kill();
    all_unreachable(&fixture.every_call().await);
    server.restart().await;
    fixture.recovers().await;
}

#[tokio::test]
async fn a_server_that_restarted_unnoticed_costs_at_most_one_call() {
    let mut server = RedisServer::start().await;
    let fixture = Fixture::on(&server.url()).unwrap();
    // Several connections, all of which die.
    let calls = (0..8).map(|_| fixture.every_call());
    futures_util::future::join_all(calls).await;
    server.restart().await;
    let _may_meet_a_dead_connection = fixture.store.clear(&fixture.oms).await;
    for (n, outcome) in fixture.every_call().await.into_iter().enumerate() {
        assert_eq!(outcome, Ok(()), "call {n}");
    }
}

#[tokio::test]
async fn while_the_server_is_frozen_callers_wait_little_and_do_not_pile_up() {
    let server = RedisServer::start().await;
    let fixture = Fixture::on(&server.url()).unwrap();
    fixture.recovers().await;
    server.stop();
    let callers = (0..3_000).map(|_| within(fixture.store.get(&fixture.oms.service)));
    let first = futures_util::future::join_all(callers).await;
    assert!(
        first.iter().all(|outcome| matches!(outcome, Err(StoreError::Unreachable(_)))),
        "{:?}",
        first.first()
    );

    // From now on one call in a while asks, and the others return at once.
    let start = SystemClock.monotonic();
    let mut failed_at_once = 0;
    while failed_at_once < 1_000 {
        let begin = SystemClock.monotonic();
        let outcome = within(fixture.store.get(&fixture.oms.service)).await;
        assert!(matches!(outcome, Err(StoreError::Unreachable(_))), "{outcome:?}");
        failed_at_once += usize::from(SystemClock.monotonic().since(begin) < Duration::from_millis(100));
    }
    assert!(
        SystemClock.monotonic().since(start) < CAP,
        "1,000 calls took {:?}",
        SystemClock.monotonic().since(start)
    );
    server.cont();
    fixture.recovers().await;
}

#[tokio::test]
async fn an_emptied_server_has_no_records_no_manifests_and_no_scripts_and_works_on() {
    let server = RedisServer::start().await;
    let fixture = Fixture::on(&server.url()).unwrap();
    fixture.recovers().await;
    server.flush_all().await;
    assert_eq!(fixture.store.read(std::slice::from_ref(&fixture.oms)).await, Ok(vec![None]));
    assert_eq!(fixture.store.all().await, Ok(vec![]));
    fixture.recovers().await;
}

/// Writes are refused, reads are answered, and a dead member that cannot be removed hides nothing.
async fn refuses_writes(fixture: &Fixture) {
    let (store, oms) = (&fixture.store, &fixture.oms);
    let refused = [
        within(store.add_failure(oms, NOW, TTL)).await.map(drop),
        within(store.clear(oms)).await.map(drop),
        within(store.put(&oms.service, DOCUMENT, TTL)).await,
        within(store.replace(&oms.service, Some(DOCUMENT), DOCUMENT, TTL)).await.map(drop),
    ];
    for (n, outcome) in refused.iter().enumerate() {
        assert!(matches!(outcome, Err(StoreError::Refused(_))), "call {n}: {outcome:?}");
    }
    assert_eq!(within(store.read(std::slice::from_ref(oms))).await, Ok(vec![None]));
    assert_eq!(within(store.all()).await.map(|manifests| manifests.len()), Ok(1));
}

#[tokio::test]
async fn a_server_without_its_replicas_refuses_writes_and_still_answers_reads() {
    let server = RedisServer::start().await;
    let fixture = Fixture::on(&server.url()).unwrap();
    fixture.recovers().await;
    server.command(&["SADD", "microservice:manifests", "dead"]).await;
    server.config_set("min-replicas-to-write", "1").await;
    refuses_writes(&fixture).await;
    server.config_set("min-replicas-to-write", "0").await;
    fixture.recovers().await;
}

#[tokio::test]
async fn a_server_that_became_a_replica_refuses_writes_and_still_answers_reads() {
    let server = RedisServer::start().await;
    let fixture = Fixture::on(&server.url()).unwrap();
    fixture.recovers().await;
    server.command(&["SADD", "microservice:manifests", "dead"]).await;
    // Nobody is there: it keeps what it has, and is read-only.
    assert_eq!(server.command(&["REPLICAOF", "127.0.0.1", "1"]).await, Reply::Status("OK".to_owned()));
    refuses_writes(&fixture).await;
    assert_eq!(server.command(&["REPLICAOF", "NO", "ONE"]).await, Reply::Status("OK".to_owned()));
    fixture.recovers().await;
}

#[tokio::test]
async fn a_server_out_of_memory_refuses_writes_and_still_answers_reads() {
    let server = RedisServer::start().await;
    let fixture = Fixture::on(&server.url()).unwrap();
    fixture.recovers().await;
    server.config_set("maxmemory", "1").await;
    let refused = within(fixture.store.add_failure(&fixture.oms, NOW, TTL)).await;
    assert!(matches!(&refused, Err(StoreError::Refused(reason)) if reason.contains("OOM")), "{refused:?}");
    assert_eq!(within(fixture.store.all()).await.unwrap().len(), 1);
    server.config_set("maxmemory", "0").await;
    fixture.recovers().await;
}

#[tokio::test]
async fn a_server_that_wants_another_password_refuses_and_no_error_shows_ours() {
    let server = RedisServer::start().await;
    server.config_set("requirepass", "theirs-123").await;
    for (url, ours) in [
        (format!("redis://:hunter2-ours@{}/0", server.address()), "hunter2-ours"),
        (format!("redis://me:hunter3-ours@{}/0", server.address()), "hunter3-ours"),
        (server.url(), "theirs-123"),
    ] {
        let fixture = Fixture::on(&url).unwrap();
        assert!(!format!("{:?}", fixture.store).contains(ours));
        for outcome in fixture.every_call().await {
            let Err(error @ StoreError::Refused(_)) = outcome else { panic!("{outcome:?}") };
            assert!(!format!("{error} {error:?}").contains(ours), "{error}");
        }
    }
    let fixture = Fixture::on(&format!("redis://:theirs-123@{}/0", server.address())).unwrap();
    fixture.recovers().await;
}

#[tokio::test]
async fn a_new_connection_counts_as_a_change() {
    let mut server = RedisServer::start().await;
    let fixture = Fixture::on(&server.url()).unwrap();
    let seen = timeout(CAP, fixture.store.changed(Revision::default())).await.unwrap();
    server.kill();
    let waiting = tokio::spawn({
        let store = fixture.store.clone();
        async move { store.changed(seen).await }
    });
    server.restart().await;
    let seen = timeout(CAP, waiting).await.unwrap().unwrap();
    // And the new subscription hears of what others store.
    let other = Fixture::on(&server.url()).unwrap();
    other.recovers().await;
    timeout(CAP, fixture.store.changed(seen)).await.unwrap();
}

#[tokio::test]
async fn after_a_freeze_changes_are_heard_again() {
    let server = RedisServer::start().await;
    let fixture = Fixture::on(&server.url()).unwrap();
    let seen = timeout(CAP, fixture.store.changed(Revision::default())).await.unwrap();
    server.stop();
    let unreachable = within(fixture.store.get(&fixture.oms.service)).await;
    assert!(matches!(unreachable, Err(StoreError::Unreachable(_))), "{unreachable:?}");
    server.cont();
    let other = Fixture::on(&server.url()).unwrap();
    other.recovers().await;
    timeout(CAP, fixture.store.changed(seen)).await.unwrap();
}

#[test]
fn a_store_outlives_the_runtime_of_its_first_call() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
    let first = runtime().unwrap();
    let server = first.block_on(RedisServer::start());
    let fixture = Fixture::on(&server.url()).unwrap();
    first.block_on(async {
        fixture.recovers().await;
        timeout(CAP, fixture.store.changed(Revision::default())).await.unwrap();
    });
    drop(first);
    runtime().unwrap().block_on(async {
        let other = Fixture::on(&server.url()).unwrap();
        fixture.recovers().await;
        let seen = timeout(CAP, fixture.store.changed(Revision::default())).await.unwrap();
        let seen = timeout(CAP, fixture.store.changed(Revision(seen.0 - 1))).await.unwrap();
        other.recovers().await;
        timeout(CAP, fixture.store.changed(seen)).await.unwrap();
    });
}
