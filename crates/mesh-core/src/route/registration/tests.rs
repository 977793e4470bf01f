//! Which manifests may take their place.

use std::sync::Arc;

use super::*;
use crate::{
    clock::UnixMillis,
    route::{TableSettings, manifest::Manifest},
};

fn manifest(json: &str) -> Manifest {
    Manifest::parse(json.as_bytes()).expect("a manifest")
}

fn announcing(url: &str) -> Manifest {
    let mut manifest = Manifest::new(ServiceName::parse("oms").expect("a name"), Vec::new(), UnixMillis(0));
    manifest.base_urls = vec![BaseUrl::parse(url).expect("a base URL")];
    manifest
}

#[track_caller]
fn target(url: &str, allowed: &[&str], expected: bool) {
    let allowed: Vec<Cidr> = allowed.iter().map(|block| Cidr::parse(block).expect("a block")).collect();
    let result = check_targets(&announcing(url), &allowed);
    let forbidden = Err(RegistrationError::TargetForbidden(url.to_owned()));
    assert_eq!(result, if expected { Ok(()) } else { forbidden }, "{url}");
}

#[test]
fn an_announced_base_url_lies_in_an_allowed_block() {
    target("http://10.0.0.7:8001", &["10.0.0.0/8"], true);
    target("https://10.0.0.7/prefix", &["172.16.0.0/12", "10.0.0.0/8"], true);
    target("http://[fd00::7]:8001", &["fd00::/8"], true);
    target("http://127.0.0.1:8001", &["127.0.0.0/8"], true);
    target("http://[::ffff:10.0.0.7]:8001", &["10.0.0.0/8"], true);
}

#[test]
fn loopback_link_local_names_and_odd_spellings_are_forbidden_unless_listed() {
    for url in [
        "http://127.0.0.1",
        "http://[::1]",
        "http://169.254.169.254",
        "http://[fd00::1]",
        "http://2130706433",
        "http://[::ffff:a9fe:a9fe]",
        "http://localhost:8001",
        "http://oms-1:8001",
        "http://0x7f.1",
        "http://127.1",
        "http://0177.0.0.1",
        "http://10.0.0.7",
    ] {
        target(url, &[], false);
    }
    for url in [
        "http://[::ffff:a9fe:a9fe]",
        "http://2130706433",
        "http://oms",
        "http://10.0.0.7.example.com",
        "http://11.0.0.1",
    ] {
        target(url, &["10.0.0.0/8", "::/0"], false);
    }
}

#[test]
fn every_announced_url_is_checked() {
    let mut manifest = announcing("http://10.0.0.7");
    manifest.base_urls.push(BaseUrl::parse("http://127.0.0.1").unwrap());
    let allowed = [Cidr::parse("10.0.0.0/8").unwrap()];
    assert_eq!(
        check_targets(&manifest, &allowed),
        Err(RegistrationError::TargetForbidden("http://127.0.0.1".to_owned()))
    );
}

fn made(timestamp: &str, version: Option<u64>) -> Manifest {
    let mut manifest = announcing("http://10.0.0.7");
    manifest.timestamp = timestamp.to_owned();
    manifest.version = version;
    manifest
}

#[track_caller]
fn fresh(next: (&str, Option<u64>), stored: (&str, Option<u64>), expected: bool) {
    let result = check_freshness(&made(next.0, next.1), &made(stored.0, stored.1), Duration::from_secs(60));
    assert_eq!(
        result,
        if expected { Ok(()) } else { Err(RegistrationError::Stale) },
        "{next:?} after {stored:?}"
    );
}

#[test]
fn a_manifest_older_than_the_stored_one_is_stale() {
    let noon = "2026-02-10T12:00:00+00:00";
    fresh((noon, None), (noon, None), true);
    fresh(("2026-02-10T11:59:00Z", None), (noon, None), true);
    fresh(("2026-02-10T11:58:59.999Z", None), (noon, None), false);
    fresh(("2026-02-10T13:00:00+02:00", None), (noon, None), false);
    fresh(("2026-02-11T12:00:00Z", None), (noon, None), true);
    fresh(("yesterday", None), (noon, None), true);
    fresh((noon, None), ("tomorrow", None), true);
}

#[test]
fn a_lower_version_is_stale_and_an_absent_one_says_nothing() {
    let noon = "2026-02-10T12:00:00Z";
    fresh((noon, Some(1)), (noon, Some(2)), false);
    fresh((noon, Some(2)), (noon, Some(2)), true);
    fresh((noon, Some(3)), (noon, Some(2)), true);
    fresh((noon, None), (noon, Some(2)), true);
    fresh((noon, Some(1)), (noon, None), true);
    fresh(("2026-02-09T12:00:00Z", Some(3)), (noon, Some(2)), false);
}

#[test]
fn a_manifest_is_registered_by_its_own_service_only() {
    let manifest = announcing("http://10.0.0.7");
    assert_eq!(check_owner(&manifest, &manifest.service), Ok(()));
    let other = ServiceName::parse("OMS").unwrap();
    let refusal = check_owner(&manifest, &other).unwrap_err();
    assert_eq!(refusal.code(), Code::ManifestNotOwner);
    assert_eq!((refusal.origin(), refusal.retry()), (Origin::Caller, Retry::Never));
}

#[test]
fn the_first_service_keeps_a_method_and_gateway_pattern() {
    let stored = manifest(
        r#"{"service":"pim","timestamp":"t","routes":[{"method":"GET","uri":"/api/{a}/x"},{"method":"GET","uri":"/api/c/y"}]}"#,
    );
    let table = |settings: &TableSettings| RouteTable::build(&[Arc::new(stored.clone())], settings);
    let settings = TableSettings::default();
    let next = |service: &str, method: &str, uri: &str| {
        manifest(&format!(
            r#"{{"service":"{service}","timestamp":"t","routes":[{{"method":"GET","uri":"/free"}},{{"method":"{method}","uri":"{uri}"}}]}}"#
        ))
    };
    let refusal = check_conflicts(&next("aaa", "GET", "/api/{other}/x/"), &table(&settings)).unwrap_err();
    assert_eq!(refusal.to_string(), "GET /api/{other}/x/ belongs to the service pim");
    assert_eq!(refusal.code(), Code::ManifestRouteConflict);
    assert_eq!(check_conflicts(&next("aaa", "POST", "/api/{other}/x"), &table(&settings)), Ok(()));
    assert_eq!(check_conflicts(&next("aaa", "GET", "/api/literal/x"), &table(&settings)), Ok(()));
    assert_eq!(check_conflicts(&next("pim", "GET", "/api/{other}/x"), &table(&settings)), Ok(()));

    let prefixed = TableSettings {
        prefixes: [(ServiceName::parse("aaa").unwrap(), "c".to_owned())].into(),
        ..TableSettings::default()
    };
    assert!(check_conflicts(&next("aaa", "GET", "/api/y"), &table(&prefixed)).is_err());
    assert_eq!(check_conflicts(&next("aaa", "GET", "/api/c/y"), &table(&prefixed)), Ok(()));

    let only = |service: &str| TableSettings {
        services: Some([ServiceName::parse(service).unwrap()].into()),
        ..TableSettings::default()
    };
    let next = next("aaa", "GET", "/api/{other}/x");
    assert_eq!(check_conflicts(&next, &table(&only("pim"))), Ok(()), "it is not served here");
    assert_eq!(check_conflicts(&next, &table(&only("aaa"))), Ok(()), "the other is not served here");
}
