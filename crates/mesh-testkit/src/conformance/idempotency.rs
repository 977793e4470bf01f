//! The contract of [`IdempotencyStore`], sentence by sentence.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use mesh_core::{
    header::IDEMPOTENCY_KEY,
    idempotency::{Answer, AnswerBody, Fingerprint, IdempotencyKey, RequestKey},
    name::ServiceName,
    store::{Begin, IdempotencyStore, Lease},
};
use tokio::{task::JoinSet, time::timeout};

use super::{CAP, UnderTest};

/// An idempotency store under test.
pub type Idempotency = UnderTest<dyn IdempotencyStore>;

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(500);
const FINGERPRINT: Fingerprint = Fingerprint([0xa7; 32]);

/// Makes a test of each sentence of this suite.
#[macro_export]
macro_rules! idempotency_conformance {
    ($under_test:expr) => {
        $crate::conformance_tests! { $crate::conformance::idempotency, $under_test,
            of_any_number_of_concurrent_begins_exactly_one_is_fresh
            of_any_number_of_duplicates_exactly_one_runs
            a_fresh_lease_carries_key_and_owner
            what_was_answered_is_answered_to_all_who_come_later
            answers_come_back_as_they_were_stored
            after_release_the_next_request_runs
            a_lease_that_is_not_renewed_ends
            a_renewed_lease_lasts_from_its_renewal
            an_ended_lease_does_nothing_to_its_successor
            a_lease_is_over_once_it_is_completed_or_released
            nobody_elses_lease_is_taken_for_the_current_one
            an_answer_is_forgotten_its_ttl_after_it_was_stored
            keys_are_independent
            a_key_of_the_package_answers_without_a_fingerprint
        }
    };
}

/// The key of a request.
///
/// # Panics
///
/// When `text` is no key.
#[must_use]
pub fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::scoped("shop", &ServiceName::parse("orders").unwrap(), &request_key(text))
}

fn request_key(text: &str) -> RequestKey {
    let headers: HeaderMap = [(IDEMPOTENCY_KEY, HeaderValue::from_str(text).unwrap())].into_iter().collect();
    RequestKey::from_headers(&headers).unwrap().unwrap()
}

