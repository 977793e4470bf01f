//! Bad requests at the public door: the answers of docs/refusals.md, and nothing at the service.

use crate::{
    house::{Gateway, House, Process, python_service},
    wire,
};

struct Door {
    gateway: Gateway,
    _service: Process,
    _house: House,
}

fn door() -> Door {
    let (service, port) = python_service("pim");
    let house = House::new(&format!(
        "[services.pim]\nbase_urls = [\"http://127.0.0.1:{port}\"]\n[gateway]\nbody_limit = \"4KiB\"\n\
         [services.gateway]\nbase_urls = [\"http://127.0.0.1:1\"]\n"
    ));
    let gateway = house.gateway();
    let pusher = House::new(&format!(
        "[services.edge]\nbase_urls = [\"http://{}\"]\n[manifest]\ngateway = \"edge\"\n",
        gateway.public
    ));
    pusher
        .register("pim", &[("GET", "/api/{thing}"), ("POST", "/api/{thing}"), ("GET", "/api/only-get/{x}")]);
    Door { gateway, _service: service, _house: house }
}

#[track_caller]
fn check(door: &Door, bytes: &[u8], status: u16, code: &str) {
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(120)]).into_owned();
    let answer =
        wire::raw(&door.gateway.public, bytes, false).unwrap_or_else(|error| panic!("{shown:?}: {error}"));
    assert_eq!(answer.status, status, "{shown:?}: {}", String::from_utf8_lossy(&answer.body));
    if !code.is_empty() {
        assert_eq!(answer.code(), code, "{shown:?}");
        assert_eq!(answer.values("cache-control"), ["no-store"], "{shown:?}");
        assert_eq!(answer.values("content-type"), ["application/json"], "{shown:?}");
        assert!(answer.json()["error"].is_string(), "{shown:?}");
    }
}

fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").into_bytes()
}

fn with(header: &str) -> Vec<u8> {
    format!("GET /api/x HTTP/1.1\r\nHost: a\r\n{header}\r\nConnection: close\r\n\r\n").into_bytes()
}

#[test]
fn targets_that_a_service_could_read_otherwise_are_refused() {
    let door = door();
    check(&door, &get("/api/x"), 200, "");
    for target in [
        "/api/./x",
        "/api/../x",
        "/api/%2e%2e",
        "/api/.%2E",
        "/api/..;a=b",
        "/api/.;x",
        "/api/a%2fb",
        "/api/a%5Cb",
        "/api/a\\b",
        "/api//x",
        "//api/x",
        "//evil.example/",
        "/api/%00",
        "/api/%1f",
        "/api/%7f",
        "/api/%zz",
        "/api/%",
        "/api/%c0%ae",
    ] {
        check(&door, &get(target), 400, "path_not_canonical");
    }
    check(&door, &get(&format!("/api/{}", "x".repeat(9_000))), 414, "uri_too_long");
    check(&door, &get("/api/%252e%252e%252f"), 200, "");
    check(&door, b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 204, "");
}

#[test]
fn unknown_paths_and_methods_are_told_apart() {
    let door = door();
    check(&door, &get("/nowhere"), 404, "route_not_found");
    check(
        &door,
        b"DELETE /api/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        405,
        "method_not_allowed",
    );
    let answer = wire::request(&door.gateway.public, "PUT /api/x HTTP/1.1", b"").expect("an answer");
    assert_eq!(answer.values("allow"), ["GET, HEAD, OPTIONS, POST"]);
    let answer = wire::request(&door.gateway.public, "OPTIONS /api/x HTTP/1.1", b"").expect("an answer");
    assert_eq!((answer.status, answer.values("allow")), (204, vec!["GET, HEAD, OPTIONS, POST"]));
    for method in ["CONNECT", "TRACE", "get", "FROB"] {
        let bytes = format!("{method} /api/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = wire::raw(&door.gateway.public, bytes.as_bytes(), false).expect("an answer");
        assert!(matches!(answer.status, 400 | 405), "{method}: {}", answer.status);
    }
}

#[test]
fn headers_that_smuggle_identity_are_refused() {
    let door = door();
    for header in [
        "Connection: X-Signature",
        "Connection: , close, x-service-name",
        "Connection: x-user-id",
        "Connection: authorization",
    ] {
        check(&door, &with(header), 400, "bad_connection_header");
    }
    check(&door, &with("X_User_Id: 7"), 400, "bad_header_name");
    check(&door, &with("Expect: foo"), 417, "expectation_failed");
    check(&door, &with("Connection: upgrade\r\nUpgrade: websocket"), 400, "upgrade_not_allowed");
    check(&door, &with("Connection: upgrade\r\nUpgrade: foo"), 200, "");
    for host in [
        "",
        "Host: b\r\n",
        "Host:\r\n",
        "Host: a@b\r\n",
        "Host: a/b\r\n",
        "Host: a:x\r\n",
        "Host: a:70000\r\n",
    ] {
        let first = if host == "Host: b\r\n" { "Host: a\r\n" } else { "" };
        let bytes = format!("GET /api/x HTTP/1.1\r\n{first}{host}Connection: close\r\n\r\n");
        check(&door, bytes.as_bytes(), 400, "bad_host");
    }
    check(&door, b"GET http://b/api/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 400, "bad_host");
    check(&door, b"GET http://a/api/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 200, "");
}

#[test]
fn bodies_beyond_the_limit_or_out_of_place_are_refused() {
    let door = door();
    let post = |length: usize| {
        let mut bytes = format!(
            "POST /api/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        )
        .into_bytes();
        bytes.resize(bytes.len() + length, b'x');
        bytes
    };
    check(&door, &post(4_096), 200, "");
    check(&door, b"POST /api/x HTTP/1.1\r\nHost: a\r\nContent-Length: 4097\r\n\r\n", 413, "body_too_large");
    let chunk = format!("{:x}\r\n{}\r\n", 4_097, "x".repeat(4_097));
    let chunked =
        format!("POST /api/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}0\r\n\r\n");
    check(&door, chunked.as_bytes(), 413, "body_too_large");
    check(&door, b"GET /api/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", 400, "body_not_allowed");
    let many: String = (0..150).map(|n| format!("X-H{n}: 1\r\n")).collect();
    check(&door, &with(many.trim_end()), 431, "");
}

#[test]
fn a_service_that_is_gone_late_or_unknown_is_told_apart() {
    let (service, port) = python_service("pim");
    let house = House::new(&format!(
        "[defaults]\ntimeout = \"300ms\"\nretries = 0\n[services.pim]\nbase_urls = [\"http://127.0.0.1:{port}\"]\n\
         [services.gone]\nbase_urls = [\"http://127.0.0.1:1\"]\n"
    ));
    let gateway = house.gateway();
    let pusher = House::new(&format!(
        "[services.edge]\nbase_urls = [\"http://{}\"]\n[manifest]\ngateway = \"edge\"\n",
        gateway.public
    ));
    pusher.register("pim", &[("GET", "/api/slow")]);
    pusher.register("gone", &[("GET", "/api/gone")]);
    pusher.register("nowhere", &[("GET", "/api/nowhere")]);
    let door = Door { gateway, _service: service, _house: house };
    check(&door, &get("/api/slow"), 504, "deadline_exceeded");
    check(&door, &get("/api/gone"), 502, "upstream_unreachable");
    check(&door, &get("/api/nowhere"), 503, "upstream_unavailable");
    let answer = wire::get(&door.gateway.public, "/api/nowhere").expect("an answer");
    assert!(answer.values("retry-after")[0].parse::<u64>().is_ok_and(|seconds| seconds >= 1));
}
