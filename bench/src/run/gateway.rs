//! What is measured beside the peers: the binary `mesh` as a gateway, one worker, routes from `mesh register`.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};

use super::check::exchange;
use super::process::{Core, Process, SECRET, free_address};
use super::procfs;
use super::proxy::Proxy;
use crate::{clock, payload};

/// Its name in reports.
pub(super) const NAME: &str = "mesh";

/// The path of the service that answers whatever comes.
pub(super) const PLAIN: &str = "/api/plain";

/// The path of the service that checks signatures.
pub(super) const CHECKED: &str = "/api/checked";

/// On the admin listener, 200 once routes were loaded.
const READY: &str = "/microservice/health/ready";

/// A running gateway.
#[derive(Debug)]
pub(super) struct Gateway {
    process: Process,
    address: SocketAddr,
    /// From the start of its process to the first 200 of its admin listener.
    pub(super) ready: Duration,
    /// With its routes, before its first proxied request.
    pub(super) idle_rss_kib: u64,
}

impl Gateway {
    /// Starts one before both backends, and registers their routes with it.
    pub(super) fn start(
        core: &Core,
        folder: &Path,
        mesh: &Path,
        plain: SocketAddr,
        checking: SocketAddr,
    ) -> anyhow::Result<Self> {
        let mesh = fs::canonicalize(mesh).with_context(|| format!("no binary {}", mesh.display()))?;
        let (address, admin) = (free_address()?, free_address()?);
        let config = folder.join("gateway.toml");
        fs::write(&config, config_text(address, admin, plain, checking))?;

        let mut command = clean(core.command(&mesh));
        command.arg("gateway").arg("--config").arg(&config).current_dir(folder).stdout(Stdio::null());
        let begun = clock::now();
        let mut process = Process::spawn(command, folder, NAME)?;
        let question = payload::request(&admin.to_string(), READY, None);
        process.wait_for(|| exchange(admin, &question).ok().filter(|answer| answer.status == 200))?;
        let ready = clock::now() - begun;

        register(&mesh, folder, address, "bench", PLAIN)?;
        register(&mesh, folder, address, "bench-checked", CHECKED)?;
        let question = payload::request(&address.to_string(), PLAIN, None);
        let unknown = |status| status == 404;
        process.wait_for(|| exchange(address, &question).ok().filter(|answer| !unknown(answer.status)))?;
        let idle_rss_kib = procfs::rss_kib(process.id())?;
        Ok(Self { process, address, ready, idle_rss_kib })
    }
}

impl Proxy for Gateway {
    fn name(&self) -> &'static str {
        NAME
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn process(&self) -> u32 {
        self.process.id()
    }
}

/// Settings of whoever runs the benchmark do not count.
fn clean(mut command: Command) -> Command {
    command.env_clear();
    command
}

/// Runs `mesh register` as the service that `path` belongs to.
fn register(
    mesh: &Path,
    folder: &Path,
    gateway: SocketAddr,
    service: &str,
    path: &str,
) -> anyhow::Result<()> {
    let file = |extension: &str| -> PathBuf { folder.join(format!("{service}.{extension}")) };
    let (config, manifest) = (file("toml"), file("json"));
    let settings = format!(
        "name = \"{service}\"\nsecret = \"{SECRET}\"\n[services.gateway]\nbase_urls = [\"http://{gateway}\"]\n\
         [manifest]\ngateway = \"gateway\"\n"
    );
    fs::write(&config, settings)?;
    let route =
        |method| serde_json::json!({ "method": method, "uri": path, "name": format!("{service}.{method}") });
    let document = serde_json::json!({
        "service": service,
        "routes": [route("GET"), route("POST")],
        "timestamp": "2026-01-01T00:00:00+00:00",
    });
    fs::write(&manifest, document.to_string())?;
    let mut command = clean(Command::new(mesh));
    command.arg("register").arg("--config").arg(&config).arg("--manifest").arg(&manifest);
    let output = command.current_dir(folder).output().context("cannot start mesh register")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "mesh register ended with {}:\n{said}", output.status);
    Ok(())
}

/// Everything on that is on by default; routes stay for longer than any run.
fn config_text(listen: SocketAddr, admin: SocketAddr, plain: SocketAddr, checking: SocketAddr) -> String {
    format!(
        "name = \"gateway\"
secret = \"{SECRET}\"
[services.bench]
base_urls = [\"http://{plain}\"]
[services.bench-checked]
base_urls = [\"http://{checking}\"]
[manifest]
ttl = 604800
[gateway]
listen = \"{listen}\"
admin_listen = \"{admin}\"
workers = 1
snapshot = \"\"
"
    )
}
