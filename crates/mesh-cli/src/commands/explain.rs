//! `mesh explain`: which route wins for a request, which lost and why, and where it would go.

use mesh_core::forward::Target;
use serde_json::Value;

use super::{
    method, policies,
    state::{Document, State},
};
use crate::{
    args::Explain,
    exit::{Exit, Failure},
    output::Output,
    settings::Settings,
};

pub(crate) fn run(explain: &Explain, settings: &Settings, output: &Output) -> Result<Exit, Failure> {
    let method = method(&explain.method)?;
    if !explain.path.starts_with('/') {
        return Err(Failure::usage(format!("{:?} is no path: it begins with '/'", explain.path)));
    }
    let path = explain.path.split(['?', '#']).next().unwrap_or_default().to_owned();
    if let Err(error) = Target::parse(&path) {
        output.message(format_args!("a gateway refuses such a request: {error}"));
    }
    let state = State::of_files(&explain.files.manifests, &explain.from, settings)?;
    let document = state.read(&Document::Explain { method, path })?;
    let is_matched = !document["matched"].is_null();
    if output.json {
        output.document(&document);
    } else {
        print(&document, output);
    }
    Ok(if is_matched { Exit::Ok } else { Exit::Problem })
}

fn print(document: &Value, output: &Output) {
    let matched = &document["matched"];
    if matched.is_null() {
        output.line("No route matches.");
        answer(&document["answer"], output);
    } else {
        let of = |key: &str| matched[key].as_str().unwrap_or_default();
        output.line(format_args!("{} {} goes to {}", of("method"), of("uri"), of("service")));
        output.line(format_args!("  declared as   {}", of("service_uri")));
        output.line(format_args!("  service path  {}", of("service_path")));
        for (title, key) in [("parameters", "parameters"), ("metadata", "metadata")] {
            if matched[key].as_object().is_some_and(|fields| !fields.is_empty()) {
                output.line(format_args!("  {title:<13} {}", matched[key]));
            }
        }
    }
    let of = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    list(document, "candidates", "Candidates that lost", output, |row| {
        format!("{} {} ({}): {}", of(row, "method"), of(row, "uri"), of(row, "service"), of(row, "reason"))
    });
    list(document, "quarantined", "Manifests that are not served", output, |row| {
        format!("{}: {}", of(row, "service"), of(row, "reason"))
    });
    list(document, "instances", "Instances", output, |row| {
        format!("{} {}", of(row, "url"), of(row, "status"))
    });
    if document["policies"].is_object() {
        output.line("Policies:");
        for line in policies::lines(&document["policies"]) {
            output.line(format_args!("  {line}"));
        }
    }
}

/// What the gateway says itself; older ones do not tell.
fn answer(answer: &Value, output: &Output) {
    let Some(status) = answer["status"].as_u64() else { return };
    let code = answer["code"].as_str().map(|code| format!(" {code}")).unwrap_or_default();
    let allow = answer["allow"].as_str().map(|allow| format!(", Allow: {allow}")).unwrap_or_default();
    output.line(format_args!("The gateway answers itself: {status}{code}{allow}"));
}

fn list(document: &Value, key: &str, title: &str, output: &Output, line: impl Fn(&Value) -> String) {
    let Some(entries) = document[key].as_array().filter(|entries| !entries.is_empty()) else { return };
    output.line(format_args!("{title}:"));
    for entry in entries {
        output.line(format_args!("  {}", line(entry)));
    }
}
