//! The idempotency port on a real Redis: what stands there, for how long, and what a server that refuses means.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use mesh_core::{
    idempotency::{Answer, AnswerBody, Fingerprint, IdempotencyKey, RequestKey},
    name::ServiceName,
    store::{Begin, IdempotencyStore, Lease, StoreError},
};
use mesh_redis::RedisStore;
use mesh_testkit::{RedisServer, redis::Reply};
use tokio::time::timeout;

const LEASE: Duration = Duration::from_secs(10);
const TTL: Duration = Duration::from_secs(60);
const PRINT: Fingerprint = Fingerprint([0xa7; 32]);
const OWNER: [u8; 16] = [0x1f; 16];
/// What a call may take by its contract (2 s), and the patience of a busy machine.
const BOUND: Duration = Duration::from_secs(10);

fn sent() -> RequestKey {
    let headers: HeaderMap = [(HeaderName::from_static("x-request-id"), HeaderValue::from_static("order-7"))]
        .into_iter()
        .collect();
    RequestKey::from_headers(&headers).unwrap().unwrap()
}

fn scoped() -> IdempotencyKey {
    IdempotencyKey::scoped("shop", &ServiceName::default(), &sent())
}

fn created() -> Answer {
    Answer { status: 201, headers: Vec::new(), body: AnswerBody::Whole(Bytes::from_static(b"{}")) }
}

fn store(server: &RedisServer) -> RedisStore {
    RedisStore::connect(&server.url(), "microservice:").unwrap()
}

async fn claim(store: &RedisStore, key: &IdempotencyKey) -> Lease {
    match store.begin(key, OWNER, LEASE).await.unwrap() {
        Begin::Fresh(lease) => lease,
        other => panic!("the key must be free, and is {other:?}"),
    }
}

#[track_caller]
fn lasts(reply: &Reply, whole: Duration) {
    let left = Duration::from_millis(u64::try_from(reply.integer().unwrap()).unwrap());
    assert!(left <= whole && left > whole / 2, "{left:?} of {whole:?}");
}

#[tokio::test]
async fn a_lock_holds_its_owner_and_an_answer_what_the_package_writes_and_a_fingerprint() {
    let server = RedisServer::start().await;
    let (store, key) = (store(&server), scoped());
    let lease = claim(&store, &key).await;
    let (answer, lock) =
        (format!("microservice:idempotency:{key}"), format!("microservice:idempotency:{key}:lock"));
    assert_eq!(key.as_str().len(), 64);
    assert_eq!(server.command(&["GET", &lock]).await.text(), Some(&*"1f".repeat(16)));
    lasts(&server.command(&["PTTL", &lock]).await, LEASE);
    assert!(store.renew(&lease, 3 * LEASE).await.unwrap());
    lasts(&server.command(&["PTTL", &lock]).await, 3 * LEASE);
    assert!(store.complete(&lease, &PRINT, &created(), TTL).await.unwrap());
    let expected =
        format!(r#"{{"status":201,"headers":{{}},"content":"{{}}","fingerprint":"{}"}}"#, "a7".repeat(32));
    assert_eq!(server.command(&["GET", &answer]).await.text(), Some(&*expected));
    lasts(&server.command(&["PTTL", &answer]).await, TTL);
    assert_eq!(server.command(&["DBSIZE"]).await, Reply::Integer(1), "the answer and no other key");
}

#[tokio::test]
async fn what_is_of_another_type_or_form_is_unreadable_and_counted() {
    let server = RedisServer::start().await;
    let store = store(&server);
    let (scoped, compat) = (scoped(), IdempotencyKey::compat(&sent()));
    let keys = [&scoped, &compat].map(|key| store.keys().idempotency(key));
    server.command(&["RPUSH", &keys[0], "x"]).await;
    let with_fingerprint =
        format!(r#"{{"status":201,"headers":{{}},"content":"","fingerprint":"{}"}}"#, "a7".repeat(32));
    server.command(&["SET", &keys[1], &with_fingerprint]).await;
    for key in [&scoped, &compat] {
        assert_eq!(store.begin(key, OWNER, LEASE).await, Ok(Begin::Unreadable));
    }
    let of_the_package = r#"{"status":201,"headers":{},"content":""}"#;
    server.command(&["SET", &keys[0], of_the_package]).await;
    assert_eq!(store.begin(&scoped, OWNER, LEASE).await, Ok(Begin::Unreadable), "without a fingerprint");
    assert_eq!(store.malformed_values(), 3);
    assert_eq!(server.command(&["DBSIZE"]).await, Reply::Integer(2), "nothing was claimed");
}

#[tokio::test]
async fn a_lock_of_the_package_that_somebody_else_wrote_is_left_alone() {
    let server = RedisServer::start().await;
    let (store, key) = (store(&server), IdempotencyKey::compat(&sent()));
    let lease = claim(&store, &key).await;
    let lock = store.keys().idempotency_lock(&key);
    assert_eq!(server.command(&["GET", &lock]).await.text(), Some("processing"));
    server.command(&["SET", &lock, "somebody"]).await;
    assert_eq!(store.renew(&lease, LEASE).await, Ok(false));
    assert_eq!(store.complete(&lease, &PRINT, &created(), TTL).await, Ok(false));
    assert_eq!(store.release(&lease).await, Ok(false));
    assert_eq!(server.command(&["GET", &lock]).await.text(), Some("somebody"));
    assert_eq!(server.command(&["DBSIZE"]).await, Reply::Integer(1));
}

#[tokio::test]
async fn a_server_out_of_memory_still_gives_what_was_answered_and_claims_nothing() {
    let server = RedisServer::start().await;
    let (store, key) = (store(&server), scoped());
    let lease = claim(&store, &key).await;
    store.complete(&lease, &PRINT, &created(), TTL).await.unwrap();
    server.config_set("maxmemory", "1").await;
    assert_eq!(store.begin(&key, OWNER, LEASE).await, Ok(Begin::Answered(Some(PRINT), created())));
    let other = IdempotencyKey::compat(&sent());
    let refused = store.begin(&other, OWNER, LEASE).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
}

#[tokio::test]
async fn while_the_server_is_frozen_every_call_ends_in_time_and_after_it_they_succeed() {
    let server = RedisServer::start().await;
    let (store, key) = (store(&server), scoped());
    let lease = claim(&store, &key).await;
    server.stop();
    let (print, answer) = (PRINT, created());
    let calls = async {
        assert!(store.begin(&key, OWNER, LEASE).await.is_err());
        assert!(store.renew(&lease, LEASE).await.is_err());
        assert!(store.complete(&lease, &print, &answer, TTL).await.is_err());
        assert!(store.release(&lease).await.is_err());
    };
    timeout(BOUND, calls).await.expect("no call waits without bound");
    server.cont();
    let release = async { while store.release(&lease).await.is_err() {} };
    timeout(BOUND, release).await.expect("the server is found again");
    claim(&store, &key).await;
}
