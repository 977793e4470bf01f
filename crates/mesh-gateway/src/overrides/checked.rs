//! Overrides that were checked, ready to be laid over a table of routes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use http::Method;
use mesh_core::{
    name::ServiceName,
    route::{Pattern, RouteTable, TableSettings, prefix::check_prefix, table::Entry},
};

use super::{
    OverrideError, OverrideErrors, RouteOverrides,
    declared::DeclaredRoute,
    stack::{AddLayer, RouteService},
};
use crate::{layered::Innermost, proxy::DefaultProxy, settings::GatewaySettings};

/// What the embedding code puts in the way of requests.
#[derive(Debug, Default)]
pub(crate) struct Overrides {
    only: Option<BTreeSet<ServiceName>>,
    prefixes: BTreeMap<ServiceName, String>,
    /// Before all routes.
    all: Vec<AddLayer>,
    layers: BTreeMap<ServiceName, Vec<AddLayer>>,
    routes: HashMap<Key, OfRoute>,
    proxy: Option<RouteService>,
}

/// A service, a method, and the shape of the service's URI.
type Key = (ServiceName, Method, String);

/// What stands for one route.
#[derive(Debug)]
struct OfRoute {
    uri: String,
    layers: Vec<AddLayer>,
    handler: Option<RouteService>,
}

impl Overrides {
    /// Checks what stands in the code.
    pub(crate) fn check(
        only: Option<Vec<String>>,
        declared: RouteOverrides,
        proxy: Option<RouteService>,
    ) -> Result<Self, OverrideErrors> {
        let mut overrides = Self { proxy, all: declared.layers, ..Self::default() };
        let mut errors = Vec::new();
        if let Some(names) = only {
            overrides.only =
                Some(names.into_iter().filter_map(|name| service_name(name, &mut errors)).collect());
        }
        for declared in declared.services {
            let Some(service) = service_name(declared.service, &mut errors) else { continue };
            if let Some(prefix) = declared.prefix {
                match check_prefix(&prefix) {
                    Ok(()) => drop(overrides.prefixes.insert(service.clone(), prefix)),
                    Err(source) => {
                        errors.push(OverrideError::Prefix { service: service.clone(), prefix, source });
                    }
                }
            }
            for route in declared.routes {
                if let Err(error) = overrides.add(&service, route) {
                    errors.push(error);
                }
            }
            if !declared.layers.is_empty() {
                overrides.layers.insert(service, declared.layers);
            }
        }
        if errors.is_empty() { Ok(overrides) } else { Err(OverrideErrors(errors)) }
    }

    fn add(&mut self, service: &ServiceName, route: DeclaredRoute) -> Result<(), OverrideError> {
        let DeclaredRoute { method, uri, layers, handlers } = route;
        let pattern = match Pattern::parse(&uri) {
            Ok(pattern) => pattern,
            Err(source) => {
                return Err(OverrideError::Uri { service: service.clone(), method, uri, source });
            }
        };
        let key = (service.clone(), method.clone(), pattern.shape());
        let of_route = self.routes.entry(key).or_insert_with(|| OfRoute {
            uri: uri.clone(),
            layers: Vec::new(),
            handler: None,
        });
        of_route.layers.extend(layers);
        for handler in handlers {
            if of_route.handler.replace(handler).is_some() {
                return Err(OverrideError::SecondHandler { service: service.clone(), method, uri });
            }
        }
        Ok(())
    }

    /// The settings of the table: what stands in the code wins.
    pub(crate) fn table(&self, settings: &GatewaySettings) -> TableSettings {
        let mut table = settings.table();
        if let Some(only) = &self.only {
            table.services = Some(only.clone());
        }
        table.prefixes.extend(self.prefixes.clone());
        table
    }

    /// What stands in the way of a route's requests; `None`: nothing.
    pub(super) fn stack(&self, entry: &Entry) -> Option<RouteService> {
        let of_service = self.layers.get(&entry.service);
        let of_route = self.routes.get(&key(entry));
        let has_layers = !self.all.is_empty()
            || of_service.is_some()
            || of_route.is_some_and(|route| !route.layers.is_empty());
        let end = of_route.and_then(|route| route.handler.as_ref()).or(self.proxy.as_ref());
        if !has_layers && end.is_none() {
            return None;
        }
        let end = end.cloned().unwrap_or_else(|| RouteService::new(DefaultProxy));
        let innermost = RouteService::new(Innermost::new(end));
        let of_route = of_route.map(|route| route.layers.as_slice()).unwrap_or_default();
        let of_service = of_service.map(Vec::as_slice).unwrap_or_default();
        Some(
            of_route
                .iter()
                .chain(of_service)
                .chain(&self.all)
                .fold(innermost, |inner, layer| layer.around(inner)),
        )
    }

    /// What stands for routes and services that `table` does not serve, in words.
    pub(crate) fn idle(&self, table: &RouteTable) -> Vec<String> {
        let served: BTreeSet<_> = table.entries().iter().map(|entry| &entry.service).collect();
        let routes: BTreeSet<_> = table.entries().iter().map(|entry| key(entry)).collect();
        let without_route = self.routes.iter().filter(|(key, _)| !routes.contains(*key));
        let mut idle: Vec<String> = without_route
            .map(|((service, method, _), of_route)| format!("{service} {method} {}", of_route.uri))
            .collect();
        let services = self.layers.keys().chain(self.prefixes.keys()).chain(self.only.iter().flatten());
        let services: BTreeSet<_> = services.filter(|service| !served.contains(service)).collect();
        idle.extend(services.into_iter().map(ToString::to_string));
        idle.sort_unstable();
        idle
    }
}

fn key(entry: &Entry) -> Key {
    (entry.service.clone(), entry.route.method.clone(), entry.route.uri.shape())
}

fn service_name(name: String, errors: &mut Vec<OverrideError>) -> Option<ServiceName> {
    match ServiceName::parse(&name) {
        Ok(service) => Some(service),
        Err(source) => {
            errors.push(OverrideError::Name { name, source });
            None
        }
    }
}