fn answer(body: AnswerBody) -> Answer {
    let lines = [("content-type", "application/json"), ("link", "<a>"), ("link", "<b>")];
    let header = |(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
    Answer { status: 201, headers: lines.map(header).to_vec(), body }
}

fn created() -> Answer {
    answer(AnswerBody::Whole(Bytes::from_static(b"{\"id\":1}")))
}

async fn begin(under_test: &Idempotency, text: &str, owner: u8, lease_for: Duration) -> Begin {
    under_test.store.begin(&key(text), [owner; 16], lease_for).await.unwrap()
}

async fn claim(under_test: &Idempotency, text: &str, owner: u8, lease_for: Duration) -> Lease {
    match begin(under_test, text, owner, lease_for).await {
        Begin::Fresh(lease) => lease,
        other => panic!("{text} must be free, and is {other:?}"),
    }
}

async fn complete(under_test: &Idempotency, lease: &Lease, ttl: Duration) -> bool {
    under_test.store.complete(lease, &FINGERPRINT, &created(), ttl).await.unwrap()
}

async fn does_nothing(under_test: &Idempotency, lease: &Lease) {
    assert!(!under_test.store.renew(lease, LONG).await.unwrap(), "renewed");
    let late = answer(AnswerBody::Whole(Bytes::from_static(b"late")));
    assert!(
        !under_test.store.complete(lease, &Fingerprint([0; 32]), &late, LONG).await.unwrap(),
        "completed"
    );
    assert!(!under_test.store.release(lease).await.unwrap(), "released");
}

/// Of any number of concurrent `begin` calls with one key, exactly one returns `Fresh`.
pub async fn of_any_number_of_concurrent_begins_exactly_one_is_fresh(under_test: &Idempotency) {
    let mut tasks = JoinSet::new();
    for number in 0..1_000_u128 {
        let store = Arc::clone(&under_test.store);
        tasks.spawn(async move { store.begin(&key("a"), number.to_le_bytes(), LONG).await.unwrap() });
    }
    let (fresh, others): (Vec<_>, Vec<_>) =
        tasks.join_all().await.into_iter().partition(|begin| matches!(begin, Begin::Fresh(_)));
    assert_eq!(fresh.len(), 1);
    assert!(others.iter().all(|begin| *begin == Begin::InFlight));
}

/// However requests with one key interleave, exactly one of them runs, and all others get its answer.
pub async fn of_any_number_of_duplicates_exactly_one_runs(under_test: &Idempotency) {
    let runs = Arc::new(AtomicU32::new(0));
    let mut tasks = JoinSet::new();
    for number in 0..200_u128 {
        let (store, runs) = (Arc::clone(&under_test.store), Arc::clone(&runs));
        tasks.spawn(async move {
            loop {
                match store.begin(&key("a"), number.to_le_bytes(), LONG).await.unwrap() {
                    Begin::Fresh(lease) => {
                        runs.fetch_add(1, Ordering::SeqCst);
                        tokio::task::yield_now().await;
                        assert!(store.complete(&lease, &FINGERPRINT, &created(), LONG).await.unwrap());
                    }
                    Begin::InFlight => tokio::task::yield_now().await,
                    Begin::Answered(..) => return,
                    Begin::Unreadable => panic!("what was stored must be readable"),
                }
            }
        });
    }
    timeout(CAP, tasks.join_all()).await.expect("everybody must be answered");
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

/// A fresh lease is for the key, and tells the owner's claim from all others.
pub async fn a_fresh_lease_carries_key_and_owner(under_test: &Idempotency) {
    assert_eq!(claim(under_test, "a", 9, LONG).await, Lease { key: key("a"), owner: [9; 16] });
}

/// `complete` stores the answer and ends the lease: all who come later get it.
pub async fn what_was_answered_is_answered_to_all_who_come_later(under_test: &Idempotency) {
    let lease = claim(under_test, "a", 1, LONG).await;
    assert_eq!(begin(under_test, "a", 2, LONG).await, Begin::InFlight);
    assert!(complete(under_test, &lease, LONG).await);
    for owner in [1, 2, 3] {
        assert_eq!(begin(under_test, "a", owner, LONG).await, Begin::Answered(Some(FINGERPRINT), created()));
    }
}

/// An answer comes back as it was stored: status, header lines, binary, empty and missing bodies.
pub async fn answers_come_back_as_they_were_stored(under_test: &Idempotency) {
    let all_bytes = (0..=255).collect::<Vec<u8>>();
    let bodies = [
        AnswerBody::Whole(Bytes::new()),
        AnswerBody::Whole(Bytes::from_static("{\"städt\":\"\\u0000/\"}".as_bytes())),
        AnswerBody::Whole(Bytes::from(all_bytes)),
        AnswerBody::Whole(Bytes::from(vec![b'x'; 256 << 10])),
        AnswerBody::NotKept,
    ];
    for (number, body) in bodies.into_iter().enumerate() {
        let (text, mut stored) = (format!("a{number}"), answer(body));
        stored.status = 299;
        stored
            .headers
            .push((HeaderName::from_static("x-odd"), HeaderValue::from_bytes(b"\xe9\t\"").unwrap()));
        let lease = claim(under_test, &text, 1, LONG).await;
        assert!(under_test.store.complete(&lease, &FINGERPRINT, &stored, LONG).await.unwrap());
        assert_eq!(begin(under_test, &text, 2, LONG).await, Begin::Answered(Some(FINGERPRINT), stored));
    }
}

/// `release` ends the lease without an answer: the next request runs.
pub async fn after_release_the_next_request_runs(under_test: &Idempotency) {
    let lease = claim(under_test, "a", 1, LONG).await;
    assert!(under_test.store.release(&lease).await.unwrap());
    claim(under_test, "a", 2, LONG).await;
}

/// A lease that is not renewed ends `lease_for` after its claim.
pub async fn a_lease_that_is_not_renewed_ends(under_test: &Idempotency) {
    let since = under_test.now();
    claim(under_test, "a", 1, SHORT).await;
    let is_free = async || matches!(begin(under_test, "a", 2, LONG).await, Begin::Fresh(_));
    under_test.ends(SHORT, since, is_free).await;
}

/// A renewed lease lasts `lease_for` from its renewal.
pub async fn a_renewed_lease_lasts_from_its_renewal(under_test: &Idempotency) {
    let lease = claim(under_test, "a", 1, LONG).await;
    let since = under_test.now();
    assert!(under_test.store.renew(&lease, SHORT).await.unwrap());
    let is_free = async || matches!(begin(under_test, "a", 2, SHORT).await, Begin::Fresh(_));
    under_test.ends(SHORT, since, is_free).await;

    let second = Lease { key: key("a"), owner: [2; 16] };
    if under_test.store.renew(&second, LONG).await.unwrap() {
        under_test.pass(2 * SHORT).await;
        assert_eq!(begin(under_test, "a", 3, LONG).await, Begin::InFlight, "it was renewed for longer");
    }
}

/// `renew`, `complete` and `release` do nothing when the lease has ended and somebody else has the key.
pub async fn an_ended_lease_does_nothing_to_its_successor(under_test: &Idempotency) {
    let since = under_test.now();
    let first = claim(under_test, "a", 1, SHORT).await;
    let is_free = async || matches!(begin(under_test, "a", 2, LONG).await, Begin::Fresh(_));
    under_test.ends(SHORT, since, is_free).await;
    does_nothing(under_test, &first).await;
    assert_eq!(begin(under_test, "a", 3, LONG).await, Begin::InFlight, "the successor still holds it");
    let second = Lease { key: key("a"), owner: [2; 16] };
    assert!(complete(under_test, &second, LONG).await);
    assert_eq!(begin(under_test, "a", 3, LONG).await, Begin::Answered(Some(FINGERPRINT), created()));
}

/// A lease is over once it is completed or released; it cannot be renewed, completed or released again.
pub async fn a_lease_is_over_once_it_is_completed_or_released(under_test: &Idempotency) {
    let completed = claim(under_test, "a", 1, LONG).await;
    assert!(complete(under_test, &completed, LONG).await);
    does_nothing(under_test, &completed).await;
    assert_eq!(begin(under_test, "a", 2, LONG).await, Begin::Answered(Some(FINGERPRINT), created()));
    let released = claim(under_test, "b", 1, LONG).await;
    assert!(under_test.store.release(&released).await.unwrap());
    does_nothing(under_test, &released).await;
    claim(under_test, "b", 2, LONG).await;
}

/// `renew`, `complete` and `release` do nothing for a lease that is not the key's current one.
pub async fn nobody_elses_lease_is_taken_for_the_current_one(under_test: &Idempotency) {
    let current = claim(under_test, "a", 1, LONG).await;
    does_nothing(under_test, &Lease { owner: [2; 16], ..current.clone() }).await;
    does_nothing(under_test, &Lease { key: key("b"), ..current.clone() }).await;
    assert!(under_test.store.renew(&current, LONG).await.unwrap());
    assert!(complete(under_test, &current, LONG).await);
}

/// An answer is forgotten `ttl` after it was stored; then the next request runs.
pub async fn an_answer_is_forgotten_its_ttl_after_it_was_stored(under_test: &Idempotency) {
    let lease = claim(under_test, "a", 1, LONG).await;
    let (ttl, since) = (Duration::from_secs(1), under_test.now());
    assert!(complete(under_test, &lease, ttl).await);
    let is_free = async || matches!(begin(under_test, "a", 2, LONG).await, Begin::Fresh(_));
    under_test.ends(ttl, since, is_free).await;
}

/// Each key has its own lease and its own answer.
pub async fn keys_are_independent(under_test: &Idempotency) {
    for odd in ["a", "A", "a:lock", "*", "{a}"] {
        let lease = claim(under_test, odd, 1, LONG).await;
        assert_eq!(begin(under_test, odd, 1, LONG).await, Begin::InFlight);
        assert!(complete(under_test, &lease, LONG).await);
    }
    claim(under_test, "b", 1, LONG).await;
}

/// A key of the package is no scoped key of the same text, and its answer comes back without a fingerprint.
pub async fn a_key_of_the_package_answers_without_a_fingerprint(under_test: &Idempotency) {
    let compat = IdempotencyKey::compat(&request_key(key("a").as_str()));
    let scoped = claim(under_test, "b", 1, LONG).await;
    let begun = under_test.store.begin(&compat, [1; 16], LONG).await.unwrap();
    assert_eq!(begun, Begin::Fresh(Lease { key: compat.clone(), owner: [1; 16] }));
    assert_eq!(under_test.store.begin(&compat, [2; 16], LONG).await.unwrap(), Begin::InFlight);
    let lease = Lease { key: compat.clone(), owner: [1; 16] };
    assert!(under_test.store.renew(&lease, LONG).await.unwrap());
    assert!(complete(under_test, &lease, LONG).await);
    let again = under_test.store.begin(&compat, [2; 16], LONG).await.unwrap();
    assert_eq!(again, Begin::Answered(None, created()));
    assert!(under_test.store.release(&scoped).await.unwrap(), "the other key is still claimed");
}

/// An entry that cannot be read is `Unreadable`, never free. `write` puts bytes where the key's answer is kept; for
/// stores that others write into.
pub async fn what_cannot_be_read_is_never_run_again(
    under_test: &Idempotency,
    write: impl AsyncFn(&IdempotencyKey, &[u8]),
) {
    for (number, garbage) in super::health::GARBAGE.iter().enumerate() {
        let text = format!("a{number}");
        write(&key(&text), garbage).await;
        for owner in [1, 2] {
            assert_eq!(begin(under_test, &text, owner, LONG).await, Begin::Unreadable, "{garbage:?}");
        }
    }
}
