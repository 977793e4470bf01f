//! The immutable table of all routes: built aside, swapped whole, read by every request.

use std::{
    borrow::Cow,
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap, hash_map::Entry as Slot},
    sync::Arc,
};

use http::Method;

use super::{Manifest, Pattern, PrefixStyle, Route, prefix::check_prefix, tree::Tree};
use crate::{forward::Target, name::ServiceName};

mod explain;

pub use explain::Candidate;

/// What steers how a table is built.
#[derive(Clone, Debug, Default)]
pub struct TableSettings {
    /// Only these services; absent: all.
    pub services: Option<BTreeSet<ServiceName>>,
    /// Prefix by service; one that [`check_prefix`] refuses makes the service's routes
    /// refused.
    pub prefixes: BTreeMap<ServiceName, String>,
    /// Where prefixes stand.
    pub style: PrefixStyle,
}

impl TableSettings {
    /// Whether the service's routes are served.
    pub(super) fn serves(&self, service: &ServiceName) -> bool {
        self.services.as_ref().is_none_or(|only| only.contains(service))
    }

    /// The pattern on the gateway of a service's URI; `None` when the service's prefix cannot stand in it.
    pub(super) fn gateway_uri(&self, service: &ServiceName, uri: &Pattern) -> Option<Pattern> {
        let prefix = self.prefixes.get(service).map_or("", String::as_str);
        if prefix.is_empty() {
            return Some(uri.clone());
        }
        check_prefix(prefix).ok()?;
        Pattern::build(&self.style.insert(prefix, uri.as_str())).ok()
    }
}

/// A route as the gateway serves it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The service that answers.
    pub service: ServiceName,
    /// The route as its manifest declares it.
    pub route: Arc<Route>,
    /// The pattern on the gateway.
    pub uri: Pattern,
    /// The prefix that was inserted; empty: none.
    pub prefix: String,
    /// Where it was inserted.
    pub style: PrefixStyle,
}

impl Entry {
    /// The service's path for a gateway path that matched: the prefix cut out, every other byte as it came.
    #[must_use]
    pub fn service_path<'a>(&self, path: &'a str) -> Cow<'a, str> {
        self.style.remove(&self.prefix, self.route.uri.as_str(), path)
    }
}

/// A route that is not served, and who keeps its place.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The route that is not served.
    pub entry: Arc<Entry>,
    /// The service that keeps the method and pattern; the route's own when it declares them twice.
    pub owner: ServiceName,
}

/// Where a request goes.
#[derive(Clone, Debug)]
pub enum Resolution {
    /// A route serves it. HEAD is served by GET's route.
    Found(Arc<Entry>),
    /// The path is known with these methods only, sorted by name: what `Allow` lists. HEAD is among them where GET
    /// is, OPTIONS always is (the gateway answers it where no route does).
    MethodNotAllowed(Vec<Method>),
    /// No route matches.
    NotFound,
}

/// All routes of all manifests.
#[derive(Debug, Default)]
pub struct RouteTable {
    settings: TableSettings,
    entries: Vec<Arc<Entry>>,
    /// The entries in the order of precedence: the tree's ranks are positions here.
    ranking: Vec<Arc<Entry>>,
    refused: Vec<Refused>,
    /// Routes of services that the settings leave out.
    unserved: Vec<Arc<Entry>>,
    tree: Tree,
}

/// The method whose route serves `method`.
const fn served_by(method: &Method) -> &Method {
    if matches!(*method, Method::HEAD) { &Method::GET } else { method }
}

impl RouteTable {
    /// Builds the table. Independent of the order of `manifests`: services go by name (bytes), routes by position.
    /// Of two services with one method and one gateway pattern the smaller name keeps it, the other is listed in
    /// [`refused`](Self::refused); within one manifest the first keeps it. A service that the settings leave out
    /// keeps nothing from others.
    #[must_use]
    pub fn build(manifests: &[Arc<Manifest>], settings: &TableSettings) -> Self {
        let mut table = Self { settings: settings.clone(), ..Self::default() };
        let mut by_name: Vec<&Arc<Manifest>> = manifests.iter().collect();
        by_name.sort_by(|a, b| a.service.cmp(&b.service));

        let mut owners = HashMap::new();
        for manifest in by_name {
            let served = settings.serves(&manifest.service);
            for route in &manifest.routes {
                table.add(&manifest.service, route, served, &mut owners);
            }
        }

        table.ranking = table.entries.clone();
        table.ranking.sort_by_cached_key(|entry| Reverse(entry.uri.specificity()));
        table.tree = Tree::build(
            (0..).zip(&table.ranking).map(|(rank, entry)| (entry.uri.segments(), &entry.route.method, rank)),
        );
        table
    }

