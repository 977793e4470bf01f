//! `mesh explain`: which route wins for a request, which lost and why, and where it would go.

use mesh_core::{forward::Target, name::ServiceName};
use serde_json::Value;

use super::{
    method,
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
    let document = State::choose(&explain.from, settings)?.read(&Document::Explain { method, path })?;
    let is_matched = !document["matched"].is_null();
    if output.json {
        output.document(&document);
    } else {
        print(&document, output);
        if let (None, Some(service)) = (&explain.from.admin, document["matched"]["service"].as_str()) {
            policies(service, settings, output);
        }
    }
    Ok(if is_matched { Exit::Ok } else { Exit::Problem })
}

fn print(document: &Value, output: &Output) {
    let matched = &document["matched"];
    if matched.is_null() {
        output.line("No route matches.");
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
    list(document, "candidates", "Candidates that lost", output, |candidate| {
        let of = |key: &str| candidate[key].as_str().unwrap_or_default();
        format!("{} {} ({}): {}", of("method"), of("uri"), of("service"), of("reason"))
    });
    list(document, "instances", "Instances", output, |instance| {
        format!(
            "{} {}",
            instance["url"].as_str().unwrap_or_default(),
            instance["status"].as_str().unwrap_or_default()
        )
    });
}

/// How the service is called by these settings; what the route declares stands in its metadata.
fn policies(service: &str, settings: &Settings, output: &Output) {
    let configured = ServiceName::parse(service)
        .ok()
        .and_then(|name| settings.services.iter().find(|service| service.name == name));
    let timeout = configured.and_then(|service| service.timeout).unwrap_or(settings.defaults.timeout);
    let retries = configured.and_then(|service| service.retries).unwrap_or(settings.defaults.retry.retries);
    let deadline = settings.defaults.deadline.unwrap_or(timeout.saturating_mul(3));
    output.line("Policies:");
    output.line(format_args!(
        "  {} s for one attempt, {retries} further attempts per instance, {} s for the whole call",
        timeout.as_secs_f64(),
        deadline.as_secs_f64()
    ));
    output.line(format_args!(
        "  an instance is unhealthy after {} failures, for {} s",
        settings.health.failure_threshold(),
        settings.health.recovery_timeout().as_secs_f64()
    ));
}

fn list(document: &Value, key: &str, title: &str, output: &Output, line: impl Fn(&Value) -> String) {
    let Some(entries) = document[key].as_array().filter(|entries| !entries.is_empty()) else { return };
    output.line(format_args!("{title}:"));
    for entry in entries {
        output.line(format_args!("  {}", line(entry)));
    }
}
