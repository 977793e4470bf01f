//! How often the log repeats itself: what each request of an outage would say is written once in a second, with a count.

use std::{collections::BTreeMap, time::Duration};

use mesh_core::{clock::Tick, event::Event, name::ServiceName};

/// One line of an event and a service in so long.
pub(super) const PERIOD: Duration = Duration::from_secs(1);

type Key = (&'static str, Option<ServiceName>);

/// What was written of late, and what was left out since.
#[derive(Debug, Default)]
pub(super) struct Pace(BTreeMap<Key, Written>);

#[derive(Debug)]
struct Written {
    at: Tick,
    left_out: u64,
    warns: bool,
}

/// How many lines were not written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LeftOut {
    /// The events' name.
    pub(super) name: &'static str,
    /// The service that they are about.
    pub(super) service: Option<ServiceName>,
    /// How many there were.
    pub(super) count: u64,
    /// Whether they are warnings.
    pub(super) warns: bool,
}

impl Pace {
    /// Whether `event` is written; else it is counted.
    pub(super) fn admits(&mut self, event: &Event, now: Tick) -> bool {
        let Some(key) = key(event) else { return true };
        if let Some(written) = self.0.get_mut(&key)
            && now.since(written.at) < PERIOD
        {
            written.left_out += 1;
            return false;
        }
        let warns = matches!(event, Event::ServiceBecameUnavailable { .. });
        self.0.insert(key, Written { at: now, left_out: 0, warns });
        true
    }

    /// Whether something was left out that nobody was told of yet.
    pub(super) fn is_owing(&self) -> bool {
        self.0.values().any(|written| written.left_out > 0)
    }

    /// What was left out, where its period is over; each is told once.
    pub(super) fn due(&mut self, now: Tick) -> Vec<LeftOut> {
        let mut due = Vec::new();
        for ((name, service), written) in &mut self.0 {
            if written.left_out > 0 && now.since(written.at) >= PERIOD {
                let (service, warns) = (service.clone(), written.warns);
                due.push(LeftOut { name, service, count: written.left_out, warns });
                *written = Written { at: now, left_out: 0, warns };
            }
        }
        due
    }
}

/// What is one fact to a reader: each of these may come with every request.
fn key(event: &Event) -> Option<Key> {
    match event {
        Event::ServiceRequestFailed { service, .. } | Event::ServiceBecameUnavailable { service, .. } => {
            Some((event.name(), Some(service.clone())))
        }
        Event::IdempotentRequestDetected { .. } => Some((event.name(), None)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gone(service: &str) -> Event {
        let service = ServiceName::parse(service).unwrap();
        Event::ServiceBecameUnavailable { service, message: "gone".to_owned() }
    }

    fn seconds(n: u64) -> Tick {
        Tick::default().after(Duration::from_secs(n))
    }

    #[test]
    fn an_outage_is_written_once_in_a_second_for_each_service_and_the_rest_is_counted() {
        let mut pace = Pace::default();
        let written = (0..500).filter(|_| pace.admits(&gone("pim"), seconds(1))).count();
        assert_eq!(written, 1);
        assert!(pace.admits(&gone("oms"), seconds(1)), "another service's outage is another fact");
        assert!(pace.is_owing());
        assert_eq!(pace.due(seconds(1)), [], "the second is not over");
        let service = Some(ServiceName::parse("pim").unwrap());
        let told = LeftOut { name: "ServiceBecameUnavailable", service, count: 499, warns: true };
        assert_eq!(pace.due(seconds(2)), [told]);
        assert!(!pace.is_owing(), "each is told once");
        assert!(!pace.admits(&gone("pim"), seconds(2)), "the count was a line of this second");
        assert!(pace.admits(&gone("pim"), seconds(4)));
    }

    #[test]
    fn what_is_rare_is_always_written() {
        let mut pace = Pace::default();
        let registered =
            || Event::RoutesRegistered { service: ServiceName::parse("pim").unwrap(), routes: 1 };
        assert!(pace.admits(&registered(), seconds(1)) && pace.admits(&registered(), seconds(1)));
    }
}
