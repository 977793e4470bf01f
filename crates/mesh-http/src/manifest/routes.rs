//! How a service declares its routes: what is served is what is registered.

use std::{collections::HashMap, fmt, sync::Arc};

use axum::{
    Router,
    handler::Handler,
    routing::{self, MethodRouter},
};
use http::Method;
use mesh_core::{
    clock::{Clock, SystemClock},
    name::ServiceName,
    route::{Manifest, Pattern, Route},
};
use serde_json::{Map, Value};

use super::{DeclarationError, DeclarationErrors, served::served_paths};

/// The fields of a route in a manifest that are no metadata. Source: docs/wire.md, M2 and M3.
const OWN_FIELDS: [&str; 4] = ["method", "methods", "uri", "name"];

/// The routes of one service, declared once. `S` is the state of the handlers, as in [`Router`].
///
/// URIs are patterns of the mesh: `/products/{product}`, and `{id?}` as the whole last segment. Each is served with
/// and without a trailing slash, as gateways match it. Mistakes are kept and told together at the end.
pub struct Routes<S = ()> {
    service: String,
    prefix: String,
    clock: Arc<dyn Clock>,
    router: Router<S>,
    routes: Vec<Route>,
    /// Shape of a served path → where it was declared.
    served: HashMap<String, Served>,
    /// Whether `name` and `meta` have a route to speak of; a faulty one swallows them.
    last: Last,
    errors: Vec<DeclarationError>,
}

struct Served {
    uri: String,
    path: String,
    methods: Vec<Method>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    None,
    Faulty,
    Declared,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// No routes yet, of the service called `service`.
    #[must_use]
    pub fn new(service: &str) -> Self {
        Self {
            service: service.to_owned(),
            prefix: String::new(),
            clock: Arc::new(SystemClock),
            router: Router::new().without_v07_checks(),
            routes: Vec::new(),
            served: HashMap::new(),
            last: Last::None,
            errors: Vec::new(),
        }
    }

