//! How the instances are.

use mesh_core::{health::BreakerState, name::ServiceName, service::BaseUrl};
use serde_json::{Value, json};

/// One instance of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceRow {
    /// The service.
    pub service: ServiceName,
    /// How the instance is reached.
    pub url: BaseUrl,
    /// Failures on record.
    pub failures: u32,
    /// When the last one was, Unix seconds.
    pub last_failure: Option<u64>,
    /// Its breaker.
    pub status: BreakerState,
}

/// What all instances together are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All are healthy, and so is the store.
    Healthy,
    /// Some instance or the store is not.
    Degraded,
    /// No instance of some service is.
    Unhealthy,
}

impl Verdict {
    /// The word in the report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// `{"services":[{"service","url","failures","last_failure","status"}]}`
#[must_use]
pub fn health(rows: &[InstanceRow]) -> Value {
    json!({ "services": rows.iter().map(row).collect::<Vec<_>>() })
}

/// What the rows say together. Unhealthy: there are instances, and none of any service is healthy. Degraded: some instance
/// or the store is not.
#[must_use]
pub fn verdict(rows: &[InstanceRow], store_is_up: bool) -> Verdict {
    let is_healthy = |row: &InstanceRow| row.status == BreakerState::Closed;
    if !rows.is_empty() && !rows.iter().any(is_healthy) {
        Verdict::Unhealthy
    } else if store_is_up && rows.iter().all(is_healthy) {
        Verdict::Healthy
    } else {
        Verdict::Degraded
    }
}

/// The gateway's report: `{"status","store","services":[{"service","status"}],"instances":[…]}`; the instances have the
/// shape of [`health`]'s rows.
#[must_use]
pub fn report(rows: &[InstanceRow], store_is_up: bool) -> Value {
    let mut names: Vec<_> = rows.iter().map(|row| &row.service).collect();
    names.dedup();
    let services: Vec<_> = names
        .into_iter()
        .map(|name| {
            let own: Vec<_> = rows.iter().filter(|row| row.service == *name).cloned().collect();
            json!({ "service": name, "status": verdict(&own, true).as_str() })
        })
        .collect();
    json!({
        "status": verdict(rows, store_is_up).as_str(),
        "store": if store_is_up { "up" } else { "down" },
        "services": services,
        "instances": rows.iter().map(row).collect::<Vec<_>>(),
    })
}

fn row(row: &InstanceRow) -> Value {
    json!({
        "service": row.service,
        "url": row.url.as_str(),
        "failures": row.failures,
        "last_failure": row.last_failure,
        "status": row.status.as_str(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(service: &str, status: BreakerState) -> InstanceRow {
        InstanceRow {
            service: ServiceName::parse(service).unwrap(),
            url: BaseUrl::parse("http://127.0.0.1:1").unwrap(),
            failures: 0,
            last_failure: None,
            status,
        }
    }

    #[test]
    fn without_any_healthy_instance_all_is_unhealthy() {
        let (good, bad, half) = (BreakerState::Closed, BreakerState::Open, BreakerState::HalfOpen);
        assert_eq!(verdict(&[], true), Verdict::Healthy);
        assert_eq!(verdict(&[], false), Verdict::Degraded);
        assert_eq!(verdict(&[instance("a", good), instance("a", bad)], true), Verdict::Degraded);
        assert_eq!(verdict(&[instance("a", good), instance("b", half)], true), Verdict::Degraded);
        assert_eq!(verdict(&[instance("a", bad), instance("b", half)], true), Verdict::Unhealthy);
        assert_eq!(verdict(&[instance("a", good)], false), Verdict::Degraded);
    }

    #[test]
    fn a_row_has_the_fields_of_the_surface() {
        let document = health(&[instance("a", BreakerState::HalfOpen)]);
        assert_eq!(
            document.to_string(),
            r#"{"services":[{"failures":0,"last_failure":null,"service":"a","status":"half_open","url":"http://127.0.0.1:1"}]}"#
        );
    }
}
