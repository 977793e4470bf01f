//! The two run and understand each other.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Output, Stdio},
};

const SECRET: &str = "a secret for two services";

/// A running service; ends with the test.
struct Running {
    child: Child,
    url: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve() -> Running {
    let mut child = Command::new(env!("CARGO_BIN_EXE_two-services-service"))
        .args(["127.0.0.1:0", SECRET])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
    Running { child, url }
}

fn call(secret: &str, url: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_two-services-caller")).args([secret, url]).output().unwrap()
}

#[test]
fn a_caller_adds_bananas_and_a_stranger_does_not() {
    let service = serve();
    let first = call(SECRET, &service.url);
    let text = "{\"bananas\":5,\"thanks\":\"shop\"}\nbananas: 5\n";
    assert_eq!(String::from_utf8_lossy(&first.stdout), text, "{first:?}");

    let stranger = call("another secret altogether", &service.url);
    assert!(!stranger.status.success());
    assert_eq!(String::from_utf8_lossy(&stranger.stdout), "");

    let second = call(SECRET, &service.url);
    assert!(String::from_utf8_lossy(&second.stdout).ends_with("bananas: 10\n"), "{second:?}");
}
