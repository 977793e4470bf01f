//! `mesh call`: one signed call to a service that checks the signature with Python's own hmac.

use super::{Ran, fails, fails_with, good, run, write};
use crate::{
    house::{House, python_service},
    store::Store,
};

fn house(urls: &[&str]) -> House {
    let urls: Vec<_> = urls.iter().map(|url| format!("\"{url}\"")).collect();
    House::new(&format!("[services.pim]\nbase_urls = [{}]\n[defaults]\nretry_delay = 1\n", urls.join(", ")))
}

/// What the service saw, as the answer tells it.
fn seen(ran: &Ran) -> serde_json::Value {
    ran.json()["body"].clone()
}

#[test]
fn a_call_carries_its_method_path_query_headers_and_body_and_prints_the_answer() {
    let (_service, port) = python_service("pim");
    let house = house(&[&format!("http://127.0.0.1:{port}/")]);
    write(&house, "body.json", "{\"from\":\"a file\"}\n");
    let ran = good(
        &house,
        &[
            "call",
            "pim",
            "post",
            "/api/x y?z=1",
            "--body",
            "{\"a\":1}",
            "-H",
            "X-Locale: en",
            "-H",
            "X-Locale:de",
            "--query",
            "a=b=c",
            "--query",
            "é=",
            "--json",
        ],
    );
    assert_eq!(ran.err, "");
    let (document, seen) = (ran.json(), seen(&ran));
    assert_eq!(document["status"], 200);
    assert_eq!(document["headers"]["x-upstream"], "pim");
    assert_eq!(document["attempts"][0]["outcome"], "ok");
    assert_eq!(document["attempts"][0]["url"], format!("http://127.0.0.1:{port}/"));
    assert!(document["attempts"][0]["ms"].is_u64());
    assert_eq!(
        (&seen["method"], &seen["target"]),
        (&"POST".into(), &"/api/x%20y?z=1&a=b%3Dc&%C3%A9=".into())
    );
    assert_eq!(seen["body"], "eyJhIjoxfQ==");
    for (name, values) in [("x-locale", &["en", "de"][..]), ("x-service-name", &["gateway"])] {
        let headers = seen["headers"].as_array().expect("headers");
        let sent: Vec<_> =
            headers.iter().filter(|header| header[0] == name).map(|header| &header[1]).collect();
        assert_eq!(sent, values, "{name}");
    }
    let file = good(&house, &["call", "pim", "PUT", "/api/x", "--body", "@body.json", "--json"]);
    assert_eq!(super::call::seen(&file)["body"], "eyJmcm9tIjoiYSBmaWxlIn0K");
}

#[test]
fn the_answers_body_is_data_byte_for_byte_and_its_status_a_message() {
    let (_service, port) = python_service("pim");
    let house = house(&[&format!("http://127.0.0.1:{port}")]);
    let teapot = run(&house, &[], &["call", "pim", "GET", "/api/teapot"]);
    assert_eq!(teapot.code, Some(1));
    assert_eq!((teapot.out.as_str(), teapot.err.as_str()), ("{\"short\":\"stout\"}", "418 I'm a teapot\n"));
    let quiet = run(&house, &[], &["-q", "call", "pim", "GET", "/api/teapot"]);
    assert_eq!((quiet.code, quiet.out, quiet.err.as_str()), (Some(1), teapot.out, ""));
    let redirect = good(&house, &["call", "pim", "GET", "/api/redirect"]);
    assert_eq!(
        (redirect.out.as_str(), redirect.err.as_str()),
        ("", "302 Found\n"),
        "a redirect is an answer"
    );
    let broken = run(&house, &[], &["call", "pim", "GET", "/api/broken", "--json", "--retries", "2"]);
    assert_eq!((broken.code, &broken.json()["status"]), (Some(1), &500.into()));
    assert_eq!(broken.json()["body"]["own"], "error");
    assert_eq!(broken.json()["attempts"].as_array().map(Vec::len), Some(3));
    let unsigned =
        run(&house, &[("SERVICE_SECRET", "another secret altogether")], &["call", "pim", "GET", "/"]);
    assert_eq!(unsigned.code, Some(1));
    assert!(unsigned.err.contains("401"), "{unsigned:#?}");
}

