//! Any text as a request target, and as a pattern: what is canonical stays what it is on its way through the route that
//! takes it, and no decoding turns it into another path.
#![no_main]

use std::sync::{Arc, LazyLock};

use http::Method;
use libfuzzer_sys::fuzz_target;
use mesh_core::clock::UnixMillis;
use mesh_core::forward::Target;
use mesh_core::name::ServiceName;
use mesh_core::percent;
use mesh_core::route::{Manifest, Pattern, PrefixStyle, Resolution, Route, RouteTable, TableSettings};

const PATTERNS: &[&str] = &[
    "/",
    "/api/a",
    "/api/{id}",
    "/api/{id}/b",
    "/api/a{x}b",
    "/api/{a}.{b}",
    "/api/{a}/{b?}",
    "/api/%61/c",
    "/files/{name}.txt",
];

fn manifest(service: &str, patterns: &[Pattern]) -> Arc<Manifest> {
    let routes = patterns.iter().map(|uri| Route::new(Method::GET, uri.clone())).collect();
    Arc::new(Manifest::new(ServiceName::parse(service).unwrap(), routes, UnixMillis(0)))
}

static KNOWN: LazyLock<Arc<Manifest>> = LazyLock::new(|| {
    let patterns: Vec<_> = PATTERNS.iter().map(|text| Pattern::parse(text).unwrap()).collect();
    manifest("known", &patterns)
});

static SETTINGS: LazyLock<[TableSettings; 2]> = LazyLock::new(|| {
    let style = |style| TableSettings {
        prefixes: [(ServiceName::parse("known").unwrap(), "shop".to_owned())].into(),
        style,
        ..TableSettings::default()
    };
    [style(PrefixStyle::default()), TableSettings::default()]
});

static TABLES: LazyLock<[RouteTable; 2]> =
    LazyLock::new(|| SETTINGS.each_ref().map(|settings| RouteTable::build(&[KNOWN.clone()], settings)));

fuzz_target!(|input: (&str, &str)| {
    let (target, pattern) = input;
    let Ok(parsed) = Target::parse(target) else { return };
    let path = parsed.path();
    // Nothing is lost and nothing is added.
    let whole = parsed.query().map_or(path.to_owned(), |query| format!("{path}?{query}"));
    assert_eq!(whole, target);
    assert_eq!(Target::parse(path).expect("the path of a target is one").path(), path);
    // However often a service decodes it and normalizes it: no segment climbs, none is empty but the last.
    let decoded = percent::decode(path).expect("a canonical path decodes");
    let decoded = std::str::from_utf8(&decoded).expect("to text");
    assert_eq!(decoded.matches('/').count(), path.matches('/').count());
    assert!(!decoded.contains("//") && !decoded.contains('\\') && !decoded.contains('\0'));
    assert!(decoded.split('/').all(|segment| segment != "." && segment != ".."));

    for table in TABLES.iter() {
        check(table, path);
    }
    if let Ok(pattern) = Pattern::parse(pattern) {
        let table = RouteTable::build(&[manifest("own", &[pattern])], &TableSettings::default());
        check(&table, path);
    }
});

fn check(table: &RouteTable, path: &str) {
    let Resolution::Found(entry) = table.resolve(&Method::GET, path) else { return };
    let service_path = entry.service_path(path);
    assert_eq!(Target::parse(&service_path).expect("the service's path is canonical").path(), service_path);
    assert!(entry.route.uri.matches(&service_path), "{service_path} {}", entry.route.uri);
}
