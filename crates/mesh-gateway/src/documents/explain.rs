//! Which route a request takes, and why; or what the gateway answers itself.

use std::sync::Arc;

use http::{Method, StatusCode};
use mesh_core::{
    error::Code,
    forward::{Target, target::TargetError},
    name::ServiceName,
    route::{Manifest, Resolution, RouteTable, table::Entry, wire::MANIFEST_PATH},
};
use serde_json::{Map, Value, json};

use super::{InstanceRow, policies::policies};
use crate::{
    error::{allow, status},
    settings::GatewaySettings,
};

/// The methods that the gateway knows, as its door lists them.
const METHODS: [Method; 7] =
    [Method::DELETE, Method::GET, Method::HEAD, Method::OPTIONS, Method::PATCH, Method::POST, Method::PUT];

/// What is said of one request.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// `{"matched":{…}|null,"answer":{…}|null,"candidates":[…],"instances":[…]}`; `answer` is what the gateway says
    /// itself where no route takes the request: `{"status","code","allow"}`.
    pub document: Value,
    /// The route that takes the request.
    winner: Option<Arc<Entry>>,
}

impl Explanation {
    /// Adds the manifests that are not served and why, as `"quarantined":[{"service","reason"}]`: a route that is missed
    /// may stand in one of them.
    #[must_use]
    pub fn with_quarantined<'q>(
        mut self,
        quarantined: impl IntoIterator<Item = (&'q ServiceName, &'q str)>,
    ) -> Self {
        let rows: Vec<_> = quarantined
            .into_iter()
            .map(|(service, reason)| json!({ "service": service, "reason": reason }))
            .collect();
        self.document["quarantined"] = rows.into();
        self
    }

    /// Adds the numbers that apply where a route takes the request, by `settings` and the manifest that declares it, as
    /// `"policies":{…}` (docs/commands.md).
    #[must_use]
    pub fn with_policies(mut self, settings: &GatewaySettings, manifests: &[Arc<Manifest>]) -> Self {
        let entry = self.winner.as_ref();
        let declared = entry.and_then(|entry| {
            let manifest = manifests.iter().find(|manifest| manifest.service == entry.service)?;
            Some((manifest, &entry.route))
        });
        if let Some((manifest, route)) = declared {
            self.document["policies"] = policies(settings, manifest, route);
        }
        self
    }
}

/// Explains `method` `target` (a path, with or without query). `instances` are the rows of every service; those of the
/// service that answers are shown.
#[must_use]
pub fn explain(table: &RouteTable, instances: &[InstanceRow], method: &Method, target: &str) -> Explanation {
    let target = Target::parse(target);
    let own = own_answer(table, method, target.as_ref());
    let path = target.as_ref().map_or("", |target| target.path());
    let candidates = if path.is_empty() { Vec::new() } else { table.explain(method, path) };
    let winner = candidates.iter().find(|candidate| candidate.reason.is_none() && own.is_none());
    let rows: Vec<_> = instances
        .iter()
        .filter(|row| winner.is_some_and(|winner| winner.entry.service == row.service))
        .map(|row| json!({ "url": row.url.as_str(), "status": row.status.as_str() }))
        .collect();
    let lost: Vec<_> = candidates
        .iter()
        .filter_map(|candidate| {
            let reason = match &candidate.reason {
                Some(reason) => reason,
                None if own.is_some() => "the gateway keeps this path for registrations",
                None => return None,
            };
            Some(json!({
                "service": candidate.entry.service,
                "method": candidate.entry.route.method.as_str(),
                "uri": candidate.entry.uri.as_str(),
                "reason": reason,
            }))
        })
        .collect();
    let matched = winner.map_or(Value::Null, |winner| matched(&winner.entry, path));
    let winner = winner.map(|winner| Arc::clone(&winner.entry));
    let document = json!({ "matched": matched, "answer": own, "candidates": lost, "instances": rows });
    Explanation { document, winner }
}

/// What the gateway answers itself, once routes are loaded; `None` where a route takes the request.
fn own_answer(
    table: &RouteTable,
    method: &Method,
    target: Result<&Target<'_>, &TargetError>,
) -> Option<Value> {
    let refused = |code: Code, methods: Option<&[Method]>| {
        let status = status(code).as_u16();
        Some(json!({ "status": status, "code": code.as_str(), "allow": methods.map(allow) }))
    };
    let listed = |methods: &[Method]| {
        if *method == Method::OPTIONS {
            let status = StatusCode::NO_CONTENT.as_u16();
            return Some(json!({ "status": status, "code": null, "allow": allow(methods) }));
        }
        refused(Code::MethodNotAllowed, Some(methods))
    };
    if !METHODS.contains(method) {
        return refused(Code::MethodNotAllowed, Some(&METHODS));
    }
    let target = match target {
        Ok(target) => target,
        Err(error) => return refused(error.code(), None),
    };
    if target.path().trim_end_matches('/') == MANIFEST_PATH {
        if *method == Method::POST {
            return Some(json!({ "status": StatusCode::OK.as_u16(), "code": null, "allow": null }));
        }
        return listed(&[Method::OPTIONS, Method::POST]);
    }
    match table.resolve(method, target.path()) {
        Resolution::Found(_) => None,
        Resolution::MethodNotAllowed(methods) => listed(&methods),
        Resolution::NotFound => refused(Code::RouteNotFound, None),
    }
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
