//! The contract of [`ManifestStore`], sentence by sentence.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use mesh_core::{
    name::ServiceName,
    store::{ManifestStore, Replaced, Revision},
};
use tokio::{task::JoinSet, time::timeout};

use super::{CAP, UnderTest};

/// A manifest store under test.
pub type Manifests = UnderTest<dyn ManifestStore>;

const LONG: Duration = Duration::from_secs(60);

/// Makes a test of each sentence of this suite.
#[macro_export]
macro_rules! manifest_conformance {
    ($under_test:expr) => {
        $crate::conformance_tests! { $crate::conformance::manifest, $under_test,
            put_stores_whatever_was_there
            documents_come_back_byte_for_byte
            replace_stores_only_over_what_is_expected
            of_concurrent_replaces_that_expect_the_same_exactly_one_stores
            all_documents_come_by_service_name
            a_manifest_is_forgotten_its_ttl_after_it_was_stored
            put_and_replace_renew_the_expiry
            put_and_replace_wake_everybody_who_waits
            whoever_missed_a_change_is_told_at_once
            no_change_is_slept_through
        }
    };
}

fn name(text: &str) -> ServiceName {
    ServiceName::parse(text).unwrap()
}

fn document(number: u32) -> Bytes {
    Bytes::from(format!("{{\"version\":{number}}}"))
}

async fn put(manifests: &Manifests, service: &str, document: &Bytes, ttl: Duration) {
    manifests.store.put(&name(service), document.clone(), ttl).await.unwrap();
}

async fn get(store: &dyn ManifestStore, service: &str) -> Option<Bytes> {
    let stored = store.get(&name(service)).await.unwrap()?;
    assert_eq!(stored.service.as_str(), service);
    Some(stored.document)
}

async fn names(manifests: &Manifests) -> Vec<String> {
    manifests.store.all().await.unwrap().into_iter().map(|stored| stored.service.to_string()).collect()
}

/// `put` stores the document for its `ttl`, whatever was there.
pub async fn put_stores_whatever_was_there(manifests: &Manifests) {
    assert_eq!(get(&*manifests.store, "pim").await, None);
    put(manifests, "pim", &document(1), LONG).await;
    put(manifests, "pim", &document(2), LONG).await;
    let stored = manifests.store.get(&name("pim")).await.unwrap().unwrap();
    assert_eq!(stored.document, document(2));
    let left = stored.expires_in.unwrap();
    assert!(left > Duration::ZERO && left <= LONG, "{left:?}");
}

/// A document is bytes: it comes back as it was stored, even if it does not parse.
pub async fn documents_come_back_byte_for_byte(manifests: &Manifests) {
    let large = Bytes::from(vec![b'x'; 1 << 20]);
    for document in [Bytes::from_static(b"\xff\0\r\n{"), Bytes::from_static(b"\""), Bytes::new(), large] {
        put(manifests, "Билинг", &document, LONG).await;
        assert_eq!(get(&*manifests.store, "Билинг").await.as_ref(), Some(&document));
        assert_eq!(manifests.store.all().await.unwrap()[0].document, document);
    }
}

/// `replace` stores if the stored document is the expected one, or none is stored and none expected.
pub async fn replace_stores_only_over_what_is_expected(manifests: &Manifests) {
    let replace = async |expected: Option<u32>, number| {
        let expected = expected.map(document);
        manifests.store.replace(&name("pim"), expected, document(number), LONG).await.unwrap()
    };
    assert_eq!(replace(Some(1), 2).await, Replaced::Changed);
    assert_eq!(get(&*manifests.store, "pim").await, None);
    assert_eq!(replace(None, 1).await, Replaced::Stored);
    assert_eq!(replace(None, 2).await, Replaced::Changed);
    assert_eq!(replace(Some(2), 3).await, Replaced::Changed);
    assert_eq!(get(&*manifests.store, "pim").await, Some(document(1)));
    assert_eq!(replace(Some(1), 2).await, Replaced::Stored);
    assert_eq!(get(&*manifests.store, "pim").await, Some(document(2)));
    assert_eq!(names(manifests).await, ["pim"]);
}

/// Of concurrent `replace` calls that expect the same document, exactly one returns `Stored`.
pub async fn of_concurrent_replaces_that_expect_the_same_exactly_one_stores(manifests: &Manifests) {
    let mut expected = None;
    for round in 0..20 {
        let mut tasks = JoinSet::new();
        for rival in 0..20 {
            let (store, expected) = (Arc::clone(&manifests.store), expected.clone());
            tasks.spawn(async move {
                let mine = document(1_000 * round + rival);
                let replaced = store.replace(&name("pim"), expected, mine.clone(), LONG).await.unwrap();
                (replaced == Replaced::Stored).then_some(mine)
            });
        }
        let stored: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
        assert_eq!(stored.len(), 1, "round {round}");
        assert_eq!(get(&*manifests.store, "pim").await.as_ref(), stored.first());
        expected = stored.into_iter().next();
    }
}

