//! PHP processes of a story; see peer.php.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::house::Process;

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("flow/peer.php")
}

/// A PHP service behind PHP's own web server: the process and its port. It reads its secret from `secret` at each request.
pub fn receiver(name: &str, secret: &Path) -> (Process, u16) {
    let mut command = Command::new("php");
    command.args(["-S", "127.0.0.1:0"]).arg(script());
    let mut process = Process::start(command.env("SECRET_FILE", secret).env("PEER_NAME", name));
    let port = process.line("the port", |line| {
        line.split_once("(http://127.0.0.1:")?.1.split_once(") started")?.0.parse().ok()
    });
    (process, port)
}

/// A PHP program that does what it is asked, line by line.
#[derive(Debug)]
pub struct Peer(Child);

impl Peer {
    pub fn start() -> Self {
        let mut command = Command::new("php");
        let child = command.arg(script()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        Self(child.expect("php runs"))
    }

    /// The answers to all questions, in their order.
    pub fn ask_all(&mut self, questions: &[Value]) -> Vec<Value> {
        let stdin = self.0.stdin.as_mut().expect("a pipe");
        let mut lines = BufReader::new(self.0.stdout.as_mut().expect("a pipe")).lines();
        thread::scope(|scope| {
            scope.spawn(move || {
                let text: String = questions.iter().map(|question| format!("{question}\n")).collect();
                stdin.write_all(text.as_bytes()).expect("php listens");
            });
            let mut answer = |question: &Value| {
                let line = lines.next().and_then(Result::ok).unwrap_or_default();
                serde_json::from_str(&line).unwrap_or_else(|_| panic!("to {question} php says {line:?}"))
            };
            questions.iter().map(&mut answer).collect()
        })
    }

    pub fn ask(&mut self, question: Value) -> Value {
        self.ask_all(&[question]).remove(0)
    }

    /// A signed call of the service `name`: the status, and the answer's body.
    pub fn call(
        &mut self,
        name: &str,
        secret: &str,
        base: &str,
        request: (&str, &str, &[u8]),
    ) -> (u64, String) {
        self.call_with(&[], name, secret, base, request)
    }

    /// The same with further header lines.
    pub fn call_with(
        &mut self,
        headers: &[&str],
        name: &str,
        secret: &str,
        base: &str,
        request: (&str, &str, &[u8]),
    ) -> (u64, String) {
        let (method, path, body) = request;
        let (path, query) = path.split_at(path.find('?').unwrap_or(path.len()));
        let answer = self.ask(json!({
            "do": "call", "name": name, "secret": secret, "base": base, "method": method, "path": path, "query": query,
            "body": STANDARD.encode(body), "headers": headers,
        }));
        (answer[0].as_u64().unwrap_or(0), answer[1].as_str().unwrap_or_default().to_owned())
    }
}

/// How PHP reaches a Redis server of this URL.
pub fn redis(url: &str) -> String {
    url.replace("redis://", "tcp://").trim_end_matches("/0").to_owned()
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
