//! Builds a snapshot from what is remembered: aside, before anybody sees it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use mesh_core::{
    clock::Tick,
    health::view::ServiceView,
    name::ServiceName,
    route::{Manifest, RouteTable, registration::check_targets, remembered::Remembered, table::Entry},
    service::Service,
};

use super::{
    Ranked, RouteState, ServiceState, Snapshot,
    state::{RoutePolicy, RouteTerms},
};
use crate::{
    metrics::Metrics,
    overrides::{Overrides, RouteService, Stacks},
    reloadable::Reloadable,
    settings::GatewaySettings,
};

/// The snapshot of what `remembered` holds. Health and load of instances that `previous` knows are kept, and so are
/// the services that were made of layers and handlers.
pub(crate) fn build(
    reloadable: &Arc<Reloadable>,
    overrides: &Overrides,
    remembered: &Remembered,
    previous: Option<&Snapshot>,
    metrics: &Metrics,
    ready: bool,
    now: Tick,
) -> Snapshot {
    let settings = &reloadable.settings;
    let manifests: Vec<_> = remembered.kept().values().map(|kept| Arc::clone(&kept.manifest)).collect();
    let mut quarantined: BTreeMap<_, _> = remembered
        .quarantined()
        .iter()
        .map(|(service, document)| (service.clone(), document.reason.clone()))
        .collect();
    let mut services = services(settings, &manifests, previous, &mut quarantined);
    let table = RouteTable::build(&manifests, &overrides.table(settings));
    let stacks = Stacks::of(overrides, previous);
    let mut policies = HashMap::new();
    let mut states = States::default();
    let mut routes = Vec::with_capacity(table.entries().len());
    for entry in table.ranking() {
        // Each manifest has its service; a route without one would have no instances.
        let service = services.entry(entry.service.clone()).or_insert_with_key(|name| {
            state(settings, &Service::new(name.clone(), Vec::new()), None, previous)
        });
        let terms = terms(settings, service, entry);
        let policy = policies.entry(terms).or_insert_with_key(|terms| {
            Arc::new(RoutePolicy { reloadable: Arc::clone(reloadable), terms: terms.clone() })
        });
        routes.push(Ranked {
            state: states.of(service, policy, stacks.get(entry)),
            number: u32::try_from(metrics.route(entry)).unwrap_or(u32::MAX),
        });
    }
    let idle = overrides.idle(&table);
    Snapshot {
        reloadable: Arc::clone(reloadable),
        table,
        manifests,
        services,
        quarantined,
        ready,
        built: now,
        idle,
        routes,
        states: states.all,
    }
}

/// How routes are served, each way once.
#[derive(Default)]
struct States {
    all: Vec<RouteState>,
    /// The place of those without anything in the way, by service and policy.
    plain: HashMap<(*const ServiceState, *const RoutePolicy), u32>,
}

impl States {
    /// The place of what serves routes of this service with this policy. What stands in the way stands in one route's.
    fn of(
        &mut self,
        service: &Arc<ServiceState>,
        policy: &Arc<RoutePolicy>,
        stack: Option<RouteService>,
    ) -> u32 {
        let key = (Arc::as_ptr(service), Arc::as_ptr(policy));
        if stack.is_none()
            && let Some(known) = self.plain.get(&key)
        {
            return *known;
        }
        let place = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        if stack.is_none() {
            self.plain.insert(key, place);
        }
        let (service, policy) = (Arc::clone(service), Arc::clone(policy));
        self.all.push(RouteState { view: service.view.clone(), policy, service, stack });
        place
    }
}

fn terms(settings: &GatewaySettings, service: &ServiceState, entry: &Entry) -> RouteTerms {
    let attempt_timeout = entry.route.timeout().unwrap_or(service.timeout);
    RouteTerms {
        service: service.terms,
        attempt_timeout,
        deadline: settings.deadline.unwrap_or(attempt_timeout.saturating_mul(3)),
        body_limit: entry.route.body_limit().unwrap_or(settings.body_limit),
        prefix: Some(entry.prefix.trim_matches('/'))
            .filter(|prefix| !prefix.is_empty())
            .map(|prefix| format!("/{prefix}").into()),
        idempotency: entry.route.idempotency(),
    }
}