/// `all` gives every document, by service name.
pub async fn all_documents_come_by_service_name(manifests: &Manifests) {
    assert_eq!(manifests.store.all().await.unwrap(), []);
    for service in ["pim", "Билинг", "a:b", "oms"] {
        put(manifests, service, &Bytes::copy_from_slice(service.as_bytes()), LONG).await;
    }
    assert_eq!(names(manifests).await, ["a:b", "oms", "pim", "Билинг"]);
    for stored in manifests.store.all().await.unwrap() {
        assert_eq!(stored.document, stored.service.as_str());
        assert!(stored.expires_in.is_some_and(|left| left <= LONG), "{stored:?}");
    }
}

/// A manifest is forgotten `ttl` after it was stored.
pub async fn a_manifest_is_forgotten_its_ttl_after_it_was_stored(manifests: &Manifests) {
    put(manifests, "oms", &document(1), LONG).await;
    let (ttl, since) = (Duration::from_secs(1), manifests.now());
    put(manifests, "pim", &document(1), ttl).await;
    manifests.ends(ttl, since, async || get(&*manifests.store, "pim").await.is_none()).await;
    assert_eq!(names(manifests).await, ["oms"]);
    let replaced = manifests.store.replace(&name("pim"), None, document(2), LONG).await.unwrap();
    assert_eq!(replaced, Replaced::Stored, "nothing is expected where nothing is");
    assert_eq!(names(manifests).await, ["oms", "pim"]);
}

/// `put` and `replace` store the expiry with the document, also where the document is the same.
pub async fn put_and_replace_renew_the_expiry(manifests: &Manifests) {
    let ttl = Duration::from_secs(1);
    for again in ["put", "replace"] {
        put(manifests, "pim", &document(1), ttl).await;
        manifests.pass(Duration::from_millis(600)).await;
        let since = manifests.now();
        if again == "put" {
            put(manifests, "pim", &document(1), ttl).await;
        } else {
            let expected = get(&*manifests.store, "pim").await;
            manifests.store.replace(&name("pim"), expected, document(1), ttl).await.unwrap();
        }
        manifests.ends(ttl, since, async || get(&*manifests.store, "pim").await.is_none()).await;
    }
}

/// Waits for changes until the document is the expected one, as a gateway does.
async fn wait_for(store: &dyn ManifestStore, expected: &Bytes) {
    let until_seen = async {
        let mut seen = Revision::default();
        while get(store, "pim").await.as_ref() != Some(expected) {
            seen = store.changed(seen).await;
        }
    };
    timeout(CAP, until_seen).await.expect("a change must wake everybody who waits");
}

/// `put` and `replace` wake everybody in `changed`.
pub async fn put_and_replace_wake_everybody_who_waits(manifests: &Manifests) {
    for number in [1, 2] {
        let mut tasks = JoinSet::new();
        for _ in 0..20 {
            let store = Arc::clone(&manifests.store);
            tasks.spawn(async move { wait_for(&*store, &document(number)).await });
        }
        if number == 1 {
            put(manifests, "pim", &document(1), LONG).await;
        } else {
            let expected = Some(document(1));
            manifests.store.replace(&name("pim"), expected, document(2), LONG).await.unwrap();
        }
        tasks.join_all().await;
    }
}

/// `changed` returns at once to whoever missed something.
pub async fn whoever_missed_a_change_is_told_at_once(manifests: &Manifests) {
    put(manifests, "pim", &document(1), LONG).await;
    let first = next(&*manifests.store, Revision::default()).await;
    put(manifests, "pim", &document(2), LONG).await;
    next(&*manifests.store, first).await;
}

/// The next revision; a store may tell again what one knows.
async fn next(store: &dyn ManifestStore, seen: Revision) -> Revision {
    let until_changed = async {
        loop {
            let now = store.changed(seen).await;
            if now != seen {
                return now;
            }
        }
    };
    timeout(CAP, until_changed).await.expect("a change that was missed must be told")
}

/// No change is slept through: a reader that asks again and again ends with the last document.
pub async fn no_change_is_slept_through(manifests: &Manifests) {
    for round in 0..20 {
        let last = document(100 * round + 20);
        let (store, expected) = (Arc::clone(&manifests.store), last.clone());
        let reader = tokio::spawn(async move { wait_for(&*store, &expected).await });
        for number in 1..=20 {
            put(manifests, "pim", &document(100 * round + number), LONG).await;
        }
        reader.await.unwrap();
        assert_eq!(get(&*manifests.store, "pim").await, Some(last));
    }
}
