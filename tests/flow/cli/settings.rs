//! Settings from outside: which file, which variable, and what every mistake is told.

use super::{fails, fails_with, good, run, write};
use crate::house::{House, SECRET};

#[test]
fn the_flag_names_the_file_before_the_variable_before_the_folder_before_nothing() {
    let house = House::new("");
    for (file, name) in [("flag.toml", "by-flag"), ("variable.toml", "by-variable")] {
        write(&house, file, format!("name = \"{name}\"\nsecret = \"{SECRET}\"\n"));
    }
    let name = |variables: &[(&str, &str)], arguments: &[&str]| {
        let ran = run(&house, variables, &[arguments, &["sign", "GET", "/", "--json"]].concat());
        assert_eq!(ran.code, Some(0), "{ran:#?}");
        ran.json()["X-Service-Name"].as_str().unwrap_or_default().to_owned()
    };
    let variable = ("MESH_CONFIG", "variable.toml");
    assert_eq!(name(&[variable], &["--config", "flag.toml"]), "by-flag");
    assert_eq!(name(&[variable], &[]), "by-variable");
    assert_eq!(name(&[], &[]), "gateway");
    assert_eq!(name(&[("SERVICE_NAME", "package")], &[]), "package");
    assert_eq!(name(&[("SERVICE_NAME", "package"), ("MESH__NAME", "mesh")], &[]), "mesh");
    std::fs::remove_file(house.folder.path().join("mesh.toml")).expect("a file can be removed");
    assert_eq!(name(&[("SERVICE_SECRET", SECRET)], &[]), "app");
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_ends_with_2() {
    let house = House::new("");
    fails(&house, &["--config", "none.toml", "config", "check"], 2, "none.toml: cannot be read");
    fails_with(&house, &[("MESH_CONFIG", "none.toml")], &["health"], 2, "none.toml: cannot be read");
    write(&house, "bytes.toml", b"\xff\xfe");
    fails(&house, &["--config", "bytes.toml", "config", "check"], 2, "bytes.toml: cannot be read");
    std::fs::remove_file(house.folder.path().join("mesh.toml")).expect("a file can be removed");
    std::fs::create_dir(house.folder.path().join("mesh.toml")).expect("a folder can be made");
    fails(&house, &["config", "check"], 2, "mesh.toml: cannot be read: Is a directory");
}

#[test]
fn a_file_with_a_byte_order_mark_and_windows_line_ends_is_read() {
    let house = House::new("");
    write(&house, "mesh.toml", format!("\u{feff}name = \"pim\"\r\nsecret = \"{SECRET}\"\r\n"));
    let said = good(&house, &["config", "check"]);
    assert_eq!((said.out.as_str(), said.err.as_str()), ("settings are good (mesh.toml)\n", ""));
}

#[test]
fn config_check_reports_all_mistakes_together_with_file_line_and_suggestion() {
    let house = House::new(
        "nmae = \"x\"\nname = \"twice\"\n[services.x]\nbase_urls = [\"http://u:p@host\", \"ftp://h\"]\ntimeout = 0\n\
         multipart = \"none\"\n[health]\nrecovery_timeout = 1e308\n[gateway]\nworkers = -1\nservices = \"pim\"\n\
         [redis]\nurl = \"http://me:hushhush@x\"\n",
    );
    let expected = [
        "mesh.toml:3: nmae: unknown key; did you mean \"name\"?",
        "mesh.toml:4: duplicate key",
        "mesh.toml:6: services.x.base_urls: \"http://u:p@host\": a base URL carries no user information; \"ftp://h\"",
        "mesh.toml:7: services.x.timeout: a timeout is longer than zero",
        "mesh.toml:8: services.x.multipart: \"none\" is not one of \"signed\", \"php\"",
        "mesh.toml:10: health.recovery_timeout: 1e308 is not a length of time",
        "mesh.toml:12: gateway.workers: -1 is not a whole number",
        "mesh.toml:13: gateway.services: a text is not a list of names",
        "mesh.toml:15: redis.url: the value is not a URL",
    ];
    for says in expected {
        fails(&house, &["config", "check"], 2, says);
    }
    let checked = run(&house, &[], &["config", "check", "--json"]);
    assert_eq!(checked.code, Some(2));
    let document = checked.json();
    assert_eq!(document["ok"], false);
    assert_eq!(document["problems"].as_array().map(Vec::len), Some(expected.len()), "{document:#}");
    assert!(!checked.out.contains("hushhush"), "{}", checked.out);
    fails(&house, &["health"], 2, expected[0]);
}

#[test]
fn a_multipart_body_is_signed_or_left_out_for_php_and_nothing_else() {
    for word in ["signed", "php"] {
        good(&House::new(&format!("[services.x]\nmultipart = \"{word}\"\n")), &["config", "check"]);
    }
    fails(
        &House::new("[services.x]\nmultipart = \"none\"\n"),
        &["config", "check"],
        2,
        "services.x.multipart",
    );
}

#[test]
fn a_service_speaks_http_1_or_http_2_and_streams_bodies_over_http_2_alone() {
    let with = |lines: &str| House::new(&format!("[services.x]\n{lines}\n"));
    for lines in ["protocol = \"http1\"", "protocol = \"http2\"\nrequest_bodies = \"streamed\""] {
        good(&with(lines), &["config", "check"]);
    }
    for (lines, says) in [
        ("protocol = \"h2\"", "mesh.toml:4: services.x.protocol: \"h2\" is not one of \"http1\", \"http2\""),
        (
            "request_bodies = \"all\"",
            "services.x.request_bodies: \"all\" is not one of \"held\", \"streamed\"",
        ),
        ("request_bodies = \"streamed\"", "services.x.request_bodies: bodies are streamed over HTTP/2 alone"),
    ] {
        fails(&with(lines), &["config", "check"], 2, says);
    }
}

#[test]
fn variables_are_checked_as_the_file_is() {
    let house = House::new("[services.my-shop]\nbase_urls = [\"http://127.0.0.1:1\"]\n");
    for (name, value, says) in [
        ("MESH__HEALTH__FAILURE_TRESHOLD", "5", "did you mean MESH__HEALTH__FAILURE_THRESHOLD?"),
        ("MESH__", "5", "unknown variable"),
        ("MESH__GATEWAY__LISTEN", "here", "gateway.listen"),
        ("MESH__DEFAULTS__TIMEOUT", "", "defaults.timeout"),
        ("SERVICE_NAME", "a b", "a service name holds"),
        ("SERVICE_NAME", "", "a service name is empty"),
        ("SERVICE_REDIS_URL", "http://x", "redis.url"),
        ("MESH__REDIS__URL", "redis://127.0.0.1:1/one", "redis.url"),
        ("MESH__SERVICES__MY_SHOP__RETRIES", "11", "services.my-shop.retries"),
        ("MANIFEST_GATEWAY_SERVICE", "gateway", "names this service itself"),
        ("MANIFEST_GATEWAY_SERVICE", "other", "\"other\" is not in [services]"),
        ("MESH__ALGORITHM", "md5", "algorithm"),
    ] {
        fails_with(&house, &[(name, value)], &["routes"], 2, says);
        fails_with(&house, &[(name, value)], &["routes"], 2, name);
    }
    let good = run(&house, &[("MANIFEST_GATEWAY_SERVICE", "my-shop")], &["config", "check"]);
    assert_eq!(good.code, Some(0), "{good:#?}");
}

#[test]
fn a_weak_secret_ends_the_commands_that_sign_and_is_never_shown() {
    let house = House::new("[redis]\nurl = \"redis://127.0.0.1:1\"\n");
    write(&house, "pim.json", "{\"routes\":[]}");
    let register = &["register", "--manifest", "pim.json"][..];
    let sign = &["sign", "GET", "/"][..];
    for (variable, value, says) in [
        ("SERVICE_SECRET", "", "secret: the secret is empty"),
        ("SERVICE_SECRET", "hush-hush", "secret: the secret is shorter than 16 bytes"),
        ("SERVICE_PREVIOUS_SECRETS", "hush-hush", "previous_secrets: the secret is shorter than 16 bytes"),
    ] {
        for command in [&["gateway"][..], register, &["call", "pim", "GET", "/"], sign, &["config", "check"]]
        {
            fails_with(&house, &[(variable, value)], command, 2, says);
            let said = run(&house, &[(variable, value)], command);
            assert!(!said.err.contains("hush-hush"), "{said:#?}");
        }
        let checked = run(&house, &[(variable, value)], &[register, &["--dry-run"]].concat());
        assert_eq!(checked.code, Some(0), "{checked:#?}");
        for command in [&["health"][..], &["routes"], &["explain", "GET", "/x"]] {
            fails_with(&house, &[(variable, value)], command, 3, "redis");
        }
    }
}
