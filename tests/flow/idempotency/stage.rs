//! What these stories share: services on one Redis, a log of what ran, signed requests.

use std::{
    fs,
    process::Command,
    thread::{self, JoinHandle},
};

use mesh_core::{
    clock::{Clock, SystemClock},
    secret::Secret,
    signature::{Keyring, Signer},
};
use tempfile::TempDir;

use crate::{
    house::{Process, SECRET, wait_for},
    store::Store,
    wire::{self, Answer},
};

/// A lock that lasts longer than any hiccup of a busy machine.
pub const LOCK: u32 = 10_000;

/// Services come and go; Redis and the log stay.
#[derive(Debug)]
pub struct Stage {
    pub redis: Store,
    folder: TempDir,
}

/// One process.
#[derive(Debug)]
pub struct Service {
    pub process: Process,
    pub address: String,
}

impl Stage {
    pub fn new() -> Self {
        Self { redis: Store::start(), folder: TempDir::new().expect("a temporary folder") }
    }

    /// Starts a service; see tests/service.rs.
    pub fn service(&self, name: &str, lock_millis: u32, mode: &str) -> Service {
        let mut command = Command::new(env!("CARGO_BIN_EXE_idempotent-service"));
        command.arg(self.folder.path()).args([name, &self.redis.url(), &lock_millis.to_string(), mode]);
        let mut process = Process::start(&mut command);
        let port: u16 = process.line("the port", |line| line.parse().ok());
        Service { process, address: format!("127.0.0.1:{port}") }
    }

    /// Who ran the request with `key`, in order.
    pub fn runs(&self, key: &str) -> Vec<String> {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines = log.lines().filter_map(|line| line.split_once(' '));
        lines.filter(|(_, ran)| *ran == key).map(|(name, _)| name.to_owned()).collect()
    }

    /// Waits until the request with `key` began that many times.
    #[track_caller]
    pub fn wait_for_runs(&self, key: &str, count: usize) {
        wait_for("a handler that runs", || (self.runs(key).len() >= count).then_some(()));
    }

    /// Lets `/api/hold` of the service `name` answer.
    pub fn let_go(&self, name: &str) {
        fs::write(self.folder.path().join(format!("{name}.go")), "").expect("a file");
    }

    /// The text at a key of Redis.
    pub fn value(&self, key: &str) -> Option<String> {
        self.redis.command(&["GET", key]).text().map(str::to_owned)
    }

    /// The only key that matches.
    #[track_caller]
    pub fn only_key(&self, glob: &str) -> String {
        match self.redis.command(&["KEYS", glob]) {
            mesh_testkit::redis::Reply::Array(keys) if keys.len() == 1 => {
                keys[0].text().expect("a key is a text").to_owned()
            }
            other => panic!("{glob}: {other:?}"),
        }
    }
}

/// The head of a request that `orders` signed now, without `Host` and blank line.
pub fn signed(method: &str, target: &str, key: &str, body: &[u8]) -> String {
    let keyring = Keyring::new(Secret::try_new(SECRET).expect("a secret"));
    let seconds = SystemClock.unix().seconds();
    let signature = Signer::new(&keyring).sign(method, target, seconds, body);
    let id = if key.is_empty() { String::new() } else { format!("\r\nX-Request-Id: {key}") };
    format!(
        "{method} {target} HTTP/1.1\r\nX-Service-Name: orders\r\nX-Timestamp: {seconds}\r\nX-Signature: {}{id}",
        signature.as_str()
    )
}

impl Service {
    /// A signed POST.
    #[track_caller]
    pub fn post(&self, target: &str, key: &str, body: &[u8]) -> Answer {
        wire::request(&self.address, &signed("POST", target, key, body), body).expect("an answer")
    }

    /// The same, while the story goes on.
    pub fn posting(&self, target: &str, key: &str) -> JoinHandle<Answer> {
        let (address, head) = (self.address.clone(), signed("POST", target, key, b"x"));
        thread::spawn(move || wire::request(&address, &head, b"x").expect("an answer"))
    }
}

/// Whether it is a stored answer.
pub fn is_hit(answer: &Answer) -> bool {
    answer.values("x-idempotency-cache-hit") == ["true"]
}

/// Whether it says that the store does not have it.
pub fn is_not_stored(answer: &Answer) -> bool {
    answer.values("x-idempotency-status") == ["not-stored"]
}

/// That a twin is in flight.
#[track_caller]
pub fn check_in_flight(answer: &Answer) {
    assert_eq!((answer.status, answer.values("retry-after")), (409, vec!["1"]));
    let text = r#"{"message":"Request is already being processed.","code":"idempotency.in_flight"}"#;
    assert_eq!(String::from_utf8_lossy(&answer.body), text);
}
