//! What belongs to one route and to one service, ready for use by requests.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use mesh_core::{
    clock::Tick,
    health::{HealthPolicy, view::ServiceView},
    retry::RetryPolicy,
    route::manifest::RouteIdempotency,
    service::{BaseUrl, Protocol, Service},
    signature::MultipartPolicy,
};

use crate::{overrides::RouteService, reloadable::Reloadable, settings::Limits};

/// For so long after a last resort failed, no further one is tried (docs/refusals.md, row 78).
const LAST_RESORT_PAUSE: Duration = Duration::from_secs(1);

/// How some routes of one service are served, with what every request for them asks for: one line of a cache.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct RouteState {
    /// One for all routes of a snapshot to which the same applies.
    pub(crate) policy: Arc<RoutePolicy>,
    /// That of its service.
    pub(crate) view: ServiceView,
    /// What stands in the way of requests, then of one route's alone; absent: they are forwarded at once.
    pub(crate) stack: Option<RouteService>,
    pub(crate) service: Arc<ServiceState>,
}

/// The settings and the numbers that apply to a route.
#[derive(Debug)]
pub(crate) struct RoutePolicy {
    pub(crate) reloadable: Arc<Reloadable>,
    pub(crate) terms: RouteTerms,
}

/// What applies to a route: the settings', its service's or its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RouteTerms {
    pub(crate) service: ServiceTerms,
    pub(crate) attempt_timeout: Duration,
    pub(crate) deadline: Duration,
    pub(crate) body_limit: u64,
    /// What is taken out of the path, as the service is told of it: `/catalog`; none: nothing is.
    pub(crate) prefix: Option<Box<str>>,
    /// What the route asks of the idempotency layer.
    pub(crate) idempotency: Option<RouteIdempotency>,
}

/// What applies to all routes of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ServiceTerms {
    pub(crate) retry: RetryPolicy,
    pub(crate) multipart: MultipartPolicy,
    pub(crate) protocol: Protocol,
    /// Whether bodies of requests go on as they come.
    pub(crate) streams_requests: bool,
}

/// A service with what applies to it. A request that is forwarded and answered has all it needs from its
/// [`RouteState`].
#[derive(Debug)]
pub(crate) struct ServiceState {
    pub(crate) terms: ServiceTerms,
    pub(crate) view: ServiceView,
    last_resort_failed: AtomicU64,
    pub(crate) base_urls: Vec<BaseUrl>,
    pub(crate) timeout: Duration,
}

impl RouteState {
    pub(crate) fn terms(&self) -> &RouteTerms {
        &self.policy.terms
    }

    /// What a body that nobody holds may measure, and how slowly it may come. One that goes on as it comes may be
    /// endless, and silent.
    pub(crate) fn body_bounds(&self) -> (u64, Limits) {
        let limits = self.policy.reloadable.settings.limits;
        if self.terms().service.streams_requests {
            (u64::MAX, Limits { body_window: Duration::from_secs(u32::MAX.into()), ..limits })
        } else {
            (self.terms().body_limit, limits)
        }
    }

    /// Whether a request id is an explicit key on this route, and answers are replayed.
    pub(crate) fn declares_idempotency(&self) -> bool {
        self.terms().idempotency.is_some()
    }
}

impl ServiceState {
    pub(crate) fn new(
        view: ServiceView,
        service: &Service,
        retry: RetryPolicy,
        timeout: Duration,
        last_resort_failed: Tick,
    ) -> Self {
        Self {
            terms: ServiceTerms {
                retry,
                multipart: service.multipart,
                protocol: service.protocol,
                streams_requests: service.streams_requests(),
            },
            view,
            base_urls: service.base_urls.clone(),
            timeout,
            last_resort_failed: AtomicU64::new(last_resort_failed.0),
        }
    }

    /// When the last call failed that found or left no instance healthy; tick 0: never.
    pub(crate) fn last_resort_failed(&self) -> Tick {
        Tick(self.last_resort_failed.load(Ordering::Relaxed))
    }

    /// Whether a last resort just failed: with all instances open the service is worth no attempt then.
    pub(crate) fn just_failed(&self, now: Tick) -> bool {
        let failed = self.last_resort_failed();
        failed != Tick::default() && now.since(failed) < LAST_RESORT_PAUSE
    }

    /// Notes that a call came to nothing.
    pub(crate) fn note_failure(&self, policy: &HealthPolicy, now: Tick) {
        if self.view.all_open(policy, now) {
            self.last_resort_failed.store(now.0.max(1), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_route_is_served_is_a_line_of_a_cache() {
        assert_eq!(size_of::<RouteState>(), 64);
    }
}
