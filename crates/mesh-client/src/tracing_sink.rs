//! A sink that writes events into the log, through `tracing`.

use mesh_core::{
    event::{Event, EventSink},
    health::BreakerState,
};

/// Writes each event as one line of the target `mesh::event`, with the event's name and fields, but for an idempotency key,
/// which is its caller's own. A service that is unavailable and an instance that opens are warnings, the rest is information.
///
/// Blocks as long as the subscriber does. Where that may be long (a terminal, a pipe), put a
/// [`ChannelSink`](mesh_core::event::ChannelSink) in front, and emit here what its receiver gives.
#[derive(Clone, Copy, Debug, Default)]
pub struct TracingSink;

/// The target of every line.
const TARGET: &str = "mesh::event";

impl EventSink for TracingSink {
    fn emit(&self, event: Event) {
        let name = event.name();
        match event {
            Event::ServiceRequestFailed { service, url, method, path, status, message } => {
                tracing::info!(target: TARGET, %service, %url, %method, path, status, reason = message, "{name}");
            }
            Event::ServiceBecameUnavailable { service, message } => {
                tracing::warn!(target: TARGET, %service, reason = message, "{name}");
            }
            Event::ServiceHealthChanged { service, url, from, to } => {
                let (from, is_open) = (from.as_str(), to == BreakerState::Open);
                let to = to.as_str();
                if is_open {
                    tracing::warn!(target: TARGET, %service, %url, from, to, "{name}");
                } else {
                    tracing::info!(target: TARGET, %service, %url, from, to, "{name}");
                }
            }
            Event::HealthCheckFailed { service, url, failures } => {
                tracing::info!(target: TARGET, %service, %url, failures, "{name}");
            }
            Event::RoutesRegistered { service, routes } | Event::ManifestReceived { service, routes } => {
                tracing::info!(target: TARGET, %service, routes, "{name}");
            }
            Event::IdempotentRequestDetected { key: _, method, path } => {
                tracing::info!(target: TARGET, %method, path, "{name}");
            }
            // A later version's fact: its fields are not known here.
            other => tracing::info!(target: TARGET, event = ?other, "{name}"),
        }
    }
}
