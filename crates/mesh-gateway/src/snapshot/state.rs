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
    health::{BreakerState, HealthPolicy, view::ServiceView},
    retry::RetryPolicy,
    route::{manifest::RouteIdempotency, table::Entry},
    service::{BaseUrl, Protocol, Service},
    signature::MultipartPolicy,
};

use crate::{overrides::RouteService, reloadable::Reloadable, settings::Limits};

/// For so long after a last resort failed, no further one is tried (docs/refusals.md, row 78).
const LAST_RESORT_PAUSE: Duration = Duration::from_secs(1);

/// A route with the numbers that apply to it. What is asked for after the answer stands in front, beside the counters of an
/// [`Arc`]: with many routes each line of a cache is waited for, and may be gone again by then.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct RouteState {
    pub(crate) service: Arc<ServiceState>,
    pub(crate) reloadable: Arc<Reloadable>,
    pub(crate) entry: Arc<Entry>,
    /// Its number in the metrics.
    pub(crate) number: usize,
    pub(crate) attempt_timeout: Duration,
    pub(crate) deadline: Duration,
    /// What is taken out of the path, as the service is told of it: `/catalog`; none: nothing is.
    pub(crate) prefix: Option<Box<str>>,
    /// What stands in the way of its requests; absent: they are forwarded at once.
    pub(crate) stack: Option<RouteService>,
    pub(crate) body_limit: u64,
    /// What the route asks of the idempotency layer.
    pub(crate) idempotency: Option<RouteIdempotency>,
}

/// A service with the numbers that apply to it. What each request asks for stands in front, in one line of a cache:
/// with many services each line is waited for.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct ServiceState {
    pub(crate) view: Arc<ServiceView>,
    pub(crate) retry: RetryPolicy,
    pub(crate) multipart: MultipartPolicy,
    pub(crate) protocol: Protocol,
    /// Whether bodies of requests go on as they come.
    pub(crate) streams_requests: bool,
    last_resort_failed: AtomicU64,
    pub(crate) base_urls: Vec<BaseUrl>,
    pub(crate) timeout: Duration,
}

impl RouteState {
    /// What a body that nobody holds may measure, and how slowly it may come. One that goes on as it comes may be
    /// endless, and silent.
    pub(crate) fn body_bounds(&self) -> (u64, Limits) {
        let limits = self.reloadable.settings.limits;
        if self.service.streams_requests {
            (u64::MAX, Limits { body_window: Duration::from_secs(u32::MAX.into()), ..limits })
        } else {
            (self.body_limit, limits)
        }
    }

    /// Whether a request id is an explicit key on this route, and answers are replayed.
    pub(crate) const fn declares_idempotency(&self) -> bool {
        self.idempotency.is_some()
    }
}

impl ServiceState {
    pub(crate) fn new(
        view: Arc<ServiceView>,
        service: &Service,
        retry: RetryPolicy,
        timeout: Duration,
        last_resort_failed: Tick,
    ) -> Self {
        Self {
            view,
            base_urls: service.base_urls.clone(),
            retry,
            timeout,
            multipart: service.multipart,
            protocol: service.protocol,
            streams_requests: service.streams_requests(),
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
        if self.all_open(policy, now) {
            self.last_resort_failed.store(now.0.max(1), Ordering::Relaxed);
        }
    }

    /// Whether no instance is fit to be asked: whichever is, is a last resort.
    pub(crate) fn all_open(&self, policy: &HealthPolicy, now: Tick) -> bool {
        self.view.instances().iter().all(|instance| instance.state(policy, now) == BreakerState::Open)
    }
}
