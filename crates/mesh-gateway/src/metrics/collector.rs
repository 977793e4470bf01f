//! The figures as Prometheus text, read when somebody asks.

use std::{fmt::Error, sync::Arc};

use mesh_core::{clock::Tick, health::BreakerState};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, NoLabelSet, text},
    metrics::MetricType,
    registry::Registry,
};

use crate::gateway::Shared;

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
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        self.routes(&mut encoder)?;
        self.refusals(&mut encoder)?;
        self.instances(&mut encoder)?;
        let snapshot = self.0.snapshot.load();
        let age = if snapshot.built == Tick::default() {
            0.0
        } else {
            self.0.clock.monotonic().since(snapshot.built).as_secs_f64()
        };
        gauge(&mut encoder, "mesh_snapshot_age_seconds", "Age of the routes being served", age)?;
        let routes = count(snapshot.table.entries().len());
        gauge(&mut encoder, "mesh_routes", "Routes being served", routes)?;
        let quarantined = count(snapshot.quarantined.len());
        gauge(&mut encoder, "mesh_manifests_quarantined", "Manifests that are not served", quarantined)?;
        let refused = count(snapshot.table.refused().len());
        gauge(&mut encoder, "mesh_routes_refused", "Routes that another service keeps", refused)?;
        let is_up = f64::from(u8::from(self.0.metrics.store_is_up()));
        gauge(&mut encoder, "mesh_store_up", "Whether the store answered last", is_up)?;
        let ready = f64::from(u8::from(self.0.is_ready()));
        gauge(&mut encoder, "mesh_ready", "Whether the gateway takes requests", ready)?;
        let (broken, unsigned) = (self.0.metrics.broken_bodies(), self.0.metrics.unsigned_bodies());
        let help = "Attempts whose signature left a multipart body out, as a PHP receiver wants it";
        counter(&mut encoder, "mesh_unsigned_bodies", help, unsigned)?;
        let help = "Answers under a key that the store does not have";
        counter(&mut encoder, "mesh_idempotency_not_stored", help, self.0.idempotency.not_stored())?;
        let help = "Answers that broke off while they were passed on";
        counter(&mut encoder, "mesh_broken_bodies", help, broken)
    }
}

impl Figures {
    fn routes(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let routes = self.0.metrics.routes();
        let mut metric =
            encoder.encode_descriptor("mesh_requests", "Answers by class", None, MetricType::Counter)?;
        for ((service, method, route), figures) in &routes {
            for (class, number) in figures.classes() {
                let labels = [
                    ("service", service.as_str()),
                    ("method", method.as_str()),
                    ("route", route.as_str()),
                    ("class", class),
                ];
                metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&number, None)?;
            }
        }
        let mut metric =
            encoder.encode_descriptor("mesh_attempts", "Attempts made", None, MetricType::Counter)?;
        for (key, figures) in &routes {
            let labels = labels(key);
            metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&figures.attempts(), None)?;
        }
        let mut metric = encoder.encode_descriptor(
            "mesh_failovers",
            "Further instances that calls went to",
            None,
            MetricType::Counter,
        )?;
        for (key, figures) in &routes {
            let labels = labels(key);
            metric
                .encode_family(&labels)?
                .encode_counter::<NoLabelSet, _, u64>(&figures.failovers(), None)?;
        }
        let mut metric = encoder.encode_descriptor(
            "mesh_request_seconds",
            "Time to the head of the answer",
            None,
            MetricType::Histogram,
        )?;
        for (key, figures) in &routes {
            let read = figures.durations.read();
            let labels = labels(key);
            metric.encode_family(&labels)?.encode_histogram::<NoLabelSet>(
                read.sum_seconds,
                read.count,
                &read.buckets,
                None,
            )?;
        }
        Ok(())
    }

    fn refusals(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut metric =
            encoder.encode_descriptor("mesh_refusals", "Refusals by code", None, MetricType::Counter)?;
        for (code, number) in self.0.metrics.refusals.counted() {
            metric
                .encode_family(&[("code", code.as_str())])?
                .encode_counter::<NoLabelSet, _, u64>(&number, None)?;
        }
        Ok(())
    }

    fn instances(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let now = self.0.clock.monotonic();
        let snapshot = self.0.snapshot.load();
        let mut metric = encoder.encode_descriptor(
            "mesh_instance_healthy",
            "1 healthy, 0.5 half open, 0 unhealthy",
            None,
            MetricType::Gauge,
        )?;
        for (name, service) in &snapshot.services {
            for instance in service.view.instances() {
                let state = match instance.state(&self.0.health, now) {
                    BreakerState::Closed => 1.0,
                    BreakerState::HalfOpen => 0.5,
                    BreakerState::Open => 0.0,
                };
                let labels = [("service", name.as_str()), ("url", instance.instance().url.as_str())];
                metric.encode_family(&labels)?.encode_gauge(&state)?;
            }
        }
        Ok(())
    }
}

fn labels(key: &super::RouteKey) -> impl EncodeLabelSet {
    [("service", key.0.as_str().to_owned()), ("method", key.1.clone()), ("route", key.2.clone())]
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

fn counter(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> Result<(), Error> {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    metric.encode_counter::<NoLabelSet, _, u64>(&value, None)
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: f64) -> Result<(), Error> {
    encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
}
