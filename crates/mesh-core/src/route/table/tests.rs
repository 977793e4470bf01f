//! Where requests go, and why.

use super::*;

fn name(text: &str) -> ServiceName {
    ServiceName::parse(text).expect("a name")
}

fn manifest(service: &str, routes: &[(&str, &str)]) -> Arc<Manifest> {
    let routes = routes
        .iter()
        .map(|(method, uri)| {
            Route::new(method.parse().expect("a method"), Pattern::parse(uri).expect("a pattern"))
        })
        .collect();
    Arc::new(Manifest::new(name(service), routes, crate::clock::UnixMillis(0)))
}

fn table(manifests: &[Arc<Manifest>]) -> RouteTable {
    RouteTable::build(manifests, &TableSettings::default())
}

#[track_caller]
fn check(table: &RouteTable, method: &str, path: &str, expected: &str) {
    let found = match table.resolve(&method.parse().expect("a method"), path) {
        Resolution::Found(entry) => format!("{} {}", entry.service, entry.uri),
        Resolution::MethodNotAllowed(methods) => {
            methods.iter().map(Method::as_str).collect::<Vec<_>>().join(",")
        }
        Resolution::NotFound => "none".to_owned(),
    };
    assert_eq!(found, expected, "{method} {path}");
}

fn shop() -> RouteTable {
    table(&[
        manifest(
            "pim",
            &[
                ("GET", "/api/products/{product}"),
                ("GET", "/api/products/featured"),
                ("DELETE", "/api/products/{product}"),
                ("POST", "/api/products/featured/x"),
                ("GET", "/api/opt/{id?}"),
                ("GET", "/api/{x}.json"),
                ("GET", "/"),
            ],
        ),
        manifest("oms", &[("GET", "/api/{any}"), ("PUT", "/api/{any}/{x}/{y}"), ("GET", "/api/opt")]),
    ])
}

#[test]
fn the_most_specific_route_wins_whoever_declares_it() {
    let table = shop();
    check(&table, "GET", "/api/products/featured", "pim /api/products/featured");
    check(&table, "GET", "/api/products/%66eatured/", "pim /api/products/featured");
    check(&table, "GET", "/api/products/1", "pim /api/products/{product}");
    check(&table, "GET", "/api/x.json", "pim /api/{x}.json");
    check(&table, "GET", "/api/x.xml", "oms /api/{any}");
    check(&table, "GET", "/api/opt", "oms /api/opt");
    check(&table, "GET", "/api/opt/5", "pim /api/opt/{id?}");
    check(&table, "GET", "/", "pim /");
    check(&table, "GET", "/api/a/b/c/d", "none");
    check(&table, "GET", "/api//b", "none");
    check(&table, "GET", "api", "none");
}

#[test]
fn a_less_specific_route_that_has_the_method_wins_over_a_refusal() {
    let table = shop();
    check(&table, "DELETE", "/api/products/featured", "pim /api/products/{product}");
    check(&table, "PUT", "/api/products/featured/x", "oms /api/{any}/{x}/{y}");
}

#[test]
fn head_is_served_by_gets_route() {
    let table = shop();
    check(&table, "HEAD", "/api/products/1", "pim /api/products/{product}");
    check(&table, "HEAD", "/api/products/featured/x", "OPTIONS,POST,PUT");
}

#[test]
fn a_known_path_with_another_method_lists_its_methods() {
    let table = shop();
    check(&table, "POST", "/api/products/featured", "DELETE,GET,HEAD,OPTIONS");
    check(&table, "OPTIONS", "/api/products/1", "DELETE,GET,HEAD,OPTIONS");
    check(&table, "get", "/", "GET,HEAD,OPTIONS");
    check(&table, "POST", "/nowhere", "none");
}

#[test]
fn part_literals_are_decided_by_what_follows_them() {
    let table = table(&[
        manifest("aaa", &[("GET", "/{x}.json/{y}"), ("GET", "/v{x}/{y}.z")]),
        manifest("bbb", &[("GET", "/a{x}/lit"), ("GET", "/{x}n/{y?}")]),
    ]);
    check(&table, "GET", "/a.json/lit", "bbb /a{x}/lit");
    check(&table, "GET", "/a.json/other", "aaa /{x}.json/{y}");
    check(&table, "GET", "/va.json/q.z", "aaa /v{x}/{y}.z");
    check(&table, "GET", "/a.json", "bbb /{x}n/{y?}");
}

#[test]
fn of_two_services_with_one_shape_the_smaller_name_keeps_it_in_any_order() {
    let mut manifests = vec![
        manifest("oms", &[("GET", "/api/{b}"), ("GET", "/api/{c}"), ("POST", "/api/{b}")]),
        manifest("aaa", &[("GET", "/api/{a}/")]),
    ];
    for _ in 0..2 {
        let table = table(&manifests);
        check(&table, "GET", "/api/1", "aaa /api/{a}/");
        check(&table, "POST", "/api/1", "oms /api/{b}");
        let refused: Vec<_> = table
            .refused()
            .iter()
            .map(|refused| (refused.entry.uri.as_str(), refused.owner.as_str()))
            .collect();
        assert_eq!(refused, [("/api/{b}", "aaa"), ("/api/{c}", "aaa")]);
        assert_eq!(table.entries().len(), 2);
        manifests.reverse();
    }
}

