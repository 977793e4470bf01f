//! Manifests and routes: what the package builds is read, and where our answers differ is listed with the reason
//! (tests/vectors/README.md).

use std::{collections::BTreeMap, error::Error, sync::Arc};

use http::Method;
use mesh_core::{
    clock::UnixMillis,
    name::ServiceName,
    route::{Manifest, Pattern, PrefixStyle, Resolution, Route, RouteTable, TableSettings},
};
use serde_json::{Value, json};

pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Where the package and we resolve differently: method, target, our answer, why.
pub(crate) const DIFFERENT: &[(&str, &str, &str, &str)] = &[
    ("get", "/api/products", "GET,HEAD,OPTIONS,POST", METHOD_CASE),
    ("GET", "api/products", "none", TARGET),
    ("GET", "//api/products", "none", TARGET),
    ("GET", "/api/products/", "oms /api/products #1", SLASH),
    ("PUT", "/api/products", "GET,HEAD,OPTIONS,POST", ALLOW),
    ("HEAD", "/api/products", "oms /api/products #1", HEAD),
    ("OPTIONS", "/api/products", "GET,HEAD,OPTIONS,POST", ALLOW),
    ("GET", "/api/products/featured", "pim /api/products/featured #3", SPECIFIC),
    ("GET", "/api/opt", "pim /api/opt/{id?} #5", OPTIONAL),
    ("GET", "/api/opt/", "pim /api/opt/{id?} #5", OPTIONAL),
    ("GET", "/api/x.y", "pim /api/x.y #8", SPECIFIC),
    ("GET", "/api/foo.json", "pim /api/{x}.json #9", SPECIFIC),
    ("GET", "/api/pre-1-post", "pim /api/pre-{x}-post #10", SPECIFIC),
    ("GET", "", "none", TARGET),
    ("GET", "/api/trail", "pim /api/trail/ #13", SPECIFIC),
];

pub(crate) const METHOD_CASE: &str = "methods are case-sensitive (RFC 9110 §9.1); the package raises them";
const TARGET: &str =
    "a target begins with one slash (docs/refusals.md, rows 57 and 61); the package adds or trims it";
const SLASH: &str = "matching ignores trailing slashes (docs/wire.md, G2)";
pub(crate) const ALLOW: &str =
    "a known path with another method says so (docs/wire.md, G6); the package has only 404";
const HEAD: &str = "HEAD is served by GET's route (docs/wire.md, G6)";
const SPECIFIC: &str =
    "the more specific route wins (docs/wire.md, G4); the package takes the first that arrived";
const OPTIONAL: &str = "an optional parameter may be left out; the package's registry demands it";

pub(crate) fn document() -> Outcome<Value> {
    Ok(serde_json::from_str(include_str!("manifest.json"))?)
}

pub(crate) fn list<'v>(value: &'v Value, key: &str) -> Outcome<&'v Vec<Value>> {
    value[key].as_array().ok_or_else(|| format!("{key} is no list").into())
}

pub(crate) fn text<'v>(value: &'v Value, key: &str) -> Outcome<&'v str> {
    value[key].as_str().ok_or_else(|| format!("{key} is no text").into())
}

#[test]
fn the_packages_manifest_is_read_whole_in_order_and_with_its_metadata() -> Outcome {
    let recorded = &document()?["manifest"];
    let manifest = Manifest::parse(recorded.to_string().as_bytes())?;
    assert_eq!(manifest.service.as_str(), "pim");
    assert_eq!(manifest.timestamp, "2026-11-21T00:32:52+00:00");
    assert_eq!((manifest.version, manifest.timeout, manifest.base_urls.len()), (None, None, 0));

    let declared = list(recorded, "routes")?;
    assert_eq!(declared.len(), 45);
    assert_eq!(manifest.routes.len(), declared.len());
    for (route, declared) in manifest.routes.iter().zip(declared) {
        assert_eq!(route.method.as_str(), text(declared, "method")?);
        assert_eq!(route.uri.as_str(), text(declared, "uri")?);
        assert_eq!(route.name.as_deref(), declared["name"].as_str());
        let mut rest = declared.clone();
        let fields = rest.as_object_mut().ok_or("a route is no object")?;
        fields.retain(|key, _| !matches!(key.as_str(), "method" | "uri" | "name"));
        assert_eq!(Value::Object(route.metadata.clone()), rest, "{}", route.uri);
    }
    let written: Value = serde_json::from_str(&manifest.to_json())?;
    assert_eq!(&written, recorded);
    Ok(())
}

fn manifest(service: &str, routes: &[(&str, &str)]) -> Outcome<Arc<Manifest>> {
    let mut declared = Vec::new();
    for (method, uri) in routes {
        declared.push(Route::new(method.parse()?, Pattern::parse(uri)?));
    }
    Ok(Arc::new(Manifest::new(ServiceName::parse(service)?, declared, UnixMillis(0))))
}

