//! What a manifest document is, and what is refused.

use serde_json::{Value, json};

use super::*;
use crate::{
    clock::UnixMillis,
    name::ServiceName,
    route::{Manifest, Pattern, Route},
};

fn document(routes: &Value) -> Vec<u8> {
    json!({"service": "pim", "routes": routes, "timestamp": "2026-02-10T12:00:00+00:00"})
        .to_string()
        .into_bytes()
}

fn routes(routes: &Value) -> Result<Manifest, ManifestError> {
    Manifest::parse(&document(routes))
}

#[track_caller]
fn invalid(document: &str, expected: &[(&str, &str)]) {
    let Err(ManifestError::Invalid(errors)) = Manifest::parse_registration(document.as_bytes()) else {
        panic!("{document}: not invalid");
    };
    let found: Vec<(&str, &str)> = errors
        .iter()
        .flat_map(|(field, messages)| messages.iter().map(move |message| (field, message.as_str())))
        .collect();
    assert_eq!(found, expected, "{document}");
}

#[test]
fn a_document_without_fields_lacks_all_that_the_package_requires() {
    let missing = [
        ("service", "The service field is required."),
        ("routes", "The routes field is required."),
        ("timestamp", "The timestamp field is required."),
    ];
    for document in [
        "{}",
        "[]",
        "5",
        "null",
        "\"x\"",
        r#"{"service":"","routes":null,"timestamp":" "}"#,
        r#"{"service":[],"routes":[]}"#,
    ] {
        invalid(document, &missing);
    }
    let error = Manifest::parse(b"{}").unwrap_err();
    assert_eq!(error.to_string(), "The service field is required. (and 2 more errors)");
    assert_eq!(error.code(), Code::ManifestInvalid);
}

#[test]
fn wrong_types_are_named_by_field_in_the_packages_order() {
    invalid(
        r#"{"routes":[{"uri":1},{"method":2},7],"service":1,"timestamp":3}"#,
        &[
            ("service", "The service field must be a string."),
            ("timestamp", "The timestamp field must be a string."),
            ("routes.0.method", "The routes.0.method field is required."),
            ("routes.1.method", "The routes.1.method field must be a string."),
            ("routes.2.method", "The routes.2.method field is required."),
            ("routes.0.uri", "The routes.0.uri field must be a string."),
            ("routes.1.uri", "The routes.1.uri field is required."),
            ("routes.2.uri", "The routes.2.uri field is required."),
        ],
    );
    invalid(
        r#"{"service":"a b","routes":{"0":{}},"timestamp":"t","version":-1,"base_urls":["x",1],"timeout":"soon"}"#,
        &[
            (
                "service",
                "The service field is invalid: a service name holds a control character, a blank, '/', '{' or '}'.",
            ),
            ("routes", "The routes field must be an array."),
            ("version", "The version field must be an integer."),
            (
                "base_urls.0",
                "The base_urls.0 field is invalid: a base URL is an absolute URL such as http://127.0.0.1:8001.",
            ),
            ("base_urls.1", "The base_urls.1 field must be a string."),
            ("timeout", "The timeout field must be a number of seconds."),
        ],
    );
    invalid(
        r#"{"service":"a","routes":[{"methods":[],"uri":"/"},{"methods":[1],"uri":"/"},{"methods":"GET","uri":"/"}],"timestamp":"t","base_urls":"x"}"#,
        &[
            ("routes.0.methods", "The routes.0.methods field is required."),
            ("routes.1.methods.0", "The routes.1.methods.0 field must be a string."),
            ("routes.2.methods", "The routes.2.methods field must be an array."),
            ("base_urls", "The base_urls field must be an array."),
        ],
    );
}

#[test]
fn a_manifest_in_the_store_may_have_no_routes_and_one_that_is_registered_may_not() {
    assert!(routes(&json!([])).unwrap().routes.is_empty());
    assert!(matches!(Manifest::parse_registration(&document(&json!([]))), Err(ManifestError::Invalid(_))));
}

