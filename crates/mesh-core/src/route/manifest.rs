//! What a service says of itself: its routes, and where its instances are.

use std::time::Duration;

use http::Method;
use serde_json::{Map, Value};

use super::{Pattern, timestamp};
use crate::{clock::UnixMillis, name::ServiceName, service::BaseUrl, units};

/// One route of a service: one method and one URI.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// One of GET, POST, PUT, PATCH, DELETE, OPTIONS.
    pub method: Method,
    /// The URI as the service serves it.
    pub uri: Pattern,
    /// The route's name.
    pub name: Option<String>,
    /// All other keys, as declared; reaches the gateway's request extensions. Excluded keys are not among them.
    pub metadata: Map<String, Value>,
}

/// A service's manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The service it describes.
    pub service: ServiceName,
    /// The routes in the order of declaration; one entry per method.
    pub routes: Vec<Route>,
    /// When it was made, as its maker writes it (RFC 3339 by us).
    pub timestamp: String,
    /// A number that grows with every change; absent in the package's.
    pub version: Option<u64>,
    /// All instances of the service; empty: not announced.
    pub base_urls: Vec<BaseUrl>,
    /// The limit of one attempt for all routes, where the manifest announces one.
    pub timeout: Option<Duration>,
}

impl Route {
    /// A route without name and metadata.
    #[must_use]
    pub fn new(method: Method, uri: Pattern) -> Self {
        Self { method, uri, name: None, metadata: Map::new() }
    }

    /// The limit of one attempt (metadata `timeout`: seconds or a text such as "500ms"). Metadata is anybody's: a value
    /// of another kind, or zero, is none.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        units::seconds(self.metadata.get("timeout")?)
    }

    /// Whether requests to the route may switch to another protocol, websocket above all (metadata `websocket`: true).
    #[must_use]
    pub fn allows_upgrade(&self) -> bool {
        self.metadata.get("websocket") == Some(&Value::Bool(true))
    }

    /// Whether the route declares that it may be repeated (metadata `idempotent`: true).
    #[must_use]
    pub fn is_idempotent(&self) -> bool {
        self.metadata.get("idempotent") == Some(&Value::Bool(true))
    }

    /// What the route asks of the idempotency layer (metadata `idempotency`: true, "optional" or "required"; any other
    /// value asks for nothing).
    #[must_use]
    pub fn idempotency(&self) -> Option<RouteIdempotency> {
        match self.metadata.get("idempotency")? {
            Value::Bool(true) => Some(RouteIdempotency::Optional),
            Value::String(text) if text == "optional" => Some(RouteIdempotency::Optional),
            Value::String(text) if text == "required" => Some(RouteIdempotency::Required),
            _ => None,
        }
    }

    /// The largest request body, in bytes (metadata `body_limit`: bytes or a text such as "2MiB"; any other value is
    /// none).
    #[must_use]
    pub fn body_limit(&self) -> Option<u64> {
        units::bytes(self.metadata.get("body_limit")?)
    }
}

/// What a route asks of the idempotency layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RouteIdempotency {
    /// Requests with a key are de-duplicated.
    Optional,
    /// Requests without a key are refused, and nothing runs without the store.
    Required,
}

impl Manifest {
    /// A manifest made at `now`, without version, announced instances and limit.
    #[must_use]
    pub fn new(service: ServiceName, routes: Vec<Route>, now: UnixMillis) -> Self {
        let timestamp = timestamp::format(now);
        Self { service, routes, timestamp, version: None, base_urls: Vec::new(), timeout: None }
    }

    /// The manifest with `now` as the moment it was made.
    #[must_use]
    pub fn made_at(mut self, now: UnixMillis) -> Self {
        self.timestamp = timestamp::format(now);
        self
    }

    /// Keeps only routes whose URI is `prefix` or begins with `prefix` + `/` (`/api` and `api` mean the same; empty:
    /// all). Applied where a manifest is built; gateways ignore it.
    #[must_use]
    pub fn filtered(mut self, prefix: &str) -> Self {
        let prefix = prefix.trim_matches('/');
        if !prefix.is_empty() {
            self.routes.retain(|route| {
                let uri = route.uri.as_str().trim_start_matches('/');
                uri.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            });
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn route(metadata: &Value) -> Route {
        let metadata = metadata.as_object().cloned().unwrap_or_default();
        Route { metadata, ..Route::new(Method::GET, Pattern::parse("/api").expect("a pattern")) }
    }

    #[test]
    fn a_route_says_in_its_metadata_what_it_asks_for() {
        for (value, expected) in
            [(json!(2), 2_000), (json!(0.5), 500), (json!("500ms"), 500), (json!("2m"), 120_000)]
        {
            assert_eq!(route(&json!({"timeout": value})).timeout(), Some(Duration::from_millis(expected)));
        }
        for (value, expected) in [(json!(1024), 1024), (json!("256KiB"), 256 << 10), (json!("0"), 0)] {
            assert_eq!(route(&json!({"body_limit": value})).body_limit(), Some(expected));
        }
        for (value, expected) in [
            (json!(true), RouteIdempotency::Optional),
            (json!("optional"), RouteIdempotency::Optional),
            (json!("required"), RouteIdempotency::Required),
        ] {
            assert_eq!(route(&json!({"idempotency": value})).idempotency(), Some(expected));
        }
        assert!(route(&json!({"idempotent": true})).is_idempotent());
        assert!(route(&json!({"websocket": true})).allows_upgrade());
    }

    #[test]
    fn metadata_of_another_kind_asks_for_nothing() {
        for value in [json!(null), json!(-1), json!(0), json!("soon"), json!([1]), json!(1e300), json!("2")] {
            assert_eq!(route(&json!({"timeout": value})).timeout(), None);
        }
        for value in [json!(null), json!(-1), json!(1.5), json!("much"), json!({})] {
            assert_eq!(route(&json!({"body_limit": value})).body_limit(), None);
        }
        for value in [json!(null), json!(false), json!("maybe"), json!(1)] {
            assert_eq!(route(&json!({"idempotency": value})).idempotency(), None);
            assert!(!route(&json!({"idempotent": value})).is_idempotent());
            assert!(!route(&json!({"websocket": value})).allows_upgrade());
        }
        let bare = route(&json!({}));
        assert_eq!((bare.timeout(), bare.body_limit(), bare.idempotency()), (None, None, None));
    }

    #[track_caller]
    fn kept(prefix: &str, expected: &[&str]) {
        let routes = ["/api", "/api/x", "/apis", "/internal/api", "/"]
            .map(|uri| Route::new(Method::GET, Pattern::parse(uri).expect("a pattern")));
        let name = ServiceName::parse("pim").expect("a name");
        let manifest = Manifest::new(name, routes.to_vec(), UnixMillis(0)).filtered(prefix);
        let uris: Vec<&str> = manifest.routes.iter().map(|route| route.uri.as_str()).collect();
        assert_eq!(uris, expected, "{prefix:?}");
    }

    #[test]
    fn a_prefix_keeps_the_routes_that_are_it_or_lie_below_it() {
        for prefix in ["api", "/api", "/api/", "api/"] {
            kept(prefix, &["/api", "/api/x"]);
        }
        kept("", &["/api", "/api/x", "/apis", "/internal/api", "/"]);
        kept("/", &["/api", "/api/x", "/apis", "/internal/api", "/"]);
        kept("internal", &["/internal/api"]);
        kept("ap", &[]);
    }
}
