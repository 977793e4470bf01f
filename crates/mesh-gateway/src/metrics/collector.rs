//! The figures as Prometheus text, read when somebody asks. Every family is described in docs/metrics.md.

use std::{fmt::Error, sync::Arc};

use mesh_core::{
    clock::Tick,
    health::{BreakerState, view::InstanceView},
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, MetricEncoder, NoLabelSet, text},
    metrics::MetricType,
    registry::{Registry, Unit},
};

use super::{
    RouteKey, Tally,
    cells::KINDS,
    route::{CLASSES, RouteSum},
    sum::Sum,
};
use crate::{gateway::Shared, transport::PoolFigures};

/// All figures of `shared` at this moment.
pub(crate) fn encode(shared: &Arc<Shared>) -> Result<String, Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Figures(Arc::clone(shared))));
    let mut out = String::new();
    text::encode(&mut out, &registry)?;
    Ok(out)
}

#[derive(Debug)]
struct Figures(Arc<Shared>);

impl Collector for Figures {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut page = Page(encoder);
        let sum = Sum::of(&self.0.metrics);
        routes(&mut page, &sum)?;
        instances(&mut page, &sum, &self.0)?;
        pools(&mut page, &sum)?;
        clients(&mut page, &sum)?;
        self.itself(&mut page)
    }
}

/// A family's name, what it says, and where its value stands.
type Figure<'a, T, V> = (&'static str, &'static str, &'a dyn Fn(&T) -> V);

impl Figures {
    /// What the gateway serves, and whether it does.
    fn itself(&self, page: &mut Page<'_>) -> Result<(), Error> {
        let shared = &self.0;
        let snapshot = shared.snapshot.load();
        let age = match snapshot.built == Tick::default() {
            true => 0.0,
            false => shared.clock.monotonic().since(snapshot.built).as_secs_f64(),
        };
        let mut metric =
            page.describe("mesh_snapshot_age", "Age of the routes being served", &Unit::Seconds)?;
        metric.encode_gauge(&age)?;
        page.gauge("mesh_routes", "Routes being served", number(snapshot.table.entries().len()))?;
        page.gauge("mesh_manifests", "Manifests that are known", number(snapshot.manifests.len()))?;
        let quarantined = number(snapshot.quarantined.len());
        page.gauge("mesh_manifests_quarantined", "Manifests that are not served", quarantined)?;
        let refused = number(snapshot.table.refused().len());
        page.gauge("mesh_routes_refused", "Routes that another service keeps", refused)?;
        page.gauge("mesh_store_up", "Whether the store answered last", truth(shared.metrics.store_is_up()))?;
        page.gauge("mesh_ready", "Whether the gateway takes requests", truth(shared.is_ready()))?;
        page.counter(
            "mesh_idempotency_not_stored",
            "Answers under a key that the store does not have",
            shared.idempotency.not_stored(),
        )?;
        let mut metric = page.begin("mesh_build_info", "The version that runs", MetricType::Gauge)?;
        metric.encode_family(&[("version", env!("CARGO_PKG_VERSION"))])?.encode_gauge(&1_i64)
    }
}

fn routes(page: &mut Page<'_>, sum: &Sum) -> Result<(), Error> {
    let mut metric = page.begin("mesh_requests", "Answers by class", MetricType::Counter)?;
    for ((service, method, route), figures) in &sum.routes {
        for (class, count) in CLASSES.iter().zip(figures.classes).filter(|(_, count)| *count > 0) {
            let labels = [
                ("service", service.as_str()),
                ("method", method.as_str()),
                ("route", route.as_str()),
                ("class", *class),
            ];
            metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&count, None)?;
        }
    }
    let counters: [Figure<'_, RouteSum, u64>; 4] = [
        ("mesh_attempts", "Attempts made", &|route| route.attempts),
        ("mesh_retries", "Further attempts at the same instance", &|route| route.retries),
        ("mesh_failovers", "Further instances that calls went to", &|route| route.failovers),
        ("mesh_request_body_bytes", "Bytes of request bodies", &|route| route.request_bytes),
    ];
    for (name, help, read) in counters {
        let mut metric = page.begin(name, help, MetricType::Counter)?;
        for (key, figures) in &sum.routes {
            let labels = labels(key);
            metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&read(figures), None)?;
        }
    }
    let help = "Time to the head of the answer";
    let mut metric = page.0.encode_descriptor(
        "mesh_request_duration",
        help,
        Some(&Unit::Seconds),
        MetricType::Histogram,
    )?;
    for (key, figures) in &sum.routes {
        let (labels, read) = (labels(key), &figures.durations);
        metric.encode_family(&labels)?.encode_histogram::<NoLabelSet>(
            read.sum_seconds(),
            read.count(),
            &read.buckets(),
            None,
        )?;
    }
    Ok(())
}

