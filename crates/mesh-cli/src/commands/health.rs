//! `mesh health`: the table of every configured or registered instance, and whether all is well.

mod watch;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    client,
    state::{Document, State},
};
use crate::{
    args::{FailOn, Health},
    exit::{Exit, Failure},
    output::Output,
    settings::Settings,
};

pub(crate) fn run(health: &Health, settings: &Settings, output: &Output) -> Result<Exit, Failure> {
    let state = State::choose(&health.from, settings)?;
    if health.watch {
        return client::runtime()?.block_on(watch::run(&state, health.fail_on, output));
    }
    let document = match state.read(&Document::Instances) {
        // Nobody named a service, a store or a gateway: nothing is missing where nothing is meant to be.
        Err(failure) if failure.exit == Exit::Unreachable && is_bare(health, settings) => {
            output.message(format_args!(
                "the settings name no services and no store, and {}",
                failure.lines.join("; ")
            ));
            json!({ "services": [] })
        }
        answer => answer?,
    };
    let instances = document["services"].as_array().cloned().unwrap_or_default();
    if output.json {
        output.document(&document);
    } else {
        table(&instances, output);
    }
    Ok(judge(&instances, health.fail_on))
}

/// Whether neither the command nor the settings say whose health is asked for.
fn is_bare(health: &Health, settings: &Settings) -> bool {
    health.from.admin.is_none()
        && settings.redis.is_none()
        && settings.services.is_empty()
        && !settings.gateway.names_admin
}

fn table(instances: &[Value], output: &Output) {
    if instances.is_empty() {
        return output.line("No services configured.");
    }
    let rows: Vec<_> = instances.iter().map(row).collect();
    output.table(&["Service", "URL", "Failures", "Last Failure", "Status"], &rows);
}

/// 1 when some service has no healthy instance, or with `degraded` when any instance is not healthy.
fn judge(instances: &[Value], fail_on: FailOn) -> Exit {
    let mut has_healthy: BTreeMap<&str, bool> = BTreeMap::new();
    for instance in instances {
        let is_healthy = instance["status"] == "healthy";
        *has_healthy.entry(instance["service"].as_str().unwrap_or_default()).or_default() |= is_healthy;
    }
    let is_good = match fail_on {
        FailOn::Unhealthy => has_healthy.values().all(|healthy| *healthy),
        FailOn::Degraded => instances.iter().all(|instance| instance["status"] == "healthy"),
    };
    if is_good { Exit::Ok } else { Exit::Problem }
}

fn row(instance: &Value) -> Vec<String> {
    let text = |key: &str| instance[key].as_str().unwrap_or_default().to_owned();
    let last_failure = instance["last_failure"]
        .as_i64()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .map_or_else(|| "-".to_owned(), |moment| moment.strftime("%Y-%m-%d %H:%M:%S").to_string());
    vec![text("service"), text("url"), instance["failures"].to_string(), last_failure, text("status")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(states: &[(&str, &str)], fail_on: FailOn, expected: Exit) {
        let instances: Vec<_> =
            states.iter().map(|(service, status)| json!({ "service": service, "status": status })).collect();
        assert_eq!(judge(&instances, fail_on), expected, "{states:?}");
    }

    #[test]
    fn a_service_without_a_healthy_instance_is_a_problem() {
        check(&[], FailOn::Unhealthy, Exit::Ok);
        check(&[("a", "healthy"), ("a", "unhealthy")], FailOn::Unhealthy, Exit::Ok);
        check(&[("a", "healthy"), ("b", "unhealthy")], FailOn::Unhealthy, Exit::Problem);
        check(&[("a", "half_open")], FailOn::Unhealthy, Exit::Problem);
    }

    #[test]
    fn with_degraded_any_instance_that_is_not_healthy_is_a_problem() {
        check(&[("a", "healthy"), ("a", "half_open")], FailOn::Degraded, Exit::Problem);
        check(&[("a", "healthy"), ("b", "healthy")], FailOn::Degraded, Exit::Ok);
    }

    #[test]
    fn times_are_utc() {
        let row = row(
            &json!({ "service": "a", "url": "u", "failures": 3, "last_failure": 1_795_220_372, "status": "unhealthy" }),
        );
        assert_eq!(row, ["a", "u", "3", "2026-11-21 00:19:32", "unhealthy"]);
    }
}
