//! Routes looked up by hand: of a running gateway, or of a store without one.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use mesh_core::{
    clock::Tick,
    route::{
        Manifest, RouteTable, TableSettings,
        remembered::{Keeping, Remembered},
        table::Entry,
    },
    store::{ManifestStore, StoreError},
};

use crate::{gateway::Shared, meta::RouteMeta};

/// All routes and manifests that are known, and where a request would go. Cheap to clone; clones share everything.
///
/// ```
/// use std::sync::Arc;
/// use mesh_core::{clock::SystemClock, route::TableSettings, store::MemoryStore};
/// use mesh_gateway::RouteRegistry;
///
/// # async fn example() -> Result<(), mesh_core::store::StoreError> {
/// let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
/// let registry = RouteRegistry::load(store, TableSettings::default()).await?;
/// if let Some(route) = registry.resolve("GET", "/api/products/123") {
///     assert_eq!(route.parameter("product"), Some("123"));
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RouteRegistry(Source);

#[derive(Clone, Debug)]
enum Source {
    Gateway(Arc<Shared>),
    Store(Arc<Loaded>),
}

#[derive(Debug)]
struct Loaded {
    store: Arc<dyn ManifestStore>,
    settings: TableSettings,
    routes: ArcSwap<Routes>,
}

#[derive(Debug)]
struct Routes {
    table: RouteTable,
    manifests: Vec<Arc<Manifest>>,
}

impl RouteRegistry {
    /// The routes of a gateway: always those that it serves now.
    pub(crate) const fn of(gateway: Arc<Shared>) -> Self {
        Self(Source::Gateway(gateway))
    }

    /// The routes that a gateway with these settings would make of what `store` holds now. What is no manifest of the
    /// service that it is stored under is left out, with a warning. One round trip; see [`refresh`](Self::refresh).
    ///
    /// # Errors
    ///
    /// When the store cannot be reached or refuses.
    pub async fn load(store: Arc<dyn ManifestStore>, settings: TableSettings) -> Result<Self, StoreError> {
        let routes = read(&*store, &settings).await?;
        let loaded = Loaded { store, settings, routes: ArcSwap::from_pointee(routes) };
        Ok(Self(Source::Store(Arc::new(loaded))))
    }

    /// Reads the store again; for all clones. A gateway keeps its routes current by itself: nothing is done then.
    ///
    /// # Errors
    ///
    /// When the store cannot be reached or refuses; the routes stay as they were.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        if let Source::Store(loaded) = &self.0 {
            let routes = read(&*loaded.store, &loaded.settings).await?;
            loaded.routes.store(Arc::new(routes));
        }
        Ok(())
    }

    /// Where a request with this method and target (path, with or without query) goes, by the rules of the gateway
    /// (docs/wire.md, G2 to G6). `None` when no route takes it: an unknown path, a known path with another method, a
    /// target that is not canonical.
    #[must_use]
    pub fn resolve(&self, method: &str, target: &str) -> Option<RouteMeta> {
        self.read(|table, _| {
            let (entry, path) = table.look_up(method, target)?;
            Some(RouteMeta::new(entry, path))
        })
    }

    /// Every route that is served: by service name, then by position in the manifest.
    #[must_use]
    pub fn all_routes(&self) -> Vec<Arc<Entry>> {
        self.read(|table, _| table.entries().to_vec())
    }

    /// Every manifest that is known, by service name: also of services that are not served here.
    #[must_use]
    pub fn all_manifests(&self) -> Vec<Arc<Manifest>> {
        self.read(|_, manifests| manifests.to_vec())
    }

    fn read<T>(&self, ask: impl FnOnce(&RouteTable, &[Arc<Manifest>]) -> T) -> T {
        match &self.0 {
            Source::Gateway(shared) => {
                let snapshot = shared.snapshot.load();
                ask(&snapshot.table, &snapshot.manifests)
            }
            Source::Store(loaded) => {
                let routes = loaded.routes.load();
                ask(&routes.table, &routes.manifests)
            }
        }
    }
}

/// What the store holds, by the rules of a gateway that just began.
async fn read(store: &dyn ManifestStore, settings: &TableSettings) -> Result<Routes, StoreError> {
    let stored = store.all().await?;
    // Nothing was remembered before, so that nothing expires here.
    let keeping = Keeping { ttl: Duration::ZERO, grace: Duration::ZERO };
    let mut remembered = Remembered::default();
    remembered.absorb(&stored, Tick::default(), keeping);
    for (service, document) in remembered.quarantined() {
        tracing::warn!(%service, reason = document.reason, "a manifest is left out");
    }
    let manifests: Vec<_> = remembered.kept().values().map(|kept| Arc::clone(&kept.manifest)).collect();
    let table = RouteTable::build(&manifests, settings);
    Ok(Routes { table, manifests })
}