/// Every service that is configured or has a manifest. What is configured wins whole.
fn services(
    settings: &GatewaySettings,
    manifests: &[Arc<Manifest>],
    previous: Option<&Snapshot>,
    quarantined: &mut BTreeMap<ServiceName, String>,
) -> BTreeMap<ServiceName, Arc<ServiceState>> {
    let mut services = BTreeMap::new();
    for manifest in manifests {
        let announced = match check_targets(manifest, &settings.allow_targets) {
            Ok(()) => manifest.base_urls.clone(),
            Err(error) => {
                if settings.service(&manifest.service).is_none() {
                    quarantined.entry(manifest.service.clone()).or_insert_with(|| error.to_string());
                }
                Vec::new()
            }
        };
        let service = settings
            .service(&manifest.service)
            .cloned()
            .unwrap_or_else(|| Service::new(manifest.service.clone(), announced));
        let state = state(settings, &service, Some(manifest), previous);
        services.insert(service.name.clone(), state);
    }
    for service in &settings.configured {
        services.entry(service.name.clone()).or_insert_with(|| state(settings, service, None, previous));
    }
    services
}

fn state(
    settings: &GatewaySettings,
    service: &Service,
    manifest: Option<&Manifest>,
    previous: Option<&Snapshot>,
) -> Arc<ServiceState> {
    let known = previous.and_then(|previous| previous.services.get(&service.name));
    let view = ServiceView::new(service.name.clone(), &service.base_urls, known.map(|state| &state.view));
    let mut retry = settings.retry;
    if let Some(retries) = service.retries {
        retry.retries = retries;
    }
    let announced = manifest.and_then(|manifest| manifest.timeout);
    let timeout = service.timeout.or(announced).unwrap_or(settings.timeout);
    let last_resort_failed = known.map_or(Tick::default(), |state| state.last_resort_failed());
    Arc::new(ServiceState::new(view, service, retry, timeout, last_resort_failed))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http::Method;
    use mesh_core::{secret::Secret, signature::Keyring};

    use super::*;

    const MANIFEST: &[u8] = br#"{"service": "pim", "timestamp": "2026-02-10T12:00:00+00:00", "routes": [
        {"method": "GET", "uri": "/a"},
        {"method": "GET", "uri": "/b"},
        {"method": "GET", "uri": "/c", "timeout": 1}
    ]}"#;

    #[test]
    fn routes_that_are_served_alike_share_how() {
        let keyring = Keyring::new(Secret::try_new("x".repeat(32)).unwrap());
        let reloadable = Reloadable::new(GatewaySettings::default(), keyring).unwrap();
        let mut remembered = Remembered::new(Tick(1));
        let service = ServiceName::parse("pim").unwrap();
        remembered.put(&service, &Bytes::from_static(MANIFEST), Duration::from_secs(60), Tick(1));
        let (overrides, metrics) = (Overrides::default(), Metrics::default());
        let snapshot = build(&reloadable, &overrides, &remembered, None, &metrics, true, Tick(1));
        let place = |path| {
            let rank = snapshot.table.rank(&Method::GET, path).unwrap();
            let Ranked { state, number } = snapshot.routes[rank];
            (state, number, snapshot.states[state as usize].terms().attempt_timeout)
        };
        let (a, b, c) = (place("/a"), place("/b"), place("/c"));
        assert_eq!((a.0, a.2), (b.0, b.2));
        assert_ne!(a.0, c.0);
        assert_eq!(c.2, Duration::from_secs(1));
        assert!(a.1 != b.1 && b.1 != c.1 && a.1 != c.1, "figures are each route's own");
    }
}