#[test]
fn a_document_is_limited_in_bytes_and_routes() {
    let mut padded = document(&json!([]));
    padded.resize(MAX_MANIFEST_BYTES, b' ');
    assert!(Manifest::parse(&padded).is_ok());
    padded.push(b' ');
    assert_eq!(Manifest::parse(&padded), Err(ManifestError::TooLarge("1 MiB")));

    let one = json!({"method": "GET", "uri": "/x"});
    assert_eq!(
        routes(&vec![one.clone(); MAX_ROUTES].into()).map(|manifest| manifest.routes.len()),
        Ok(MAX_ROUTES)
    );
    assert_eq!(routes(&vec![one; MAX_ROUTES + 1].into()), Err(ManifestError::TooLarge("5,000 routes")));
    let two = json!({"methods": ["GET", "POST"], "uri": "/x"});
    assert_eq!(routes(&vec![two; 2501].into()), Err(ManifestError::TooLarge("5,000 routes")));
    assert_eq!(ManifestError::TooLarge("1 MiB").code(), Code::ManifestTooLarge);
}

#[test]
fn a_list_inside_a_document_is_limited() {
    let urls = |count: usize| {
        format!(
            r#"{{"service":"a","routes":[{{"methods":["GET"],"uri":"/"}}],"timestamp":"t","base_urls":{}}}"#,
            json!(vec!["http://10.0.0.7"; count])
        )
    };
    assert_eq!(Manifest::parse(urls(1_000).as_bytes()).map(|manifest| manifest.base_urls.len()), Ok(1_000));
    invalid(&urls(1_001), &[("base_urls", "The base_urls field must not have more than 1000 items.")]);
    let methods: Vec<String> = (0..100_000).map(|at| at.to_string()).collect();
    invalid(
        &json!({"service": "a", "routes": [{"methods": methods, "uri": "/"}], "timestamp": "t"}).to_string(),
        &[("routes.0.methods", "The routes.0.methods field must not have more than 1000 items.")],
    );
    let error = routes(&vec![json!(1); MAX_ROUTES].into()).unwrap_err();
    assert_eq!(error.to_string(), "The routes.0.method field is required. (and 9999 more errors)");
}