#[test]
fn within_one_manifest_the_first_declaration_stays() {
    let table = table(&[manifest("oms", &[("GET", "/api/{a}"), ("GET", "/api/{b}")])]);
    check(&table, "GET", "/api/1", "oms /api/{a}");
    assert_eq!(table.refused()[0].owner, name("oms"));
}

#[test]
fn prefixes_and_the_service_filter_shape_the_table() {
    let manifests = [
        manifest("pim", &[("GET", "/api/products/{p}"), ("GET", "/")]),
        manifest("oms", &[("GET", "/api/products/{p}")]),
        manifest("bad", &[("GET", "/api/x")]),
    ];
    let settings = TableSettings {
        services: Some([name("pim"), name("bad")].into()),
        prefixes: [(name("pim"), "/o/x".to_owned()), (name("bad"), "{p}".to_owned())].into(),
        style: PrefixStyle::AfterFirst,
    };
    let table = RouteTable::build(&manifests, &settings);
    check(&table, "GET", "/api/o/x/products/1", "pim /api/o/x/products/{p}");
    check(&table, "GET", "/o/x", "pim /o/x");
    check(&table, "GET", "/api/products/1", "none");
    check(&table, "GET", "/api/x", "none");
    assert_eq!(table.refused()[0].entry.service, name("bad"));
    let Resolution::Found(entry) = table.resolve(&Method::GET, "/api/o/x/products/1%252F/") else {
        panic!("not found");
    };
    assert_eq!(entry.service_path("/api/o/x/products/1%252F/"), "/api/products/1%252F/");
}

#[test]
fn an_explanation_names_the_winner_and_why_the_others_lost() {
    let table = RouteTable::build(
        &[
            manifest(
                "oms",
                &[("GET", "/api/{any}"), ("POST", "/api/x"), ("GET", "/{a}/x"), ("GET", "/api/{x}-{y}")],
            ),
            manifest("pim", &[("GET", "/api/{other}"), ("GET", "/api/x"), ("GET", "/api/{y}-{z}b")]),
            manifest("zzz", &[("GET", "/api/x")]),
        ],
        &TableSettings { services: Some([name("oms"), name("pim")].into()), ..TableSettings::default() },
    );
    let explained = |method: Method, path: &str| -> Vec<(String, Option<String>)> {
        let candidates = table.explain(&method, path);
        candidates
            .into_iter()
            .map(|one| (format!("{} {}", one.entry.service, one.entry.uri), one.reason))
            .collect()
    };
    let row = |entry: &str, reason: &str| (entry.to_owned(), Some(reason.to_owned()));
    assert_eq!(
        explained(Method::HEAD, "/api/x"),
        [
            ("pim /api/x".to_owned(), None),
            row("oms /api/x", "another method: POST"),
            row("oms /api/{any}", "less specific than /api/x"),
            row("oms /{a}/x", "less specific than /api/x"),
            row("pim /api/{other}", "the service oms keeps this route"),
            row("zzz /api/x", "the service zzz is not served by this gateway"),
        ]
    );
    assert_eq!(
        explained(Method::GET, "/api/a-xb")[1],
        row("pim /api/{y}-{z}b", "as specific as /api/{x}-{y}, and the service oms comes first by name")
    );
    assert!(explained(Method::PUT, "/api/x").iter().all(|(_, reason)| reason.is_some()));
    assert_eq!(explained(Method::GET, "/nowhere/y"), []);
}

#[test]
fn the_deepest_patterns_are_walked() {
    let literal = "/a".repeat(1023);
    let parameters: String = (0..250).map(|at| format!("/{{p{at}}}")).collect();
    let table = table(&[manifest("oms", &[("GET", &literal), ("GET", &parameters)])]);
    check(&table, "GET", &literal, &format!("oms {literal}"));
    check(&table, "POST", &"/a".repeat(1023), "GET,HEAD,OPTIONS");
    check(&table, "GET", &"/a".repeat(250), &format!("oms {parameters}"));
    check(&table, "GET", &"/a".repeat(4096), "none");
}

#[test]
fn a_request_that_is_only_named_finds_its_route_or_none() {
    let table = table(&[manifest("pim", &[("GET", "/api/products/{product}")])]);
    for (method, target) in
        [("GET", "/api/products/1"), ("HEAD", "/api/products/1?x=1"), ("GET", "/api/products/1/?")]
    {
        let (entry, path) = table.look_up(method, target).unwrap();
        assert_eq!(entry.uri.as_str(), "/api/products/{product}");
        assert_eq!(path, target.split('?').next().unwrap());
    }
    for (method, target) in [
        ("POST", "/api/products/1"),
        ("get", "/api/products/1"),
        ("G E T", "/api/products/1"),
        ("GET", "/api/products"),
        ("GET", "api/products/1"),
        ("GET", "/api/products/%2e%2e"),
        ("GET", ""),
    ] {
        assert!(table.look_up(method, target).is_none(), "{method} {target}");
    }
}
