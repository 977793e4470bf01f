//! When the store fails: rows 44, 45, 89 and 90, and decision 1 of the faults.

use std::sync::{Arc, atomic::Ordering};

use mesh_core::clock::SystemClock;
use mesh_http::Idempotency;

use super::{Counted, check_refused, is_hit, post, stores::FailingStore};
use crate::support::Read;

fn store() -> Arc<FailingStore> {
    FailingStore::new(Arc::new(SystemClock))
}

fn is_marked(read: &Read) -> bool {
    read.header("x-idempotency-status") == Some("not-stored")
}

#[tokio::test]
async fn without_its_store_a_request_runs_once_per_process_and_says_so() {
    let store = store();
    store.begin_down.store(true, Ordering::SeqCst);
    let service = Counted::new(Idempotency::layer(store));
    let first = service.ask(post("k")).await;
    assert_eq!((first.status, is_marked(&first), is_hit(&first)), (201, true, false));
    let again = service.ask(post("k")).await;
    assert_eq!((again.status, again.text()), (201, "body"));
    assert!(is_hit(&again) && is_marked(&again));
    assert_eq!(service.runs(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_its_store_exactly_one_of_many_twins_runs() {
    let store = store();
    store.begin_down.store(true, Ordering::SeqCst);
    let service = Arc::new(Counted::new(Idempotency::layer(store)));
    let twins: Vec<_> = (0..200)
        .map(|_| {
            let service = service.clone();
            tokio::spawn(async move { service.ask(post("k")).await.status })
        })
        .collect();
    for twin in twins {
        let status = twin.await.unwrap();
        assert!(matches!(status, 201 | 409), "{status}");
    }
    assert_eq!(service.runs(), 1);
}

#[tokio::test]
async fn what_ran_without_the_store_does_not_run_again_when_it_is_back() {
    let store = store();
    let service = Counted::new(Idempotency::layer(store.clone()));
    store.begin_down.store(true, Ordering::SeqCst);
    service.ask(post("k")).await;
    store.begin_down.store(false, Ordering::SeqCst);
    for _ in 0..2 {
        let again = service.ask(post("k")).await;
        assert!(is_hit(&again) && is_marked(&again), "{again:?}");
    }
    assert_eq!(service.runs(), 1);
    let other = service.ask(post("other")).await;
    assert!(!is_marked(&other) && !is_hit(&other));
}

#[tokio::test]
async fn a_required_store_that_is_down_refuses_and_runs_nothing() {
    let store = store();
    store.begin_down.store(true, Ordering::SeqCst);
    let service = Counted::new(Idempotency::layer(store.clone()).required());
    let read = service.ask(post("k")).await;
    check_refused(&read, 503, "idempotency.store_unavailable");
    assert_eq!(read.header("retry-after"), Some("1"));
    assert_eq!(service.runs(), 0);
    store.begin_down.store(false, Ordering::SeqCst);
    assert_eq!(service.ask(post("k")).await.status, 201);
}

#[tokio::test]
async fn an_answer_that_the_store_cannot_take_is_delivered_all_the_same() {
    let store = store();
    store.complete_down.store(true, Ordering::SeqCst);
    let service = Counted::new(Idempotency::layer(store.clone()));
    let first = service.ask(post("k")).await;
    assert_eq!((first.status, first.text(), is_marked(&first)), (201, "body", true));
    assert_eq!(service.runs(), 1);

    // Its claim is still in the store: nobody else runs it before that ends.
    let elsewhere = Counted::new(Idempotency::layer(store));
    assert_eq!(elsewhere.ask(post("k")).await.status, 409);
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_never_run_again() {
    let store = store();
    store.unreadable.store(true, Ordering::SeqCst);
    let service = Counted::new(Idempotency::layer(store));
    let read = service.ask(post("k")).await;
    assert_eq!(
        (read.status, read.text()),
        (500, r#"{"message":"Invalid cache state","code":"idempotency.unreadable"}"#)
    );
    assert_eq!(service.runs(), 0);
}

#[tokio::test]
async fn every_claim_has_an_owner_of_its_own() {
    let store = store();
    let service = Counted::new(Idempotency::layer(store.clone()));
    for key in ["a", "b", "c"] {
        service.ask(post(key)).await;
    }
    let mut owners: Vec<_> = store.leases.lock().unwrap().iter().map(|lease| lease.owner).collect();
    owners.sort_unstable();
    owners.dedup();
    assert_eq!(owners.len(), 3);
}