#[test]
fn what_has_two_meanings_is_invalid_and_what_is_no_json_is_not_json() {
    let code = |document: &[u8]| Manifest::parse(document).unwrap_err().code();
    assert_eq!(code(br#"{"service":"pim","service":"oms"}"#), Code::ManifestInvalid);
    assert_eq!(code("[".repeat(65).as_bytes()), Code::ManifestInvalid);
    assert_eq!(code(b"service=pim"), Code::ManifestNotJson);
    assert_eq!(code(b""), Code::ManifestNotJson);
}

#[test]
fn one_route_that_cannot_be_built_refuses_the_manifest() {
    let good = json!({"method": "GET", "uri": "/good"});
    for (bad, reason) in [
        (json!({"method": "GET", "uri": "/{a}/{a}"}), "a route's URI names the parameter \"a\" twice"),
        (json!({"method": "GET", "uri": "api"}), "a route's URI begins with '/'"),
        (json!({"method": "GET", "uri": "/a/../b"}), "a route's URI is not in canonical form"),
        (json!({"method": "GET", "uri": "/br{ace"}), "a route's URI has a malformed parameter"),
        (json!({"method": "GET", "uri": "/x", "name": ["a"]}), "a route's name is a string"),
        (json!({"method": "get", "uri": "/x"}), "\"get\" is none of GET, POST, PUT, PATCH, DELETE, OPTIONS"),
        (
            json!({"method": "TRACE", "uri": "/x"}),
            "\"TRACE\" is none of GET, POST, PUT, PATCH, DELETE, OPTIONS",
        ),
        (
            json!({"methods": ["GET", "CONNECT"], "uri": "/x"}),
            "\"CONNECT\" is none of GET, POST, PUT, PATCH, DELETE, OPTIONS",
        ),
    ] {
        let uri = bad["uri"].as_str().unwrap_or_default().to_owned();
        let error = routes(&json!([good, bad])).unwrap_err();
        assert_eq!(error.code(), Code::ManifestInvalidRoute);
        assert_eq!(error, ManifestError::InvalidRoute { route: 1, uri, reason: reason.to_owned() });
    }
}

#[test]
fn reserved_metadata_is_refused_and_excluded_metadata_is_dropped() {
    let error = routes(&json!([{"method": "GET", "uri": "/x", "_service": "oms"}])).unwrap_err();
    assert_eq!(error, ManifestError::ReservedKey { route: 0, key: "_service".to_owned() });
    assert_eq!(error.code(), Code::ManifestReservedKey);

    let mut route =
        json!({"method": "GET", "uri": "/x", "name": null, "permissions": ["a"], "nested": {"_in": 1}});
    for key in EXCLUDED {
        route[*key] = json!("dropped");
    }
    let manifest = routes(&json!([route])).unwrap();
    assert_eq!(
        Value::Object(manifest.routes[0].metadata.clone()),
        json!({"permissions": ["a"], "nested": {"_in": 1}})
    );
    assert_eq!(manifest.routes[0].name, None);
}

#[test]
fn what_later_package_versions_write_is_read() {
    let manifest = Manifest::parse(
        br#"{"service":"pim","timestamp":"t","base_url":"http://pim:8000","timeout":2.5,"other":[],
            "routes":[{"methods":["GET","HEAD","POST","GET"],"uri":"/x","name":"x","rate_limit":60},{"method":"HEAD","uri":"/y"}]}"#,
    )
    .unwrap();
    let found: Vec<_> =
        manifest.routes.iter().map(|route| (route.method.as_str(), route.uri.as_str())).collect();
    assert_eq!(found, [("GET", "/x"), ("POST", "/x")]);
    assert!(
        manifest
            .routes
            .iter()
            .all(|route| route.name.as_deref() == Some("x") && route.metadata["rate_limit"] == 60)
    );
    assert_eq!(manifest.base_urls.iter().map(|url| url.as_str()).collect::<Vec<_>>(), ["http://pim:8000"]);
    assert_eq!(manifest.timeout, Some(std::time::Duration::from_millis(2_500)));

    let nulls = Manifest::parse(
        br#"{"service":"pim","timestamp":"t","base_url":null,"base_urls":null,"timeout":null,"version":null,"routes":[]}"#,
    );
    assert!(nulls.is_ok_and(|manifest| manifest.base_urls.is_empty() && manifest.timeout.is_none()));
}

#[test]
fn a_base_url_that_may_never_be_called_is_a_forbidden_target() {
    for url in ["file:///etc/passwd", "gopher://10.0.0.7", "http://me:secret@10.0.0.7"] {
        let document =
            json!({"service": "pim", "timestamp": "t", "routes": [], "base_urls": [url]}).to_string();
        let error = Manifest::parse(document.as_bytes()).unwrap_err();
        assert_eq!(error.code(), Code::ManifestTargetForbidden, "{url}: {error}");
        assert!(!error.to_string().contains("secret"));
    }
}

#[test]
fn a_document_that_we_write_reads_back_the_same() {
    let pattern = Pattern::parse("/api/кириллица/{имя}").unwrap();
    let mut route = Route::new(http::Method::GET, pattern);
    route.name = Some("имя/ü".to_owned());
    route.metadata =
        json!({"float": 1.0, "int": 1, "nested": {"a": [1.5, null]}, "obj": {}, "list": [], "bool": false})
            .as_object()
            .cloned()
            .unwrap_or_default();
    let mut manifest = Manifest::new(
        ServiceName::parse("pim").unwrap(),
        vec![route],
        UnixMillis::from_seconds(1_770_724_800),
    );
    assert_eq!(
        manifest.to_json(),
        r#"{"service":"pim","routes":[{"method":"GET","uri":"/api/кириллица/{имя}","name":"имя/ü","bool":false,"float":1.0,"int":1,"list":[],"nested":{"a":[1.5,null]},"obj":{}}],"timestamp":"2026-02-10T12:00:00+00:00"}"#
    );
    manifest.version = Some(7);
    manifest.base_urls = vec![crate::service::BaseUrl::parse("http://10.0.0.7:8001/").unwrap()];
    for timeout in [2_000, 2_500] {
        manifest.timeout = Some(std::time::Duration::from_millis(timeout));
        assert_eq!(Manifest::parse(manifest.to_json().as_bytes()), Ok(manifest.clone()));
    }
}

#[test]
fn a_number_of_a_manifest_stays_what_it_is_when_it_is_written_and_read() {
    for number in ["1e111", "999999999999999999999999999992.5", "0.1", "1.7976931348623157e308", "5e-324"] {
        let route = format!(r#"[{{"method":"GET","uri":"/a","timeout":{number}}}]"#);
        let document =
            format!(r#"{{"service":"pim","routes":{route},"timestamp":"2026-02-10T12:00:00+00:00"}}"#);
        let manifest = Manifest::parse(document.as_bytes()).unwrap();
        assert_eq!(Manifest::parse(manifest.to_json().as_bytes()).unwrap(), manifest, "{number}");
    }
}