    /// Registers only routes whose URI is `prefix` or begins with it and `/`; the others are served all the same.
    /// `/api` and `api` mean the same; it never prepends (docs/wire.md, M6).
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// Where the manifest's timestamp comes from; the system's clock unless set.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Declares a GET route; it serves HEAD too.
    #[must_use]
    pub fn get<H: Handler<T, S>, T: 'static>(self, uri: &str, handler: H) -> Self {
        self.route(Method::GET, uri, &routing::get(handler))
    }

    /// Declares a POST route.
    #[must_use]
    pub fn post<H: Handler<T, S>, T: 'static>(self, uri: &str, handler: H) -> Self {
        self.route(Method::POST, uri, &routing::post(handler))
    }

    /// Declares a PUT route.
    #[must_use]
    pub fn put<H: Handler<T, S>, T: 'static>(self, uri: &str, handler: H) -> Self {
        self.route(Method::PUT, uri, &routing::put(handler))
    }

    /// Declares a PATCH route.
    #[must_use]
    pub fn patch<H: Handler<T, S>, T: 'static>(self, uri: &str, handler: H) -> Self {
        self.route(Method::PATCH, uri, &routing::patch(handler))
    }

    /// Declares a DELETE route.
    #[must_use]
    pub fn delete<H: Handler<T, S>, T: 'static>(self, uri: &str, handler: H) -> Self {
        self.route(Method::DELETE, uri, &routing::delete(handler))
    }

    /// Declares an OPTIONS route.
    #[must_use]
    pub fn options<H: Handler<T, S>, T: 'static>(self, uri: &str, handler: H) -> Self {
        self.route(Method::OPTIONS, uri, &routing::options(handler))
    }

    /// Names the route declared last.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        match (self.last, self.routes.last_mut()) {
            (Last::Declared, Some(route)) => route.name = Some(name.to_owned()),
            (Last::None, _) => self.errors.push(DeclarationError::NoRoute(name.to_owned())),
            _ => {}
        }
        self
    }

    /// Adds metadata to the route declared last: reaches gateways, and the extensions of their requests.
    #[must_use]
    pub fn meta(mut self, key: &str, value: impl Into<Value>) -> Self {
        match (self.last, self.routes.last_mut()) {
            (Last::Declared, Some(route)) if OWN_FIELDS.contains(&key) => {
                let (method, uri) = (route.method.clone(), route.uri.to_string());
                self.errors.push(DeclarationError::NotMetadata { method, uri, key: key.to_owned() });
            }
            (Last::Declared, Some(route)) => {
                route.metadata.insert(key.to_owned(), value.into());
            }
            (Last::None, _) => self.errors.push(DeclarationError::NoRoute(key.to_owned())),
            _ => {}
        }
        self
    }

    /// Gives the handlers their state.
    #[must_use]
    pub fn with_state<S2>(self, state: S) -> Routes<S2> {
        Routes {
            service: self.service,
            prefix: self.prefix,
            clock: self.clock,
            router: self.router.with_state(state),
            routes: self.routes,
            served: self.served,
            last: self.last,
            errors: self.errors,
        }
    }

    /// What serves, and what is registered.
    ///
    /// # Panics
    ///
    /// When the declaration has mistakes: they stand in the code, so the service cannot start. Each is named.
    #[track_caller]
    pub fn into_parts(self) -> (Router<S>, Manifest) {
        match self.try_into_parts() {
            Ok(parts) => parts,
            Err(errors) => panic!("the routes are declared wrong:\n{errors}"),
        }
    }

    /// What serves, and what is registered.
    ///
    /// # Errors
    ///
    /// Every mistake in the declaration.
    pub fn try_into_parts(mut self) -> Result<(Router<S>, Manifest), DeclarationErrors> {
        let service = ServiceName::parse(&self.service).map_err(|source| {
            self.errors.insert(0, DeclarationError::Name { name: self.service, source });
        });
        let (Ok(service), true) = (service, self.errors.is_empty()) else {
            return Err(DeclarationErrors(self.errors));
        };
        let manifest = Manifest::new(service, self.routes, self.clock.unix()).filtered(&self.prefix);
        if manifest.routes.is_empty() {
            return Ok((self.router, manifest));
        }
        // What a gateway would refuse or drop is refused or dropped here, by the same rules.
        match Manifest::parse(manifest.to_json().as_bytes()) {
            Ok(manifest) => Ok((self.router, manifest)),
            Err(error) => Err(DeclarationErrors(vec![DeclarationError::Manifest(error)])),
        }
    }

    fn route(mut self, method: Method, uri: &str, handler: &MethodRouter<S>) -> Self {
        match self.declare(&method, uri) {
            Ok((pattern, paths)) => {
                for path in paths {
                    self.router = self.router.route(&path, handler.clone());
                }
                self.routes.push(Route { method, uri: pattern, name: None, metadata: Map::new() });
                self.last = Last::Declared;
            }
            Err(error) => {
                self.errors.push(error);
                self.last = Last::Faulty;
            }
        }
        self
    }

    /// Checks a route against those before it; gives the pattern and the paths that serve it.
    fn declare(&mut self, method: &Method, uri: &str) -> Result<(Pattern, Vec<String>), DeclarationError> {
        let (method, uri) = (method.clone(), uri.to_owned());
        let pattern = match Pattern::parse(&uri) {
            Ok(pattern) => pattern,
            Err(source) => return Err(DeclarationError::Uri { method, uri, source }),
        };
        let Some(served) = served_paths(&pattern) else {
            return Err(DeclarationError::MixedSegment { method, uri });
        };
        for path in &served {
            let Some(earlier) = self.served.get(&path.shape) else { continue };
            let first = earlier.uri.clone();
            if earlier.methods.contains(&method) {
                return Err(DeclarationError::Doubled { method, uri, first });
            }
            if earlier.path != path.path {
                return Err(DeclarationError::OtherNames { method, uri, first });
            }
        }
        let mut paths = Vec::with_capacity(served.len());
        for path in served {
            let entry = self.served.entry(path.shape).or_insert_with(|| Served {
                uri: uri.clone(),
                path: path.path.clone(),
                methods: Vec::new(),
            });
            entry.methods.push(method.clone());
            paths.push(path.path);
        }
        Ok((pattern, paths))
    }
}

impl<S> fmt::Debug for Routes<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Routes")
            .field("service", &self.service)
            .field("prefix", &self.prefix)
            .field("routes", &self.routes)
            .field("errors", &self.errors)
            .finish_non_exhaustive()
    }
}
