//! Backend and load as processes, before each other: counts, no times.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_mesh-bench");
const SECRET: &str = "sixteen bytes or more";

struct Backend(Child, SocketAddr);

impl Backend {
    fn start(arguments: &[&str]) -> Self {
        let backend = ["backend", "--secret", SECRET, "--listen", "127.0.0.1:0"];
        Self::of(&[&backend, arguments].concat())
    }

    /// Whatever says first where it listens.
    fn of(arguments: &[&str]) -> Self {
        let mut child = Command::new(BINARY).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self(child, line.trim().parse().unwrap())
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// The outcome of a load; without `--seconds` it ends with the last of its `--requests`.
fn load(backend: &Backend, arguments: &[&str]) -> Value {
    let mut command = Command::new(BINARY);
    command.args(["load", "--target", &backend.1.to_string(), "--path", "/a"]);
    if !arguments.contains(&"--seconds") {
        command.args(["--seconds", "0"]);
    }
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// More answers than connections: some were used again.
#[track_caller]
fn check_all_good(outcome: &Value, requests: u64) {
    assert_eq!(outcome["errors"], 0, "{outcome}");
    assert!(outcome["requests"].as_u64().unwrap() >= requests, "{outcome}");
}

#[test]
fn every_request_over_a_kept_connection_is_answered() {
    let backend = Backend::start(&[]);
    check_all_good(&load(&backend, &["--connections", "8", "--requests", "1000"]), 1000);
    check_all_good(&load(&backend, &["--connections", "8", "--requests", "1000", "--post", "1024"]), 1000);
    // More than one read, and more than the buffers of a socket hold at once.
    check_all_good(&load(&backend, &["--connections", "2", "--requests", "6", "--post", "6000000"]), 6);
}

#[test]
fn a_load_ends_when_its_time_is_over() {
    let backend = Backend::start(&[]);
    let outcome = load(&backend, &["--connections", "8", "--seconds", "0.05"]);
    check_all_good(&outcome, 8);
    assert!(outcome["seconds"].as_f64().unwrap() >= 0.05, "{outcome}");
}

#[test]
fn a_backend_that_checks_refuses_what_is_not_signed_and_the_load_counts_it() {
    let backend = Backend::start(&["--check"]);
    let outcome = load(&backend, &["--connections", "4", "--requests", "100"]);
    assert_eq!(outcome["requests"], 0, "{outcome}");
    assert!(outcome["non_2xx"].as_u64().unwrap() >= 100, "{outcome}");
    assert_eq!(outcome["errors"], outcome["non_2xx"], "{outcome}");
}

#[test]
fn every_client_calls_and_ours_signs() {
    let plain = Backend::start(&[]);
    for client in ["mesh", "reqwest", "hyper-util"] {
        for post in [&[][..], &["--post", "1024"]] {
            let outcome = call(&plain, client, post);
            assert_eq!(outcome["wrong"], 0, "{client} {outcome}");
            assert!(outcome["calls"].as_u64().unwrap() >= 100, "{client} {outcome}");
        }
    }
    let checking = Backend::start(&["--check"]);
    assert_eq!(call(&checking, "mesh", &["--post", "1024"])["wrong"], 0);
    // Those that do not sign are refused, and it is counted.
    assert_eq!(call(&checking, "reqwest", &[])["calls"], 0);
}

/// The outcome of a client's calls.
fn call(backend: &Backend, client: &str, arguments: &[&str]) -> Value {
    let mut command = Command::new(BINARY);
    command.args(["call", "--by", client, "--target", &backend.1.to_string(), "--path", "/a"]);
    command.args(["--secret", SECRET, "--seconds", "0", "--calls", "100", "--warm", "50"]);
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_load_without_a_target_fails() {
    let gone = Backend::start(&[]).1;
    let mut command = Command::new(BINARY);
    command.args(["load", "--target", &gone.to_string(), "--path", "/"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot connect"), "{output:?}");
}

#[test]
fn a_constant_rate_is_kept_and_every_request_is_answered() {
    let backend = Backend::start(&[]);
    let outcome = load(&backend, &["--connections", "4", "--seconds", "0.2", "--rate", "500"]);
    assert_eq!((outcome["errors"].as_u64(), outcome["requests"].as_u64()), (Some(0), Some(100)), "{outcome}");
}

#[test]
fn a_relay_passes_on_what_it_does_not_read() {
    let backend = Backend::start(&[]);
    let address = backend.1.to_string();
    let relay = Backend::of(&["relay", "--listen", "127.0.0.1:0", "--backend", &address]);
    check_all_good(&load(&relay, &["--connections", "8", "--requests", "1000", "--post", "1024"]), 1000);
    check_all_good(&load(&relay, &["--connections", "2", "--requests", "6", "--post", "6000000"]), 6);
    let large = ["--connections", "8", "--requests", "100", "--path", "/api/large", "--answer", "65536"];
    let outcome = load(&relay, &large);
    // The path of every load here has its turn as well, with its smaller answer.
    assert_eq!(outcome["short"], outcome["errors"], "{outcome}");
    assert!(outcome["requests"].as_u64().unwrap() >= 50, "{outcome}");
}

#[test]
fn a_load_sends_in_slices_and_counts_them_together() {
    let backend = Backend::start(&[]);
    let target = backend.1.to_string();
    let load = ["load", "--target", &target, "--path", "/a", "--connections", "4", "--sliced"];
    // Each connection sends at least once in each slice.
    check_all_good(&three_slices(&load), 12);
}

#[test]
fn a_client_calls_in_slices_and_counts_them_together() {
    let backend = Backend::start(&[]);
    let target = backend.1.to_string();
    for client in ["mesh", "reqwest", "hyper-util"] {
        let call = ["call", "--by", client, "--target", &target, "--path", "/a", "--secret", SECRET];
        let outcome = three_slices(&[&call[..], &["--connections", "4", "--sliced"]].concat());
        assert_eq!(outcome["wrong"], 0, "{client} {outcome}");
        assert!(outcome["calls"].as_u64().unwrap() >= 12, "{client} {outcome}");
        assert!(outcome["seconds"].as_f64().unwrap() >= 0.03, "{client} {outcome}");
    }
}

/// What is said after three slices of 0.01 s.
fn three_slices(arguments: &[&str]) -> Value {
    let mut command = Command::new(BINARY);
    let program = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut program = program.unwrap();
    let (mut tell, mut said) =
        (program.stdin.take().unwrap(), BufReader::new(program.stdout.take().unwrap()));
    let mut next = || {
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        line
    };
    assert_eq!(next(), "ready\n");
    for _ in 0..3 {
        writeln!(tell, "0.01").unwrap();
        assert_eq!(next(), "rests\n");
    }
    drop(tell);
    let outcome = serde_json::from_str(&next()).unwrap();
    assert!(program.wait().unwrap().success());
    outcome
}
