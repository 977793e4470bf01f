//! `mesh routes`: every route of every manifest, as the gateway serves it.

use serde_json::{Value, json};

use super::state::{Document, State};
use crate::{
    args::Routes,
    exit::{Exit, Failure},
    output::Output,
    settings::Settings,
};

pub(crate) fn run(routes: &Routes, settings: &Settings, output: &Output) -> Result<Exit, Failure> {
    let document =
        State::of_files(&routes.files.manifests, &routes.from, settings)?.read(&Document::Routes)?;
    let mut listed = document["routes"].as_array().cloned().unwrap_or_default();
    if let Some(service) = &routes.service {
        listed.retain(|route| route["service"] == service.as_str());
    }
    if output.json {
        output.document(&json!({ "routes": listed }));
    } else if listed.is_empty() {
        output.line("No routes registered.");
    } else {
        let rows: Vec<_> = listed.iter().map(row).collect();
        output.table(&["Service", "Method", "URI", "Service URI", "Name", "Metadata"], &rows);
    }
    Ok(Exit::Ok)
}

fn row(route: &Value) -> Vec<String> {
    let text = |key: &str| route[key].as_str().unwrap_or_default().to_owned();
    let metadata = match route["metadata"].as_object() {
        Some(metadata) if !metadata.is_empty() => route["metadata"].to_string(),
        _ => String::new(),
    };
    vec![text("service"), text("method"), text("uri"), text("service_uri"), text("name"), metadata]
}
