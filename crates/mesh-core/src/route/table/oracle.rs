//! The tree against a search that tries every route.

use proptest::prelude::*;

use super::*;

fn segment() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a", "b", "ab", "%61", "a.b", "{}", "{}", "{}.b", "a{}", "{}.{}", "{}a{}", "{}{}",
    ])
}

fn uri() -> impl Strategy<Value = String> {
    (prop::collection::vec(segment(), 0..4), any::<bool>(), prop::bool::weighted(0.2)).prop_map(
        |(segments, optional, slash)| {
            let mut uri: String = segments.iter().flat_map(|segment| ["/", segment]).collect();
            if optional && segments.len() < 3 {
                uri.push_str("/{?}");
            }
            if uri.is_empty() || slash {
                uri.push('/');
            }
            let mut named = String::new();
            for (at, part) in uri.split('{').enumerate() {
                if at > 0 {
                    named.push_str(&format!("{{p{at}"));
                }
                named.push_str(part);
            }
            named
        },
    )
}

/// A method that no RFC of HTTP defines.
fn purge() -> Method {
    Method::from_bytes(b"PURGE").expect("a token")
}

fn manifests() -> impl Strategy<Value = Vec<Arc<Manifest>>> {
    let method = prop::sample::select(vec![Method::GET, Method::POST, Method::PUT, purge()]);
    let route = (method, uri())
        .prop_map(|(method, uri)| Route::new(method, Pattern::parse(&uri).expect("a pattern")));
    let manifest = prop::collection::vec(route, 0..12);
    prop::collection::vec(manifest, 1..4).prop_map(|all| {
        let named = ["b", "a", "c"].into_iter().zip(all);
        named
            .map(|(service, routes)| {
                let service = ServiceName::parse(service).expect("a name");
                Arc::new(Manifest::new(service, routes, crate::clock::UnixMillis(0)))
            })
            .collect()
    })
}

fn path() -> impl Strategy<Value = String> {
    let segment = prop::sample::select(vec![
        "a", "b", "ab", "%61", "%61%62", "a.b", "a.b.b", "aab", "x", "c%2E%62", "",
    ]);
    (prop::collection::vec(segment, 0..4), any::<bool>())
        .prop_map(|(segments, slash)| format!("/{}{}", segments.join("/"), if slash { "/" } else { "" }))
}

/// Every route of every service by name and position, the later of one method and shape left out.
fn served(manifests: &[Arc<Manifest>]) -> Vec<(ServiceName, &Route)> {
    let mut sorted: Vec<_> = manifests.iter().collect();
    sorted.sort_by(|a, b| a.service.cmp(&b.service));
    let mut seen = BTreeSet::new();
    let routes = sorted
        .iter()
        .flat_map(|manifest| manifest.routes.iter().map(|route| (manifest.service.clone(), route)));
    routes.filter(|(_, route)| seen.insert((route.method.to_string(), route.uri.shape()))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_tree_finds_what_a_search_over_all_routes_finds(
        manifests in manifests(),
        paths in prop::collection::vec(path(), 8),
        reversed in any::<bool>(),
    ) {
        let mut shuffled = manifests.clone();
        if reversed {
            shuffled.reverse();
        }
        let table = RouteTable::build(&shuffled, &TableSettings::default());
        let served = served(&manifests);
        prop_assert_eq!(table.entries().len(), served.len());
        for path in &paths {
            let mut matching: Vec<_> = served.iter().filter(|(_, route)| route.uri.matches(path)).collect();
            matching.sort_by_key(|(_, route)| Reverse(route.uri.specificity()));
            for method in [Method::GET, Method::POST, Method::PUT, Method::HEAD, Method::OPTIONS, purge()] {
                let wanted = if method == Method::HEAD { Method::GET } else { method.clone() };
                let expected = matching.iter().find(|(_, route)| route.method == wanted);
                let found = table.resolve(&method, path);
                let ranked = table.rank(&method, path).map(|rank| Arc::as_ptr(&table.ranking()[rank]));
                let resolved = if let Resolution::Found(entry) = &found { Some(Arc::as_ptr(entry)) } else { None };
                prop_assert_eq!(ranked, resolved);
                match (expected, &found) {
                    (Some((service, route)), Resolution::Found(entry)) => {
                        prop_assert_eq!((service, &route.uri), (&entry.service, &entry.uri), "{} {}", method, path);
                    }
                    (None, Resolution::NotFound) => prop_assert!(matching.is_empty(), "{} {}", method, path),
                    (None, Resolution::MethodNotAllowed(methods)) => {
                        let mut known: BTreeSet<&str> = matching.iter().map(|(_, route)| route.method.as_str()).collect();
                        prop_assert!(!known.is_empty());
                        if known.contains("GET") {
                            known.insert("HEAD");
                        }
                        known.insert("OPTIONS");
                        let listed: Vec<&str> = methods.iter().map(Method::as_str).collect();
                        prop_assert_eq!(listed, known.into_iter().collect::<Vec<_>>());
                    }
                    (expected, found) => prop_assert!(false, "{} {}: {:?} but {:?}", method, path, found, expected),
                }
                let explained = table.explain(&method, path);
                prop_assert_eq!(explained.iter().filter(|one| one.reason.is_none()).count(), usize::from(expected.is_some()));
            }
        }
    }
}
