//! Processes of a story: the gateway's binary, Python services, and what is left of them when the story ends.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::wire;

/// What every process of the house signs with.
pub const SECRET: &str = "flow-secret-of-32-bytes-and-more";

/// No condition is waited for longer than this.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The time, for the ends of waits alone.
#[expect(clippy::disallowed_methods, reason = "a wait for a condition has an end; nothing here measures")]
pub fn now() -> Instant {
    Instant::now()
}

/// The binary under test: the one that `cargo xtask test` built, else the one beside the tests.
#[expect(clippy::disallowed_methods, reason = "the runner of the tests says where the binary is")]
pub fn mesh_binary() -> PathBuf {
    std::env::var_os("MESH_BIN").map_or_else(|| beside("mesh"), PathBuf::from)
}

/// A binary of an example.
#[expect(clippy::disallowed_methods, reason = "the runner of the tests says where the binaries are")]
pub fn example_binary(name: &str) -> PathBuf {
    std::env::var_os("MESH_EXAMPLES").map_or_else(|| beside(name), |folder| Path::new(&folder).join(name))
}

fn beside(name: &str) -> PathBuf {
    let here = std::env::current_exe().expect("a test knows its own path");
    let beside = here.ancestors().nth(2).expect("target/debug/deps/flow").join(name);
    assert!(beside.exists(), "no binary {name}: run the tests with `cargo xtask test`");
    beside
}

/// Waits until `condition` gives something.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "a pause between two looks at a condition")]
pub fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let end = now() + PATIENCE;
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(now() < end, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A process that is killed when its story ends.
#[derive(Debug)]
pub struct Process {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Process {
    /// Starts `command` and reads what it prints, on stdout and stderr alike.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let (sender, lines) = channel();
        let streams: [Option<Box<dyn std::io::Read + Send>>; 2] = [
            child.stdout.take().map(|stream| Box::new(stream) as _),
            child.stderr.take().map(|stream| Box::new(stream) as _),
        ];
        for stream in streams.into_iter().flatten() {
            let sender = sender.clone();
            thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        Self { child, lines, seen: Vec::new() }
    }

    /// The first line, printed already or yet to come, for which `found` gives something.
    #[track_caller]
    pub fn line<T>(&mut self, what: &str, found: impl Fn(&str) -> Option<T>) -> T {
        if let Some(found) = self.seen.iter().find_map(|line| found(line)) {
            return found;
        }
        let end = now() + PATIENCE;
        while let Ok(line) = self.lines.recv_timeout(end.saturating_duration_since(now())) {
            let hit = found(&line);
            self.seen.push(line);
            if let Some(hit) = hit {
                return hit;
            }
        }
        panic!("no line with {what}; the process said:\n{}", self.seen.join("\n"));
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, e.g. `KILL`, `STOP`.
    pub fn signal(&self, signal: &str) {
        signal_pid(self.pid(), signal);
    }

    /// Waits for the end and gives the exit code.
    #[track_caller]
    pub fn exit_code(&mut self) -> Option<i32> {
        wait_for("the end of a process", || self.child.try_wait().expect("a child can be asked")).code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to any process of the story.
pub fn signal_pid(pid: u32, signal: &str) {
    let status = Command::new("kill").arg(format!("-{signal}")).arg(pid.to_string()).status();
    assert!(status.is_ok_and(|status| status.success()), "cannot send {signal} to {pid}");
}

/// A Python service; see upstream.py.
pub fn python_service(name: &str) -> (Process, u16) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("flow/upstream.py");
    let mut process = Process::start(Command::new("python3").arg(script).arg(SECRET).arg(name));
    let port = process.line("the port", |line| line.parse().ok());
    (process, port)
}

/// What the binary is told to be a gateway on ports of its own.
const GATEWAY: [&str; 5] = ["gateway", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];

/// A gateway with the settings it was given.
#[derive(Debug)]
pub struct Gateway {
    pub process: Process,
    /// `127.0.0.1:port` of the public listener.
    pub public: String,
    /// `127.0.0.1:port` of the admin listener.
    pub admin: String,
}

/// A folder with a mesh.toml, in which commands of the binary run.
#[derive(Debug)]
pub struct House {
    pub folder: TempDir,
}

impl House {
    /// A folder whose mesh.toml begins with a name and the secret, and goes on with `settings`.
    pub fn new(settings: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let text = format!("name = \"gateway\"\nsecret = \"{SECRET}\"\n{settings}");
        std::fs::write(folder.path().join("mesh.toml"), text).expect("settings can be written");
        Self { folder }
    }

    /// The binary with these arguments, in the folder, without the environment's settings.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(mesh_binary());
        command.current_dir(self.folder.path()).args(arguments).env_remove("MESH_CONFIG");
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).stdin(Stdio::null()).output().expect("the binary runs")
    }

    /// Starts a gateway on ports of its own, and waits until it has routes.
    pub fn gateway(&self) -> Gateway {
        let gateway = self.gateway_without_routes();
        wait_for("a gateway that is ready", || {
            let ready = wire::get(&gateway.admin, "/microservice/health/ready").ok()?;
            (ready.status == 200).then_some(())
        });
        gateway
    }

    /// Starts a gateway on ports of its own, and waits until it listens.
    pub fn gateway_without_routes(&self) -> Gateway {
        Self::started(&mut self.command(&GATEWAY))
    }

    /// Starts a gateway that may have no more than `most` files open, and `soft` as long as it does not allow itself more,
    /// and waits until it listens.
    pub fn gateway_with_files(&self, soft: u32, most: u32) -> Gateway {
        let mut command = Command::new("prlimit");
        command.arg(format!("--nofile={soft}:{most}")).arg(mesh_binary()).args(GATEWAY);
        Self::started(command.current_dir(self.folder.path()).env_remove("MESH_CONFIG"))
    }

    fn started(command: &mut Command) -> Gateway {
        let mut process = Process::start(command);
        let public = process.line("the public address", |line| {
            address_after(line, "listening on http://")
                .or_else(|| address_after(line, "listening on https://"))
        });
        let admin = process.line("the admin address", |line| address_after(line, "admin on http://"));
        Gateway { process, public, admin }
    }

    /// Registers routes of `service` as its own process would, with the binary.
    #[track_caller]
    pub fn register(&self, service: &str, routes: &[(&str, &str)]) {
        let output = self.try_register(service, routes);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Like [`register`](Self::register), whatever comes of it.
    pub fn try_register(&self, service: &str, routes: &[(&str, &str)]) -> Output {
        let file = self.folder.path().join(format!("{service}.manifest.json"));
        std::fs::write(&file, manifest(service, routes)).expect("a manifest can be written");
        let mut command = self.command(&["register", "--manifest", &file.to_string_lossy()]);
        command.env("SERVICE_NAME", service).output().expect("the binary runs")
    }
}

/// A manifest document.
pub fn manifest(service: &str, routes: &[(&str, &str)]) -> String {
    let routes: Vec<_> =
        routes.iter().map(|(method, uri)| serde_json::json!({ "method": method, "uri": uri })).collect();
    serde_json::json!({ "service": service, "routes": routes, "timestamp": "2026-02-10T12:00:00+00:00" })
        .to_string()
}

fn address_after(line: &str, marker: &str) -> Option<String> {
    let rest = &line[line.find(marker)? + marker.len()..];
    Some(rest.split_whitespace().next()?.trim_end_matches([',', '.', '/']).to_owned())
}
