//! What the log says of events.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
};

use http::Method;
use mesh_core::{
    event::{Event, EventSink as _},
    health::BreakerState,
    service::BaseUrl,
};
use tracing::{
    Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use super::name;
use crate::TracingSink;

/// Keeps each line as `LEVEL target key=value ...`.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = Line(format!("{} {}", event.metadata().level(), event.metadata().target()));
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[test]
fn each_of_the_seven_events_is_one_line_with_its_name_and_fields() {
    let (service, url) = (name("pim"), BaseUrl::parse("http://h:1").unwrap());
    let changed = |from, to| Event::ServiceHealthChanged {
        service: name("pim"),
        url: BaseUrl::parse("http://h:1").unwrap(),
        from,
        to,
    };
    let events = [
        Event::ServiceRequestFailed {
            service: service.clone(),
            url: url.clone(),
            method: Method::GET,
            path: "/o".to_owned(),
            status: Some(502),
            message: "status 502".to_owned(),
        },
        Event::ServiceBecameUnavailable { service: service.clone(), message: "gone".to_owned() },
        changed(BreakerState::Closed, BreakerState::Open),
        changed(BreakerState::Open, BreakerState::Closed),
        Event::HealthCheckFailed { service: service.clone(), url, failures: 3 },
        Event::RoutesRegistered { service: service.clone(), routes: 2 },
        Event::ManifestReceived { service, routes: 2 },
        Event::IdempotentRequestDetected { key: "k".to_owned(), method: Method::POST, path: "/o".to_owned() },
    ];
    let lines = Lines::default();
    tracing::subscriber::with_default(lines.clone(), || {
        events.into_iter().for_each(|event| TracingSink.emit(event));
    });
    let expected = [
        "INFO mesh::event message=ServiceRequestFailed service=pim url=http://h:1 method=GET path=\"/o\" status=502 reason=\"status 502\"",
        "WARN mesh::event message=ServiceBecameUnavailable service=pim reason=\"gone\"",
        "WARN mesh::event message=ServiceHealthChanged service=pim url=http://h:1 from=\"healthy\" to=\"unhealthy\"",
        "INFO mesh::event message=ServiceHealthChanged service=pim url=http://h:1 from=\"unhealthy\" to=\"healthy\"",
        "INFO mesh::event message=HealthCheckFailed service=pim url=http://h:1 failures=3",
        "INFO mesh::event message=RoutesRegistered service=pim routes=2",
        "INFO mesh::event message=ManifestReceived service=pim routes=2",
        "INFO mesh::event message=IdempotentRequestDetected method=POST path=\"/o\"",
    ];
    assert_eq!(*lines.0.lock().unwrap(), expected);
}
