//! Routes looked up by hand, in the package's recorded cases (tests/vectors/manifest.rs lists where its table differs).

use std::{sync::Arc, time::Duration};

use mesh_core::{
    clock::SystemClock,
    route::TableSettings,
    store::{ManifestStore as _, MemoryStore},
};
use mesh_gateway::RouteRegistry;
use serde_json::Value;

use crate::manifest::{ALLOW, DIFFERENT, METHOD_CASE, Outcome, document, list, recorded, text};

/// Where the registry, unlike the table, is given a whole target: target, our answer, why.
const TARGETS: &[(&str, &str, &str)] = &[
    (
        "/api/products?x=1",
        "oms /api/products #1",
        "a query decides no route; the package takes it for part of the path",
    ),
    ("/api/products/a%2Fb", "none", "a gateway refuses an encoded slash (docs/refusals.md, row 56)"),
    ("/api/products/a b", "none", "a blank is encoded on the wire (docs/refusals.md, row 58)"),
    ("/api/products/ü", "none", "what is not ASCII is encoded on the wire (docs/refusals.md, row 58)"),
];

#[tokio::test]
async fn the_registry_resolves_the_recorded_cases_as_the_package_but_for_the_listed_ones() -> Outcome {
    let document = document()?;
    let (manifests, _) = recorded(&document)?;
    let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    for manifest in &manifests {
        store.put(&manifest.service, manifest.to_json().into(), Duration::from_secs(300)).await?;
    }
    let registry = RouteRegistry::load(store, TableSettings::default()).await?;
    assert_eq!(registry.all_manifests().len(), manifests.len());

    let mut different = Vec::new();
    let rows = list(&document, "resolve")?;
    assert_eq!(rows.len(), 40);
    for row in rows {
        let (method, target) = (text(row, "method")?, text(row, "uri")?);
        let theirs = match &row["result"] {
            Value::Null => "none".to_owned(),
            found => format!("{} {} #{}", text(found, "service")?, text(found, "uri")?, found["tag"]),
        };
        let ours = registry.resolve(method, target).map_or_else(
            || "none".to_owned(),
            |route| {
                format!("{} {} #{}", route.service(), route.gateway_uri(), route.name().unwrap_or_default())
            },
        );
        if ours != theirs {
            different.push((method, target, ours));
        }
    }
    // The table tells a 405 from a 404; the registry has no route for both, as the package.
    let targets = TARGETS.iter().map(|(target, ours, _)| ("GET", *target, (*ours).to_owned()));
    let mut listed: Vec<_> = DIFFERENT
        .iter()
        .filter(|(.., reason)| *reason != ALLOW)
        .map(|(method, target, ours, reason)| {
            let ours = if *reason == METHOD_CASE { "none" } else { *ours };
            (*method, *target, ours.to_owned())
        })
        .chain(targets)
        .collect();
    listed.sort_unstable();
    different.sort_unstable();
    assert_eq!(different, listed);
    Ok(())
}
