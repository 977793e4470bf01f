//! Facts that the mesh tells whoever listens. A sink never blocks and never fails.

use std::fmt::Debug;

use http::Method;

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

/// Takes facts. Implementations never block and never fail; a slow one drops.
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