    fn add(
        &mut self,
        service: &ServiceName,
        route: &Route,
        served: bool,
        owners: &mut HashMap<(Method, String), ServiceName>,
    ) {
        let uri = self.settings.gateway_uri(service, &route.uri);
        let fits = uri.is_some();
        let entry = Entry {
            service: service.clone(),
            route: Arc::new(route.clone()),
            uri: uri.unwrap_or_else(|| route.uri.clone()),
            prefix: self.settings.prefixes.get(service).cloned().unwrap_or_default(),
            style: self.settings.style,
        };
        if !served {
            return self.unserved.push(Arc::new(entry));
        }
        if !fits {
            return self.refused.push(Refused { entry: Arc::new(entry), owner: service.clone() });
        }
        match owners.entry((route.method.clone(), entry.uri.shape())) {
            Slot::Occupied(owner) => {
                self.refused.push(Refused { entry: Arc::new(entry), owner: owner.get().clone() });
            }
            Slot::Vacant(free) => {
                free.insert(service.clone());
                self.entries.push(Arc::new(entry));
            }
        }
    }

    /// The place in [`ranking`](Self::ranking) of the route that serves `method` `path`: what
    /// [`resolve`](Self::resolve) finds, without a look at the entry.
    #[must_use]
    pub fn rank(&self, method: &Method, path: &str) -> Option<usize> {
        usize::try_from(self.tree.find(served_by(method), path)?).ok()
    }

    /// Where `method` `path` goes; `path` is encoded, without query and begins with `/`. Costs one walk down the tree,
    /// and no allocation but for a path that is not in normal form and for a 405's list.
    #[must_use]
    pub fn resolve(&self, method: &Method, path: &str) -> Resolution {
        if let Some(entry) = self.rank(method, path).and_then(|rank| self.ranking.get(rank)) {
            return Resolution::Found(entry.clone());
        }
        self.allowed(path).map_or(Resolution::NotFound, Resolution::MethodNotAllowed)
    }

    /// The methods with which `path` is known, as [`Resolution::MethodNotAllowed`] lists them; `None`: no route matches
    /// it. For a request that has no [`rank`](Self::rank).
    #[must_use]
    pub fn allowed(&self, path: &str) -> Option<Vec<Method>> {
        let mut methods: Vec<Method> = self.tree.all(path).into_iter().map(|(method, _)| method).collect();
        if methods.is_empty() {
            return None;
        }
        if methods.contains(&Method::GET) {
            methods.push(Method::HEAD);
        }
        methods.push(Method::OPTIONS);
        methods.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
        methods.dedup();
        Some(methods)
    }

    /// The route that serves a request with this method and target (path, with or without query), and the target's
    /// path. `None` where there is none: for a method that the path does not take, and for a target or a method that
    /// a gateway refuses.
    #[must_use]
    pub fn look_up<'t>(&self, method: &str, target: &'t str) -> Option<(Arc<Entry>, &'t str)> {
        let path = Target::parse(target).ok()?.path();
        match self.resolve(&method.parse().ok()?, path) {
            Resolution::Found(entry) => Some((entry, path)),
            Resolution::MethodNotAllowed(_) | Resolution::NotFound => None,
        }
    }

    /// All served routes: by service name, then position.
    #[must_use]
    pub fn entries(&self) -> &[Arc<Entry>] {
        &self.entries
    }

    /// The same in the order of precedence: of two that match, the one that stands first serves.
    #[must_use]
    pub fn ranking(&self) -> &[Arc<Entry>] {
        &self.ranking
    }

    /// Routes that are not served because another service, or an earlier declaration, keeps their place.
    #[must_use]
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }

    /// The settings it was built with.
    #[must_use]
    pub const fn settings(&self) -> &TableSettings {
        &self.settings
    }
}

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;
