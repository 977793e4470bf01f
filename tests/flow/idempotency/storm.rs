//! Ten thousand duplicates at once.

use std::{
    collections::BTreeMap,
    io::{BufReader, Write as _},
    net::TcpStream,
    process::Command,
    thread,
};

use super::stage::{LOCK, Stage, signed};
use crate::{
    house::PATIENCE,
    wire::{self, Answer},
};

const PROCESSES: usize = 4;
const CONNECTIONS: usize = 2_500;
/// Sockets of the test itself, and some to spare.
const FILES: usize = PROCESSES * CONNECTIONS + 500;

/// Lets this process and those it starts hold enough sockets.
fn raise_the_limit_of_open_files() {
    let process = std::process::id().to_string();
    let raised = Command::new("prlimit").args(["--pid", &process, &format!("--nofile={FILES}:")]).status();
    assert!(raised.is_ok_and(|status| status.success()), "this story needs {FILES} open files (ulimit -Hn)");
}

fn connect(address: &str) -> Vec<TcpStream> {
    let mut streams = Vec::with_capacity(CONNECTIONS);
    for number in 0..CONNECTIONS {
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
        if number % 100 == 0 {
            // The service keeps up: its backlog never overflows.
            let head = signed("GET", "/api/work", "", b"");
            stream.write_all(format!("{head}\r\nHost: a\r\n\r\n").as_bytes()).expect("a request");
            assert_eq!(answer(&stream).status, 201);
        }
        streams.push(stream);
    }
    streams
}

fn answer(stream: &TcpStream) -> Answer {
    wire::read(&mut BufReader::new(stream.try_clone().expect("a handle")), false).expect("an answer")
}

/// One request on every connection, written on all before the first answer is read.
fn round(streams: &[Vec<TcpStream>], target: &str, key: &str) -> Vec<Answer> {
    let bytes = format!("{}\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", signed("POST", target, key, b"x"));
    let bytes = bytes.as_bytes();
    thread::scope(|scope| {
        let rounds: Vec<_> = streams
            .iter()
            .map(|streams| {
                scope.spawn(move || {
                    for mut stream in streams {
                        stream.write_all(bytes).expect("a request");
                    }
                    streams.iter().map(answer).collect::<Vec<_>>()
                })
            })
            .collect();
        rounds.into_iter().flat_map(|round| round.join().expect("a round")).collect()
    })
}

#[test]
fn ten_thousand_duplicates_at_once_over_four_processes_run_once() {
    raise_the_limit_of_open_files();
    let stage = Stage::new();
    let services = ["a", "b", "c", "d"].map(|name| stage.service(name, LOCK, "trusted"));
    let streams: Vec<_> = thread::scope(|scope| {
        let addresses = services.iter().map(|service| service.address.clone());
        let connecting: Vec<_> = addresses.map(|address| scope.spawn(move || connect(&address))).collect();
        connecting.into_iter().map(|connected| connected.join().expect("connections")).collect()
    });
    for (key, target) in [("one", "/api/slow"), ("two", "/api/work"), ("three", "/api/slow")] {
        let answers = round(&streams, target, key);
        assert_eq!(answers.len(), 10_000);
        let mut kinds = BTreeMap::<_, u32>::new();
        for answer in &answers {
            let hit = answer.values("x-idempotency-cache-hit") == ["true"];
            let bypassed = !answer.values("x-idempotency-status").is_empty();
            *kinds.entry((answer.status, hit, bypassed)).or_default() += 1;
        }
        assert_eq!(stage.runs(key).len(), 1, "{key}: {kinds:?}");
        assert_eq!(kinds.get(&(201, false, false)), Some(&1), "{key}: {kinds:?}");
        let known = [(201, false, false), (201, true, false), (409, false, false)];
        assert!(kinds.keys().all(|kind| known.contains(kind)), "{key}: {kinds:?}");
    }
}
