//! Which route a request takes, and why.

use http::Method;
use mesh_core::{
    forward::Target,
    route::{RouteTable, table::Entry},
};
use serde_json::{Map, Value, json};

use super::InstanceRow;

/// What is said of one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// `{"matched":{…}|null,"candidates":[…],"instances":[…]}`
    pub document: Value,
    /// Whether a route takes the request.
    pub is_matched: bool,
}

/// Explains `method` `target` (a path, with or without query). `instances` are the rows of every service; those of the
/// service that answers are shown.
#[must_use]
pub fn explain(table: &RouteTable, instances: &[InstanceRow], method: &Method, target: &str) -> Explanation {
    let Ok(target) = Target::parse(target) else {
        let document = json!({ "matched": null, "candidates": [], "instances": [] });
        return Explanation { document, is_matched: false };
    };
    let candidates = table.explain(method, target.path());
    let winner = candidates.iter().find(|candidate| candidate.reason.is_none());
    let rows: Vec<_> = instances
        .iter()
        .filter(|row| winner.is_some_and(|winner| winner.entry.service == row.service))
        .map(|row| json!({ "url": row.url.as_str(), "status": row.status.as_str() }))
        .collect();
    let lost: Vec<_> = candidates
        .iter()
        .filter_map(|candidate| {
            let reason = candidate.reason.as_ref()?;
            Some(json!({
                "service": candidate.entry.service,
                "method": candidate.entry.route.method.as_str(),
                "uri": candidate.entry.uri.as_str(),
                "reason": reason,
            }))
        })
        .collect();
    let matched = winner.map_or(Value::Null, |winner| matched(&winner.entry, target.path()));
    let is_matched = winner.is_some();
    Explanation { document: json!({ "matched": matched, "candidates": lost, "instances": rows }), is_matched }
}

fn matched(entry: &Entry, path: &str) -> Value {
    let parameters: Map<String, Value> = entry
        .uri
        .parameters(path)
        .unwrap_or_default()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect();
    json!({
        "service": entry.service,
        "method": entry.route.method.as_str(),
        "uri": entry.uri.as_str(),
        "service_uri": entry.route.uri.as_str(),
        "service_path": entry.service_path(path),
        "parameters": parameters,
        "metadata": entry.route.metadata,
    })
}
