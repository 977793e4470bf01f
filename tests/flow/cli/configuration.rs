//! `mesh config show` and what it proves of the settings: defaults, names, precedence, and that secrets stay hidden.

use serde_json::{Value, json};

use super::{Ran, fails, fails_with, good, head, rows, run, write};
use crate::house::{House, SECRET, python_service};

/// Every key that is not a service's: key, default, unit.
const DEFAULTS: &str = r#"
name "app"
secret null
previous_secrets []
algorithm "sha256"
timestamp_tolerance 60 seconds
defaults.timeout 5 seconds
defaults.retries 2
defaults.retry_delay 100 milliseconds
defaults.retry_methods "idempotent"
defaults.deadline null seconds
defaults.max_response 16777216 bytes
redis.url null
redis.prefix "microservice:"
health.failure_threshold 3
health.recovery_timeout 30 seconds
manifest.ttl 300 seconds
manifest.grace 30 seconds
manifest.prefix "api"
manifest.gateway null
manifest.base_urls []
idempotency.ttl 60 seconds
idempotency.lock_timeout 10 seconds
idempotency.max_body 262144 bytes
idempotency.compat false
gateway.listen "0.0.0.0:8000"
gateway.admin_listen "127.0.0.1:9000"
gateway.workers 0
gateway.services null
gateway.snapshot "mesh-routes.json"
gateway.prefix_style "after-first"
gateway.body_limit 1048576 bytes
gateway.trusted_proxies []
gateway.strip_response_headers []
gateway.allow_targets []
"#;

fn row<'a>(shown: &'a Value, key: &str) -> &'a Value {
    let rows = shown["settings"].as_array().expect("settings");
    rows.iter().find(|row| row["key"] == key).unwrap_or_else(|| panic!("no {key} in {shown:#}"))
}

/// The value of a key, and where it came from.
fn of(ran: &Ran, key: &str) -> (Value, String, String) {
    let shown = ran.json();
    let row = row(&shown, key);
    let text = |part: &str| row[part].as_str().unwrap_or_default().to_owned();
    (row["value"].clone(), text("source"), text("from"))
}

#[test]
fn config_show_has_every_key_with_its_default_and_unit() {
    let house = House::new("");
    write(&house, "empty.toml", "");
    let shown = good(&house, &["--config", "empty.toml", "config", "show", "--json"]).json();
    for line in DEFAULTS.lines().filter(|line| !line.is_empty()) {
        let mut words = line.split(' ');
        let (key, default, unit) = (words.next(), words.next(), words.next());
        let row = row(&shown, key.expect("a key"));
        assert_eq!(row["value"].to_string(), default.expect("a default"), "{key:?}");
        assert_eq!(row["unit"].as_str(), unit, "{key:?}");
        assert_eq!((&row["source"], &row["from"]), (&"default".into(), &"default".into()), "{key:?}");
    }
    let table = good(&house, &["config", "show"]).out;
    assert_eq!(head(&table), ["Key", "Value", "From"]);
    assert!(
        rows(&table).contains(&["defaults.retry_delay", "100ms", "default"].map(str::to_owned).to_vec()),
        "{table}"
    );
    assert!(
        rows(&table).contains(&["name", "gateway", "mesh.toml:1"].map(str::to_owned).to_vec()),
        "{table}"
    );
}

#[test]
fn a_flag_wins_over_a_variable_over_the_packages_name_over_the_file_over_the_default() {
    let house = House::new("[gateway]\nlisten = \"127.0.0.1:1\"\n");
    let show = |variables: &[(&str, &str)], more: &[&str]| {
        run(&house, variables, &[&["config", "show", "--json"], more].concat())
    };
    let value = |value: &str, source: &str, from: &str| (json!(value), source.to_owned(), from.to_owned());
    let (package, own) = (("SERVICE_NAME", "package"), ("MESH__NAME", "mesh"));
    assert_eq!(of(&show(&[], &[]), "name"), value("gateway", "file", "mesh.toml:1"));
    assert_eq!(of(&show(&[package], &[]), "name"), value("package", "package", "environment SERVICE_NAME"));
    assert_eq!(
        of(&show(&[package, own], &[]), "name"),
        value("mesh", "environment", "environment MESH__NAME")
    );
    let listen = ("MESH__GATEWAY__LISTEN", "127.0.0.1:2");
    assert_eq!(of(&show(&[], &[]), "gateway.listen"), value("127.0.0.1:1", "file", "mesh.toml:4"));
    assert_eq!(
        of(&show(&[listen], &[]), "gateway.listen"),
        value("127.0.0.1:2", "environment", "environment MESH__GATEWAY__LISTEN")
    );
    assert_eq!(
        of(&show(&[listen], &["--listen", "127.0.0.1:3"]), "gateway.listen"),
        value("127.0.0.1:3", "flag", "flag --listen")
    );
    assert_eq!(of(&show(&[], &[]), "gateway.workers").1, "default");
}