#[test]
fn verbose_shows_every_attempt_on_stderr() {
    let (_service, port) = python_service("pim");
    let house = house(&["http://127.0.0.1:1", &format!("http://127.0.0.1:{port}")]);
    let ran = good(&house, &["-v", "call", "pim", "GET", "/api/x"]);
    assert!(ran.err.contains("attempt 1: http://127.0.0.1:1 connect: "), "{ran:#?}");
    assert!(ran.err.contains(&format!("attempt 2: http://127.0.0.1:{port} ok (")), "{ran:#?}");
    assert!(!ran.out.contains("attempt"), "{ran:#?}");
    let dead = run(
        &house,
        &[("MESH__SERVICES__PIM__BASE_URLS", "http://127.0.0.1:1")],
        &["-v", "call", "pim", "GET", "/api/x", "--retries", "1"],
    );
    assert_eq!(dead.code, Some(3));
    assert!(dead.err.contains("attempt 2: ") && !dead.err.contains("attempt 3: "), "{dead:#?}");
}

#[test]
fn when_nothing_answers_a_call_ends_with_3() {
    let (_service, port) = python_service("pim");
    let house = house(&[&format!("http://127.0.0.1:{port}")]);
    fails(&house, &["call", "none", "GET", "/"], 3, "No instances configured for service [none].");
    let slow = ["call", "pim", "GET", "/api/slow", "--timeout", "0.1", "--retries", "0"];
    fails(&house, &slow, 3, "no whole answer within 100 ms");
    fails(&house, &["call", "pim", "GET", "/api/truncated", "--retries", "0"], 3, "truncated");
    let dead = [("MESH__SERVICES__PIM__BASE_URLS", "http://127.0.0.1:1,http://127.0.0.1:2")];
    fails_with(&house, &dead, &["call", "pim", "GET", "/"], 3, "http://127.0.0.1:2");
    let json = run(&house, &dead, &["call", "pim", "GET", "/", "--retries", "0", "--json"]);
    assert_eq!(json.code, Some(3));
    assert!(json.json()["status"].is_null() && json.json()["body"].is_null(), "{json:#?}");
    assert_eq!(json.json()["attempts"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_call_that_cannot_be_made_ends_with_2() {
    let house = house(&["http://127.0.0.1:1"]);
    for (arguments, says) in [
        (&["a/b", "GET", "/"][..], "a service name holds"),
        (&["pim", "G@T", "/"], "is no method"),
        (&["pim", "GET", "/../x"], "dot segment"),
        (&["pim", "GET", "/x", "--timeout", "0"], "--timeout"),
        (&["pim", "GET", "/x", "--timeout", "NaN"], "--timeout"),
        (&["pim", "GET", "/x", "--timeout", "1e300"], "--timeout"),
        (&["pim", "GET", "/x", "--query", "a"], "--query \"a\""),
        (&["pim", "GET", "/x", "-H", "none"], "-H \"none\""),
        (&["pim", "GET", "/x", "-H", ": v"], "a header name is not a token"),
        (&["pim", "GET", "/x", "-H", "A: b\r\nC: d"], "forbidden character"),
        (&["pim", "POST", "/x", "--body", "@none"], "cannot read none"),
    ] {
        fails(&house, &[&["call"], arguments].concat(), 2, says);
    }
}

#[test]
fn what_calls_learn_of_health_is_shared_before_the_command_ends() {
    let redis = Store::start();
    let house = house(&["http://127.0.0.1:1"]);
    let store = [("SERVICE_REDIS_URL", redis.url())];
    let store = [(store[0].0, store[0].1.as_str())];
    for failures in 1..=3 {
        fails_with(&house, &store, &["call", "pim", "GET", "/", "--retries", "0"], 3, "http://127.0.0.1:1");
        let health = run(&house, &store, &["health", "--json"]);
        assert_eq!(health.json()["services"][0]["failures"], failures, "{health:#?}");
        assert_eq!(health.code, Some(i32::from(failures == 3)));
    }
    let (_service, port) = python_service("pim");
    let url = format!("http://127.0.0.1:{port}");
    let found = [store[0], ("MESH__SERVICES__PIM__BASE_URLS", url.as_str())];
    assert_eq!(run(&house, &found, &["call", "pim", "GET", "/"]).code, Some(0));
    assert_eq!(run(&house, &found, &["health"]).code, Some(0));
}
