//! A gateway that may not open more files: it waits, and goes on.

use std::{
    fs,
    io::{BufReader, Write as _},
    net::TcpStream,
    time::Duration,
};

use crate::{
    house::{House, now, python_service, wait_for},
    wire,
};

/// What the gateway may have open, and how many connections want to be.
const FILES: u32 = 256;
const CONNECTIONS: usize = 400;
/// Failures on record that make an instance unhealthy, unless the settings say otherwise.
const THRESHOLD: usize = 3;
/// How long it is watched without a file to open; connections that say nothing are closed after 10 s.
const WATCHED: Duration = Duration::from_secs(3);
/// Linux counts the time of processes in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

/// How long a process has run on any core, by itself and in the kernel.
fn processor_time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process lives");
    let (_, numbers) = stat.rsplit_once(')').expect("a name in parentheses");
    let ticks: u32 = numbers
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<u32>().expect("a number"))
        .sum();
    TICK * ticks
}

#[test]
fn without_a_file_to_open_the_gateway_neither_spins_nor_ends_and_serves_as_before_afterwards() {
    let (_service, port) = python_service("pim");
    let (_new, new_port) = python_service("new");
    let house = House::new(&format!(
        "[services.pim]\nbase_urls = [\"http://127.0.0.1:{port}\"]\n\
         [services.new]\nbase_urls = [\"http://127.0.0.1:{new_port}\"]\n\
         [services.grpc]\nbase_urls = [\"http://127.0.0.1:{new_port}\"]\nprotocol = \"http2\"\n\
         [services.named]\nbase_urls = [\"http://localhost:{new_port}\"]\n\
         [services.gateway]\nbase_urls = [\"http://127.0.0.1:1\"]\n"
    ));
    let mut gateway = house.gateway_with_files(FILES, FILES);
    let pusher = House::new(&format!(
        "[services.edge]\nbase_urls = [\"http://{}\"]\n[manifest]\ngateway = \"edge\"\n",
        gateway.public
    ));
    pusher.register("pim", &[("GET", "/api/{thing}")]);
    pusher.register("new", &[("GET", "/api/new/{thing}")]);
    pusher.register("grpc", &[("GET", "/api/grpc/{thing}")]);
    pusher.register("named", &[("GET", "/api/named/{thing}")]);
    let mut kept = TcpStream::connect(&gateway.public).expect("a connection");
    let mut ask_over_kept = |path: &str| {
        kept.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes())
            .expect("an open connection");
        let reader = kept.try_clone().expect("another handle");
        wire::read(&mut BufReader::new(reader), false).expect("an answer")
    };
    assert_eq!(ask_over_kept("/api/kept").status, 200);

    let mut crowd: Vec<_> =
        (0..CONNECTIONS).map(|_| TcpStream::connect(&gateway.public).expect("the backlog")).collect();
    gateway
        .process
        .line("a failed accept", |line| line.contains("no connection could be accepted").then_some(()));
    // Nothing is open to these instances, and nothing can be: more often than makes an instance unhealthy.
    for path in ["/api/new/thing", "/api/grpc/thing", "/api/named/thing"].repeat(THRESHOLD + 1) {
        let refused = ask_over_kept(path);
        assert_eq!((refused.status, refused.code().as_str()), (503, "overloaded"), "{path}");
        assert_eq!(refused.values("retry-after"), ["1"]);
    }
    let (begun, before) = (now(), processor_time(gateway.process.pid()));
    wait_for("the end of the watch", || (begun.elapsed() >= WATCHED).then_some(()));
    let (watched, ran) = (begun.elapsed(), processor_time(gateway.process.pid()) - before);
    assert!(ran < watched / 4, "it ran for {ran:?} of {watched:?}");
    assert_eq!(ask_over_kept("/api/kept").status, 200, "connections that are open are served");

    for asks in crowd.iter_mut().take(30) {
        // Each would need a connection to the instance, which cannot be opened either.
        asks.write_all(b"GET /api/crowd HTTP/1.1\r\nHost: a\r\n\r\n").expect("an open connection");
    }

    drop(crowd);
    wait_for("an answer", || {
        wire::get(&gateway.public, "/api/after").ok().filter(|answer| answer.status == 200)
    });
    for path in ["/api/after", "/api/new/after", "/api/named/after"].repeat(10) {
        assert_eq!(wire::get(&gateway.public, path).expect("an answer").status, 200, "{path}");
    }
    let figures = wire::get(&gateway.admin, "/microservice/metrics").expect("an answer").body;
    let figures = String::from_utf8(figures).expect("a text");
    let all = |name: &str| figures.lines().filter(|line| line.starts_with(name)).collect::<Vec<_>>();
    let healthy = all("mesh_instance_healthy{");
    assert!(healthy.len() >= 4 && healthy.iter().all(|line| line.ends_with(" 1.0")), "{healthy:?}");
    let failures = all("mesh_instance_failures_total{");
    assert!(failures.iter().all(|line| line.contains("kind=\"local\"")), "{failures:?}");
    assert!(
        ["new", "grpc", "named"].iter().all(|name| failures.iter().any(|line| line.contains(name))),
        "{failures:?}"
    );
    let failed = figures.lines().find_map(|line| line.strip_prefix("mesh_accept_errors_total "));
    let failed: u64 = failed.and_then(|count| count.parse().ok()).expect("a figure");
    // Twice a second for each worker at most, once it has failed a few times: thousands if it spun.
    assert!((1..1_000).contains(&failed), "{failed} accepts failed");
}

#[test]
fn a_gateway_allows_itself_as_many_open_files_as_it_may() {
    let house = House::new("[gateway]\nsnapshot = \"\"\n");
    let gateway = house.gateway_with_files(128, 512);
    let limits = format!("/proc/{}/limits", gateway.process.pid());
    let limits = fs::read_to_string(limits).expect("the process lives");
    let files = limits.lines().find(|line| line.starts_with("Max open files")).expect("a limit of files");
    assert_eq!(files.split_whitespace().collect::<Vec<_>>()[3..5], ["512", "512"]);
}