#[test]
fn every_package_name_of_the_environment_is_read() {
    let house = House::new("[services.street]\nbase_urls = []\n");
    for (variable, value, key, shown) in [
        ("SERVICE_NAME", "oms", "name", json!("oms")),
        ("SERVICE_SECRET", "a secret of the package", "secret", json!("***")),
        (
            "SERVICE_PREVIOUS_SECRETS",
            "one of the last week,one of the last month",
            "previous_secrets",
            json!(["***", "***"]),
        ),
        ("SERVICE_REDIS_URL", "redis://127.0.0.1:1/2", "redis.url", json!("redis://127.0.0.1:1/2")),
        ("MANIFEST_GATEWAY_SERVICE", "street", "manifest.gateway", json!("street")),
    ] {
        let ran = run(&house, &[(variable, value)], &["config", "show", "--json"]);
        assert_eq!(of(&ran, key), (shown, "package".to_owned(), format!("environment {variable}")));
    }
}

#[test]
fn a_service_has_its_own_keys_whoever_names_it() {
    let house = House::new("[services.my-shop]\nbase_urls = [\"http://127.0.0.1:1\"]\ntimeout = \"500ms\"\n");
    let variables =
        [("MESH__SERVICES__MY_SHOP__RETRIES", "0"), ("MESH__SERVICES__OMS__BASE_URLS", "http://a,http://b")];
    let ran = run(&house, &variables, &["config", "show", "--json"]);
    let value = |key: &str| of(&ran, key).0;
    assert_eq!(value("services.my-shop.timeout"), 0.5);
    assert_eq!(value("services.my-shop.retries"), 0);
    assert_eq!(value("services.my-shop.multipart"), "signed");
    assert_eq!(value("services.oms.base_urls"), json!(["http://a", "http://b"]));
    assert_eq!(value("services.oms.timeout"), Value::Null);
}

#[test]
fn no_secret_is_ever_shown() {
    let house = House::new("previous_secrets = [\"hushhush of the last week\"]\n");
    let redis = [
        ("SERVICE_REDIS_URL", "redis://me:hushhush@127.0.0.1:1/0"),
        ("MESH__SECRET", "hushhush of this week"),
    ];
    for more in [&[][..], &["--json"]] {
        let ran = run(&house, &redis, &[&["config", "show"], more].concat());
        assert_eq!(ran.code, Some(0), "{ran:#?}");
        assert!(ran.out.contains("redis://me:***@127.0.0.1:1/0") && ran.out.contains("***"), "{ran:#?}");
        assert!(!ran.out.contains("hushhush") && !ran.out.contains(SECRET) && ran.err.is_empty(), "{ran:#?}");
    }
    let weak = run(&house, &[("SERVICE_SECRET", "hush-hush")], &["config", "show"]);
    assert_eq!(weak.code, Some(0), "{weak:#?}");
    assert!(weak.err.contains("secret: the secret is shorter than 16 bytes"), "{weak:#?}");
    assert!(!weak.err.contains("hush-hush") && !weak.out.contains("hush-hush"), "{weak:#?}");
}

#[test]
fn settings_with_a_mistake_are_not_shown() {
    let house = House::new("[defaults]\ntimeuot = 5\n");
    fails(
        &house,
        &["config", "show"],
        2,
        "mesh.toml:4: defaults.timeuot: unknown key; did you mean \"timeout\"?",
    );
    let variable = [("MESH__DEFAULTS__TIMEOUTS", "5")];
    fails_with(&House::new(""), &variable, &["config", "show"], 2, "did you mean MESH__DEFAULTS__TIMEOUT?");
}

#[test]
fn a_call_wins_over_its_service_and_its_service_over_the_defaults() {
    let (_service, port) = python_service("pim");
    let house = |service: &str| {
        House::new(&format!(
            "[services.pim]\nbase_urls = [\"http://127.0.0.1:{port}\"]\n{service}[defaults]\nretries = 3\n\
             retry_delay = 1\ntimeout = \"150ms\"\ndeadline = 30\n"
        ))
    };
    let attempts = |house: &House, more: &[&str]| {
        let ran = run(house, &[], &[&["call", "pim", "GET", "/api/broken", "--json"], more].concat());
        ran.json()["attempts"].as_array().map(Vec::len)
    };
    // Longer limits than the default's: what answers late is no matter here.
    let [defaults, service] = ["", "retries = 1\n"].map(house);
    let patient = ["--timeout", "20"];
    assert_eq!(attempts(&defaults, &patient), Some(4));
    assert_eq!(attempts(&service, &patient), Some(2));
    assert_eq!(attempts(&service, &[&patient[..], &["--retries", "0"]].concat()), Some(1));

    let slow = ["call", "pim", "GET", "/api/slow", "--retries", "0"];
    let service = house("timeout = \"170ms\"\n");
    fails(&defaults, &slow, 3, "no whole answer within 150 ms");
    fails(&service, &slow, 3, "no whole answer within 170 ms");
    fails(&service, &[&slow[..], &["--timeout", "0.19"]].concat(), 3, "no whole answer within 190 ms");
}
