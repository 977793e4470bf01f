//! The services behind the gateway, and their routes.

use serde_json::{Value, json};

use super::{CHECKED, PLAIN};
use crate::payload::LARGE_PATH;

/// The service that answers whatever comes.
const BENCH: &str = "bench";

/// The service that checks signatures.
pub(super) const CHECKING: &str = "bench-checked";

/// How many routes there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Routes {
    /// 10 of 2 services.
    Few,
    /// 1,000 of 50 further services.
    Many,
}

/// The other services, and the routes of each.
const SERVICES: usize = 50;
const ROUTES: usize = 20;

/// The other routes of [`BENCH`].
const FEW: usize = 4;

/// A service and its routes.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) name: String,
    routes: Vec<(&'static str, String)>,
    /// A path of its last route.
    pub(super) example: String,
}

impl Routes {
    /// All services.
    pub(super) fn services(self) -> Vec<Service> {
        let few = (0..FEW).map(|route| ("GET", format!("/api/few/r{route:02}/{{id}}")));
        let plain = [PLAIN, LARGE_PATH].into_iter().flat_map(both);
        let mut services =
            vec![service(BENCH, plain.chain(few).collect()), service(CHECKING, both(CHECKED).collect())];
        if self == Self::Many {
            services.extend((0..SERVICES).map(|number| {
                let routes =
                    (0..ROUTES).map(|route| ("GET", format!("/api/s{number:02}/r{route:02}/{{id}}")));
                service(&format!("s{number}"), routes.collect())
            }));
        }
        services
    }

    /// Paths of the routes that are there for their number: each has its turn. Of few routes as many and
    /// as long ones as of many, so that what is compared are gateways, and not how much memory a load goes through.
    pub(super) fn paths(self) -> Vec<String> {
        let path = |number: usize| match self {
            Self::Few => format!("/api/few/r{:02}/7", number % FEW),
            Self::Many => format!("/api/s{:02}/r{:02}/7", number % SERVICES, number / SERVICES),
        };
        (0..SERVICES * ROUTES).map(path).collect()
    }
}

impl Service {
    /// What it registers.
    pub(super) fn manifest(&self) -> Value {
        let name = &self.name;
        let route = |(number, (method, uri)): (usize, &(&str, String))| json!({ "method": method, "uri": uri, "name": format!("{name}.{number}") });
        let routes: Vec<_> = self.routes.iter().enumerate().map(route).collect();
        json!({ "service": name, "routes": routes, "timestamp": "2026-01-01T00:00:00+00:00" })
    }
}

fn service(name: &str, routes: Vec<(&'static str, String)>) -> Service {
    let example = routes.last().map_or_else(String::new, |(_, uri)| uri.replace("{id}", "7"));
    Service { name: name.to_owned(), routes, example }
}

fn both(path: &'static str) -> impl Iterator<Item = (&'static str, String)> {
    ["GET", "POST"].into_iter().map(move |method| (method, path.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn count(routes: Routes) -> usize {
        routes.services().iter().map(|service| service.routes.len()).sum()
    }

    #[test]
    fn there_are_10_routes_or_1000_more() {
        assert_eq!((count(Routes::Few), Routes::Few.services().len()), (10, 2));
        assert_eq!((count(Routes::Many), Routes::Many.services().len()), (1010, 52));
        let distinct = |routes: Routes| routes.paths().into_iter().collect::<BTreeSet<_>>().len();
        assert_eq!((Routes::Few.paths().len(), Routes::Many.paths().len()), (1000, 1000));
        assert_eq!((distinct(Routes::Few), distinct(Routes::Many)), (FEW, 1000));
        let paths = [Routes::Few, Routes::Many].map(Routes::paths).concat();
        assert!(paths.iter().all(|path| path.len() == paths[0].len()));
    }
}
