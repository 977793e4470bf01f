//! What the decisions of a request cost by themselves: `cargo bench --package mesh-core`.
//!
//! Times, and so no part of the tests: docs/performance.md has the counts that are.

#![expect(clippy::unwrap_used, reason = "what is measured is made as in a test")]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use http::{HeaderMap, HeaderValue, Method};
use mesh_core::call::{Call, CallPlan};
use mesh_core::clock::{Tick, UnixMillis};
use mesh_core::forward::ClientFacts;
use mesh_core::forward::request::forward_headers;
use mesh_core::name::ServiceName;
use mesh_core::retry::{Outcome, RetryMethods, RetryPolicy};
use mesh_core::route::{Manifest, Pattern, Route, RouteTable, TableSettings};
use mesh_core::secret::Secret;
use mesh_core::signature::{Keyring, Presented, Signer, Verifier};

const SECONDS: u64 = 1_700_000_000;
const NOW: UnixMillis = UnixMillis(SECONDS * 1000);
const TARGET: &str = "/api/products/42?page=2";
const BODIES: [usize; 3] = [0, 1024, 64 * 1024];

fn keyring() -> Keyring {
    Keyring::new(Secret::try_new("sixteen bytes or more").unwrap())
}

fn signatures(criterion: &mut Criterion) {
    let (signer, verifier) = (Signer::new(&keyring()), Verifier::new(keyring(), Duration::from_secs(60)));
    let timestamp = SECONDS.to_string();
    let mut group = criterion.benchmark_group("signature");
    for length in BODIES {
        let body = vec![b'a'; length];
        let signature = signer.sign("POST", TARGET, SECONDS, &body);
        let presented = Presented::parse(&[signature.as_str().as_bytes()], &[timestamp.as_bytes()]).unwrap();
        verifier.verify(&presented, "POST", TARGET, &body, NOW).unwrap();
        group.throughput(Throughput::Bytes(length as u64));
        group.bench_with_input(BenchmarkId::new("sign", length), &body, |bencher, body| {
            bencher.iter(|| signer.sign("POST", black_box(TARGET), SECONDS, body));
        });
        group.bench_with_input(BenchmarkId::new("verify", length), &body, |bencher, body| {
            bencher.iter(|| verifier.verify(&presented, "POST", black_box(TARGET), body, NOW));
        });
    }
    group.finish();
}

/// 20 routes of each service.
fn table(services: usize) -> RouteTable {
    let manifest = |service: usize| {
        let uri = |route| Pattern::parse(&format!("/api/s{service}/r{route}/{{id}}")).unwrap();
        let routes = (0..20).map(|route| Route::new(Method::GET, uri(route))).collect();
        Arc::new(Manifest::new(ServiceName::parse(&format!("s{service}")).unwrap(), routes, NOW))
    };
    let manifests: Vec<_> = (0..services).map(manifest).collect();
    RouteTable::build(&manifests, &TableSettings::default())
}

fn routes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("resolve");
    for services in [1, 50, 250] {
        let table = table(services);
        let path = format!("/api/s{}/r19/42", services - 1);
        assert!(table.look_up("GET", &path).is_some());
        group.bench_with_input(BenchmarkId::new("routes", services * 20), &path, |bencher, path| {
            bencher.iter(|| table.resolve(&Method::GET, black_box(path)));
        });
    }
    group.finish();
}

fn calls(criterion: &mut Criterion) {
    criterion.bench_function("call/answered at once", |bencher| {
        bencher.iter(|| {
            let mut call = Call::new(CallPlan {
                order: vec![0, 1],
                policy: RetryPolicy {
                    retries: 2,
                    retry_delay: Duration::from_millis(100),
                    methods: RetryMethods::Idempotent,
                },
                may_repeat: true,
                attempt_timeout: Duration::from_secs(5),
                deadline: Tick(u64::MAX),
            });
            black_box(call.next(Tick(0), 7));
            call.on_outcome(Outcome::Answered, Tick(1));
            call.next(Tick(1), 7)
        });
    });
}

fn forwarding(criterion: &mut Criterion) {
    let lines = [
        ("host", "shop.example"),
        ("accept", "*/*"),
        ("accept-encoding", "gzip, br"),
        ("accept-language", "de, en;q=0.8"),
        ("authorization", "Bearer abcdefghijklmnopqrstuvwxyz"),
        ("connection", "keep-alive"),
        ("user-agent", "bench/1.0"),
        ("x-request-id", "0b9c2a6e-6a6f-4b6e-9f63-0d3f5c1d2e3f"),
    ];
    let headers: HeaderMap =
        lines.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect();
    let facts = ClientFacts {
        peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        peer_is_trusted: false,
        scheme: "https",
        host: "shop.example",
        port: 443,
        prefix: None,
        is_traced: false,
    };
    criterion.bench_function("forward/8 headers", |bencher| {
        bencher.iter(|| {
            let mut bytes = 0;
            forward_headers(black_box(&headers), &facts, |name, value| {
                bytes += name.as_str().len() + value.len()
            });
            bytes
        });
    });
}

criterion_group!(benches, signatures, routes, calls, forwarding);
criterion_main!(benches);
