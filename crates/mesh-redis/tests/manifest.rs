//! The manifest port on a real Redis: keys, expiry, members, changes, and what others wrote there.

use std::time::Duration;

use bytes::Bytes;
use mesh_core::{
    name::{NameError, ServiceName},
    store::{ManifestStore, Replaced, Revision, StoreError, StoredManifest},
};
use mesh_redis::{ConnectError, RedisStore};
use mesh_testkit::{RedisServer, redis::Reply};
use tokio::time::timeout;

const TTL: Duration = Duration::from_secs(300);
const CAP: Duration = Duration::from_secs(30);
const DOCUMENT: Bytes = Bytes::from_static(br#"{"service":"oms","routes":[],"timestamp":"t"}"#);

fn store(server: &RedisServer) -> Result<RedisStore, ConnectError> {
    RedisStore::connect(&server.url(), "microservice:")
}

fn oms() -> Result<ServiceName, NameError> {
    ServiceName::parse("oms")
}

fn names(manifests: &[StoredManifest]) -> Vec<&str> {
    manifests.iter().map(|manifest| manifest.service.as_str()).collect()
}

#[tokio::test]
async fn a_manifest_is_stored_with_its_expiry_and_its_member() {
    let server = RedisServer::start().await;
    let (store, oms) = (store(&server).unwrap(), oms().unwrap());
    assert_eq!(store.get(&oms).await.unwrap(), None);
    store.put(&oms, DOCUMENT, TTL).await.unwrap();
    assert_eq!(server.command(&["GET", "microservice:manifest:oms"]).await, Reply::Bytes(DOCUMENT.to_vec()));
    let pttl = server.command(&["PTTL", "microservice:manifest:oms"]).await.integer().unwrap();
    assert!((270_000..=300_000).contains(&pttl), "{pttl} ms");
    assert_eq!(
        server.command(&["SMEMBERS", "microservice:manifests"]).await,
        Reply::Array(vec![Reply::Bytes(b"oms".to_vec())])
    );
    assert_eq!(server.command(&["PTTL", "microservice:manifests"]).await, Reply::Integer(-1));
    let read = store.get(&oms).await.unwrap().unwrap();
    assert_eq!((&read.service, &read.document), (&oms, &DOCUMENT));
    assert!(read.expires_in.unwrap() <= TTL && read.expires_in.unwrap() > TTL - CAP, "{read:?}");
    assert_eq!(names(&store.all().await.unwrap()), ["oms"]);
}

#[tokio::test]
async fn a_document_is_replaced_only_if_it_is_the_expected_one() {
    let server = RedisServer::start().await;
    let (store, oms) = (store(&server).unwrap(), oms().unwrap());
    let [one, two] = [Bytes::from_static(b"{\"n\":1}"), Bytes::from_static(b"{\"n\":2}")];
    let replace = |expected: Option<&Bytes>, document: &Bytes| {
        let (store, oms, expected, document) =
            (store.clone(), oms.clone(), expected.cloned(), document.clone());
        async move { store.replace(&oms, expected, document, TTL).await.unwrap() }
    };
    assert_eq!(replace(Some(&one), &two).await, Replaced::Changed, "none is stored");
    assert_eq!(server.command(&["DBSIZE"]).await, Reply::Integer(0), "nothing was written");
    assert_eq!(replace(None, &one).await, Replaced::Stored);
    assert_eq!(replace(None, &two).await, Replaced::Changed, "one is stored");
    assert_eq!(replace(Some(&two), &two).await, Replaced::Changed, "another is stored");
    assert_eq!(replace(Some(&one), &two).await, Replaced::Stored);
    assert_eq!(store.get(&oms).await.unwrap().unwrap().document, two);
    assert_eq!(replace(Some(&Bytes::new()), &one).await, Replaced::Changed, "an empty document is not none");
}

#[tokio::test]
async fn of_concurrent_replacements_exactly_one_is_stored() {
    let server = RedisServer::start().await;
    let oms = oms().unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..20 {
        let (store, oms) = (store(&server).unwrap(), oms.clone());
        tasks.spawn(async move { store.replace(&oms, None, Bytes::from(n.to_string()), TTL).await.unwrap() });
    }
    let replaced = tasks.join_all().await;
    assert_eq!(replaced.iter().filter(|replaced| **replaced == Replaced::Stored).count(), 1, "{replaced:?}");
}

#[tokio::test]
async fn a_manifest_of_the_packages_first_version_is_found_without_set_and_message() {
    let server = RedisServer::start().await;
    let store = store(&server).unwrap();
    assert_eq!(store.all().await.unwrap(), []);
    let document = r#"{"service":"oms","routes":[{"method":"GET","uri":"\/x"}],"timestamp":"t"}"#;
    server.command(&["SET", "microservice:manifest:oms", document, "EX", "300"]).await;
    server.command(&["SET", "microservice:manifest:kept", document]).await;
    server.command(&["SET", "other:manifest:x", document]).await;
    let all = store.all().await.unwrap();
    assert_eq!(names(&all), ["kept", "oms"]);
    assert_eq!(all[0].expires_in, None, "without an end");
    assert_eq!(all[1].document, document, "byte for byte, escaped slashes and all");
    server.command(&["DEL", "microservice:manifest:oms"]).await;
    assert_eq!(names(&store.all().await.unwrap()), ["kept"]);
}

#[tokio::test]
async fn among_a_hundred_thousand_other_keys_a_manifest_is_found() {
    let server = RedisServer::start().await;
    let store = store(&server).unwrap();
    let fill = "for i = 1, 150000 do redis.call('SET', 'other:' .. i, 1) end return redis.call('DBSIZE')";
    assert_eq!(server.command(&["EVAL", fill, "0"]).await, Reply::Integer(150_000));
    server.command(&["SET", "microservice:manifest:oms", "{}"]).await;
    let found = async { while store.all().await.unwrap().is_empty() {} };
    timeout(CAP, found).await.unwrap();
    assert_eq!(
        names(&store.all().await.unwrap()),
        ["oms"],
        "it stays found while the scan goes on elsewhere"
    );
}

#[tokio::test]
async fn members_without_a_manifest_are_removed() {
    let server = RedisServer::start().await;
    let (store, oms) = (store(&server).unwrap(), oms().unwrap());
    store.put(&oms, DOCUMENT, TTL).await.unwrap();
    server.command(&["SADD", "microservice:manifests", "dead-1", "dead-2"]).await;
    assert_eq!(names(&store.all().await.unwrap()), ["oms"]);
    assert_eq!(
        server.command(&["SMEMBERS", "microservice:manifests"]).await,
        Reply::Array(vec![Reply::Bytes(b"oms".to_vec())])
    );
}

#[tokio::test]
async fn one_bad_entry_hides_no_other() {
    let server = RedisServer::start().await;
    let (store, oms) = (store(&server).unwrap(), oms().unwrap());
    store.put(&oms, DOCUMENT, TTL).await.unwrap();
    server.command(&["SADD", "microservice:manifests", "list", "a b", ""]).await;
    server.command(&[&b"SADD"[..], b"microservice:manifests", b"\xff\xfe"]).await;
    server.command(&["LPUSH", "microservice:manifest:list", "x"]).await;
    server.command(&["SET", "microservice:manifest:a/b", "x"]).await;
    server.command(&["SET", "microservice:manifest:garbage", "\u{0}garbage"]).await;
    assert_eq!(names(&store.all().await.unwrap()), ["garbage", "oms"], "documents are not judged here");
    assert_eq!(store.malformed_values(), 5, "list, three members and a key with malformed names");
    let list = ServiceName::parse("list").unwrap();
    assert_eq!(store.get(&list).await.unwrap(), None);
    store.put(&list, DOCUMENT, TTL).await.unwrap();
    assert_eq!(names(&store.all().await.unwrap()), ["garbage", "list", "oms"], "a good one heals it");
}

#[tokio::test]
async fn a_set_of_another_type_hides_nothing_and_refuses_to_store() {
    let server = RedisServer::start().await;
    let (store, oms) = (store(&server).unwrap(), oms().unwrap());
    server.command(&["SET", "microservice:manifests", "no set"]).await;
    server.command(&["SET", "microservice:manifest:kept", "{}"]).await;
    let refused = store.put(&oms, DOCUMENT, TTL).await;
    assert!(
        matches!(&refused, Err(StoreError::Refused(reason)) if reason.contains("WRONGTYPE")),
        "{refused:?}"
    );
    assert_eq!(store.get(&oms).await.unwrap(), None, "not stored by half");
    assert_eq!(names(&store.all().await.unwrap()), ["kept"]);
}

#[tokio::test]
async fn a_prefix_with_the_characters_of_a_glob_finds_its_own_manifests_only() {
    let server = RedisServer::start().await;
    let store = RedisStore::connect(&server.url(), "a[b]*?\\:").unwrap();
    server.command(&["SET", "a[b]*?\\:manifest:mine", "{}"]).await;
    server.command(&["SET", "abXY\\:manifest:theirs", "{}"]).await;
    assert_eq!(names(&store.all().await.unwrap()), ["mine"]);
}

#[tokio::test]
async fn a_change_is_told_to_every_store_of_the_server() {
    let server = RedisServer::start().await;
    let (writer, reader, oms) = (store(&server).unwrap(), store(&server).unwrap(), oms().unwrap());
    // The first subscription counts as a change: something may have been missed before it.
    let seen = timeout(CAP, reader.changed(Revision::default())).await.unwrap();
    assert_ne!(seen, Revision::default());
    let waiting = tokio::spawn({
        let reader = reader.clone();
        async move { reader.changed(seen).await }
    });
    writer.put(&oms, DOCUMENT, TTL).await.unwrap();
    let after_put = timeout(CAP, waiting).await.unwrap().unwrap();
    assert_ne!(after_put, seen);
    let replaced = writer.replace(&oms, Some(DOCUMENT), Bytes::from_static(b"{}"), TTL).await.unwrap();
    assert_eq!(replaced, Replaced::Stored);
    timeout(CAP, reader.changed(after_put)).await.unwrap();
    let own = timeout(CAP, writer.changed(Revision::default())).await.unwrap();
    assert_ne!(own, Revision::default(), "the writer is told of its own");
}

#[tokio::test]
async fn a_writer_that_may_not_publish_still_stores() {
    let server = RedisServer::start().await;
    let user = ["ACL", "SETUSER", "quiet", "on", ">pass-word", "~*", "resetchannels", "+@all"];
    assert_eq!(server.command(&user).await, Reply::Status("OK".to_owned()));
    let url = format!("redis://quiet:pass-word@{}/0", server.address());
    let store = RedisStore::connect(&url, "microservice:").unwrap();
    store.put(&oms().unwrap(), DOCUMENT, TTL).await.unwrap();
    assert_eq!(names(&store.all().await.unwrap()), ["oms"]);
}