/// Our routes as the package lists them: methods and URI without the leading slash.
fn listed(services: Option<&[&str]>, prefixes: [&str; 2], style: PrefixStyle) -> Outcome<Value> {
    let oms = manifest("oms", &[("GET", "/api/products"), ("GET", "/api/orders/{order}")])?;
    let pim = manifest(
        "pim",
        &[
            ("GET", "/api/products"),
            ("GET", "/api/products/{product}"),
            ("POST", "/api/products"),
            ("GET", "/api"),
            ("GET", "/"),
            ("GET", "/api/opt/{id?}"),
            ("PUT", "/api/products/{product}"),
        ],
    )?;
    let mut named = BTreeMap::new();
    for (service, prefix) in ["oms", "pim"].into_iter().zip(prefixes) {
        named.insert(ServiceName::parse(service)?, prefix.to_owned());
    }
    let only = |names: &[&str]| names.iter().map(|name| ServiceName::parse(name)).collect::<Result<_, _>>();
    let services = services.map(only).transpose()?;
    let table = RouteTable::build(&[pim, oms], &TableSettings { services, prefixes: named, style });
    let rows = table.entries().iter().map(|entry| {
        let methods = if entry.route.method == Method::GET {
            json!(["GET", "HEAD"])
        } else {
            json!([entry.route.method.as_str()])
        };
        let uri = entry.uri.as_str();
        json!([methods, if uri == "/" { uri } else { uri.trim_start_matches('/') }])
    });
    Ok(rows.collect())
}

#[test]
fn the_gateways_uris_are_the_packages_in_both_styles() -> Outcome {
    let document = document()?;
    let (after_first, front) = (PrefixStyle::AfterFirst, PrefixStyle::Front);
    let mut compared = 0;
    for row in list(&document, "gateway_routes")? {
        // The first version has no prefix unless it is given, later ones have the service's name.
        let (services, seed, later): (Option<&[&str]>, _, _) = match text(row, "call")? {
            "services: [oms]" => (Some(&["oms"]), ["", ""], ["oms", "pim"]),
            "services: []" => (Some(&[]), ["", ""], ["oms", "pim"]),
            "prefix per service" => (None, ["o/x", "catalog"], ["o/x", "catalog"]),
            "empty prefix" => (None, ["", ""], ["", ""]),
            // Laravel's own group stands around the gateway's routes: nothing of ours.
            call if call.starts_with("inside Route::prefix") => continue,
            _ => (None, ["", ""], ["oms", "pim"]),
        };
        assert_eq!(listed(services, seed, after_first)?, row["seed_uris"], "{row}");
        assert_eq!(listed(services, later, front)?, row["later_uris"], "{row}");
        compared += 1;
    }
    assert_eq!(compared, 10);
    Ok(())
}

/// The recorded manifests, each route with its position as its name; what is no pattern for us is returned beside them.
pub(crate) fn recorded(document: &Value) -> Outcome<(Vec<Arc<Manifest>>, Vec<String>)> {
    let (mut manifests, mut refused) = (Vec::new(), Vec::new());
    for (service, routes) in document["resolve_manifests"].as_object().ok_or("no manifests")? {
        let mut declared = Vec::new();
        for (position, route) in routes.as_array().ok_or("no routes")?.iter().enumerate() {
            let (Some(method), Some(uri)) = (route[0].as_str(), route[1].as_str()) else {
                return Err(format!("no route: {route}").into());
            };
            match Pattern::parse(uri) {
                Ok(pattern) => {
                    let mut route = Route::new(method.parse()?, pattern);
                    route.name = Some(position.to_string());
                    declared.push(route);
                }
                Err(_) => refused.push(uri.to_owned()),
            }
        }
        manifests.push(Arc::new(Manifest::new(ServiceName::parse(service)?, declared, UnixMillis(0))));
    }
    Ok((manifests, refused))
}

#[test]
fn methods_and_targets_resolve_as_the_packages_but_for_the_listed_cases() -> Outcome {
    let document = document()?;
    let (manifests, refused) = recorded(&document)?;
    assert_eq!(refused, ["/api/br{ace", "/api/empty{}"]);
    let table = RouteTable::build(&manifests, &TableSettings::default());

    let mut different = Vec::new();
    let rows = list(&document, "resolve")?;
    assert_eq!(rows.len(), 40);
    for row in rows {
        let (method, target) = (text(row, "method")?, text(row, "uri")?);
        let theirs = match &row["result"] {
            Value::Null => "none".to_owned(),
            found => format!("{} {} #{}", text(found, "service")?, text(found, "uri")?, found["tag"]),
        };
        let ours = match table.resolve(&method.parse()?, target) {
            Resolution::Found(entry) => {
                format!("{} {} #{}", entry.service, entry.uri, entry.route.name.clone().unwrap_or_default())
            }
            Resolution::MethodNotAllowed(methods) => {
                methods.iter().map(Method::as_str).collect::<Vec<_>>().join(",")
            }
            Resolution::NotFound => "none".to_owned(),
        };
        if ours != theirs {
            different.push((method, target, ours));
        }
    }
    let listed: Vec<_> =
        DIFFERENT.iter().map(|(method, target, ours, _)| (*method, *target, (*ours).to_owned())).collect();
    assert_eq!(different, listed);
    Ok(())
}