fn instances(page: &mut Page<'_>, sum: &Sum, shared: &Shared) -> Result<(), Error> {
    let now = shared.clock.monotonic();
    let snapshot = shared.snapshot.load();
    let healthy = |instance: &InstanceView| match instance.state(&shared.health, now) {
        BreakerState::Closed => 1.0,
        BreakerState::HalfOpen => 0.5,
        BreakerState::Open => 0.0,
    };
    let outstanding = |instance: &InstanceView| f64::from(instance.outstanding());
    let gauges: [Figure<'_, InstanceView, f64>; 2] = [
        ("mesh_instance_healthy", "1 healthy, 0.5 half open, 0 unhealthy", &healthy),
        ("mesh_instance_outstanding", "Attempts under way", &outstanding),
    ];
    for (name, help, read) in gauges {
        let mut metric = page.begin(name, help, MetricType::Gauge)?;
        for (service, state) in &snapshot.services {
            for instance in state.view.instances() {
                let labels = [("service", service.as_str()), ("url", instance.instance().url.as_str())];
                metric.encode_family(&labels)?.encode_gauge(&read(instance))?;
            }
        }
    }
    let help = "Failures of instances by kind";
    let mut metric = page.begin("mesh_instance_failures", help, MetricType::Counter)?;
    for ((service, url), counts) in &sum.failures {
        for (kind, count) in KINDS.iter().zip(counts).filter(|(_, count)| **count > 0) {
            let labels = [("service", service.as_str()), ("url", url.as_str()), ("kind", *kind)];
            metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(count, None)?;
        }
    }
    Ok(())
}

fn pools(page: &mut Page<'_>, sum: &Sum) -> Result<(), Error> {
    let help = "Connections to instances that wait for a request";
    let mut metric = page.begin("mesh_pool_idle", help, MetricType::Gauge)?;
    for (origin, figures) in &sum.pools {
        metric.encode_family(&[("origin", &**origin)])?.encode_gauge(&figures.idle)?;
    }
    let counters: [Figure<'_, PoolFigures, u64>; 2] = [
        ("mesh_pool_opened", "Connections opened to instances", &|figures| figures.opened),
        ("mesh_pool_reused", "Attempts over a connection that was open", &|figures| figures.reused),
    ];
    for (name, help, read) in counters {
        let mut metric = page.begin(name, help, MetricType::Counter)?;
        for (origin, figures) in &sum.pools {
            let labels = [("origin", &**origin)];
            metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&read(figures), None)?;
        }
    }
    Ok(())
}

fn clients(page: &mut Page<'_>, sum: &Sum) -> Result<(), Error> {
    let mut metric = page.begin("mesh_refusals", "Refusals by code", MetricType::Counter)?;
    for (code, count) in sum.refusals() {
        let labels = [("code", code.as_str())];
        metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&count, None)?;
    }
    let (opened, closed) = (sum.tally(Tally::Connected), sum.tally(Tally::Disconnected));
    let open = number(usize::try_from(opened.saturating_sub(closed)).unwrap_or(usize::MAX));
    page.gauge("mesh_client_connections", "Open connections of clients", open)?;
    let counters = [
        ("mesh_client_connections_accepted", "Connections that clients opened", Tally::Connected),
        ("mesh_accept_errors", "Connections that could not be accepted", Tally::AcceptFailed),
        ("mesh_broken_bodies", "Answers that broke off while they were passed on", Tally::BodyBroke),
        (
            "mesh_unsigned_bodies",
            "Attempts whose signature left the body out: multipart for a PHP receiver, or streamed",
            Tally::BodyUnsigned,
        ),
        ("mesh_idempotency_replays", "Requests answered from the idempotency store", Tally::Replayed),
        ("mesh_access_log_dropped", "Lines of the access log that found no room", Tally::LineDropped),
    ];
    for (name, help, tally) in counters {
        page.counter(name, help, sum.tally(tally))?;
    }
    Ok(())
}

/// The text under way.
struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn begin<'s>(
        &'s mut self,
        name: &'s str,
        help: &'s str,
        kind: MetricType,
    ) -> Result<MetricEncoder<'s>, Error> {
        self.0.encode_descriptor(name, help, None, kind)
    }

    /// A gauge with a unit.
    fn describe<'s>(
        &'s mut self,
        name: &'s str,
        help: &'s str,
        unit: &'s Unit,
    ) -> Result<MetricEncoder<'s>, Error> {
        self.0.encode_descriptor(name, help, Some(unit), MetricType::Gauge)
    }

    fn gauge(&mut self, name: &str, help: &str, value: f64) -> Result<(), Error> {
        self.begin(name, help, MetricType::Gauge)?.encode_gauge(&value)
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> Result<(), Error> {
        self.begin(name, help, MetricType::Counter)?.encode_counter::<NoLabelSet, _, u64>(&value, None)
    }
}

fn labels(key: &RouteKey) -> impl EncodeLabelSet {
    [("service", key.0.as_str().to_owned()), ("method", key.1.clone()), ("route", key.2.clone())]
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn truth(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}
