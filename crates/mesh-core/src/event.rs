//! Facts that the mesh tells whoever listens. A sink never blocks and never fails.

mod channel;

use std::{fmt::Debug, sync::Arc};

use http::Method;

pub use self::channel::ChannelSink;
use crate::{health::BreakerState, name::ServiceName, service::BaseUrl};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// One attempt of a call failed.
    ServiceRequestFailed {
        /// The service that was called.
        service: ServiceName,
        /// The instance that failed.
        url: BaseUrl,
        /// The method on the wire.
        method: Method,
        /// The path on the wire, without query.
        path: String,
        /// The status of the answer, when there was one.
        status: Option<u16>,
        /// What went wrong.
        message: String,
    },
    /// A call ended without an answer from any instance.
    ServiceBecameUnavailable {
        /// The service that was called.
        service: ServiceName,
        /// What went wrong last.
        message: String,
    },
    /// An instance changed its state, as this process sees it.
    ServiceHealthChanged {
        /// The service.
        service: ServiceName,
        /// The instance.
        url: BaseUrl,
        /// Its state before.
        from: BreakerState,
        /// Its state now.
        to: BreakerState,
    },
    /// The health of an instance was asked for and found wanting.
    HealthCheckFailed {
        /// The service.
        service: ServiceName,
        /// The instance.
        url: BaseUrl,
        /// Failures on record.
        failures: u32,
    },
    /// A service registered its own routes.
    RoutesRegistered {
        /// The service.
        service: ServiceName,
        /// How many routes its manifest lists.
        routes: usize,
    },
    /// A gateway took a manifest.
    ManifestReceived {
        /// The service it describes.
        service: ServiceName,
        /// How many routes it lists.
        routes: usize,
    },
    /// A request was answered from the idempotency store instead of being run again.
    IdempotentRequestDetected {
        /// The idempotency key as the caller sent it.
        key: String,
        /// The method of the repeated request.
        method: Method,
        /// Its path.
        path: String,
    },
}

impl Event {
    /// The fact's name, the same as the variant's.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ServiceRequestFailed { .. } => "ServiceRequestFailed",
            Self::ServiceBecameUnavailable { .. } => "ServiceBecameUnavailable",
            Self::ServiceHealthChanged { .. } => "ServiceHealthChanged",
            Self::HealthCheckFailed { .. } => "HealthCheckFailed",
            Self::RoutesRegistered { .. } => "RoutesRegistered",
            Self::ManifestReceived { .. } => "ManifestReceived",
            Self::IdempotentRequestDetected { .. } => "IdempotentRequestDetected",
        }
    }
}

/// Takes facts. Implementations never block and never fail; a slow one drops.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait EventSink: Debug + Send + Sync {
    /// Takes one fact.
    fn emit(&self, event: Event);
}

/// A sink that forgets everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEvents;

impl EventSink for NoEvents {
    fn emit(&self, _event: Event) {}
}

/// Tells several sinks, one after the other.
#[derive(Clone, Debug, Default)]
pub struct AllSinks(Vec<Arc<dyn EventSink>>);

impl AllSinks {
    /// Tells each of `sinks`, in their order.
    #[must_use]
    pub fn new(sinks: impl IntoIterator<Item = Arc<dyn EventSink>>) -> Self {
        Self(sinks.into_iter().collect())
    }
}

impl EventSink for AllSinks {
    fn emit(&self, event: Event) {
        if let Some((last, others)) = self.0.split_last() {
            others.iter().for_each(|sink| sink.emit(event.clone()));
            last.emit(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Any event: the one that a service registered this many routes.
    pub(super) fn registered(routes: usize) -> Event {
        Event::RoutesRegistered { service: ServiceName::parse("pim").unwrap(), routes }
    }

    #[test]
    fn every_sink_of_several_is_told() {
        let ((one, first), (other, second)) = (ChannelSink::bounded(2), ChannelSink::bounded(2));
        let both = AllSinks::new([Arc::new(one) as Arc<dyn EventSink>, Arc::new(other)]);
        both.emit(registered(1));
        AllSinks::default().emit(registered(2));
        assert_eq!((first.try_recv(), second.try_recv()), (Ok(registered(1)), Ok(registered(1))));
        assert!(first.try_recv().is_err(), "nobody else is told");
    }

    #[test]
    fn an_event_is_named_as_its_variant() {
        assert_eq!(registered(1).name(), "RoutesRegistered");
        assert!(format!("{:?}", registered(1)).starts_with(registered(1).name()));
    }
}
