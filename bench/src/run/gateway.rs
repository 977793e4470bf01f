//! What is measured beside the peers: the binary `mesh` as a gateway, with routes from `mesh register`.

mod routes;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};

use super::peer::Place;
use super::process::{Process, SECRET, free_address};
use super::procfs;
use super::proxy::Proxy;
use crate::exchange::exchange;
use crate::{clock, payload};
pub(super) use routes::Routes;
use routes::{CHECKING, Service};

/// Its name in reports.
pub(super) const NAME: &str = "mesh";

/// Its name with 1,000 routes of 50 services.
pub(super) const MANY: &str = "mesh, 1,000 routes";

/// The name of another binary, measured beside it; where there is a gateway with 1,000 routes, with as many.
pub(super) const BESIDE: &str = "mesh, beside";

/// The path of the service that answers whatever comes.
pub(super) const PLAIN: &str = "/api/plain";

/// The path of the service that checks signatures.
pub(super) const CHECKED: &str = "/api/checked";

/// On the admin listener, 200 once routes were loaded.
const READY: &str = "/microservice/health/ready";

/// How long it may take to end: under a tool everything takes long.
const STOP: Duration = Duration::from_secs(60);

/// Settings beyond those that every gateway is given, as lines.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Further<'a> {
    /// Of `[gateway]`.
    pub(super) gateway: &'a str,
    /// Of each service that answers whatever comes.
    pub(super) service: &'a str,
}

/// A running gateway.
#[derive(Debug)]
pub(super) struct Gateway {
    name: &'static str,
    process: Process,
    address: SocketAddr,
    paths: Vec<String>,
    /// From the start of its process to the first 200 of its admin listener.
    pub(super) ready: Duration,
    /// With its routes, before its first proxied request.
    pub(super) idle_rss_kib: u64,
}

impl Gateway {
    /// Starts one before both backends, and registers the routes with it. `through` stands before the binary and its arguments.
    pub(super) fn start(
        place: &Place<'_>,
        mesh: &Path,
        routes: Routes,
        through: &[String],
    ) -> anyhow::Result<Self> {
        let name = if routes == Routes::Many { MANY } else { NAME };
        Self::start_with(place, mesh, name, routes, through, Further::default())
    }

    /// The same under another name, and with further settings.
    pub(super) fn start_with(
        place: &Place<'_>,
        mesh: &Path,
        name: &'static str,
        routes: Routes,
        through: &[String],
        further: Further<'_>,
    ) -> anyhow::Result<Self> {
        let mesh = fs::canonicalize(mesh).with_context(|| format!("no binary {}", mesh.display()))?;
        let folder = place.folder.join(name);
        fs::create_dir_all(&folder)?;
        let services = routes.services();
        let (address, admin) = (free_address()?, free_address()?);
        let config = folder.join("gateway.toml");
        fs::write(&config, config_text(address, admin, place, &services, further))?;

        let program = through.first().map_or(mesh.as_path(), Path::new);
        let mut command = clean(place.cores.command(program));
        if !through.is_empty() {
            command.args(&through[1..]).arg(&mesh);
        }
        command.arg("gateway").arg("--config").arg(&config).current_dir(&folder).stdout(Stdio::null());
        let begun = clock::now();
        let mut process = Process::spawn(command, &folder, name)?;
        let question = payload::request(&admin.to_string(), READY, None);
        process.wait_for(|| exchange(admin, &question).ok().filter(|answer| answer.status == 200))?;
        let ready = clock::now() - begun;

        for service in &services {
            register(&mesh, &folder, address, service)?;
        }
        let is_known = |path: &str| {
            let question = payload::request(&address.to_string(), path, None);
            exchange(address, &question).is_ok_and(|answer| answer.status != 404)
        };
        process.wait_for(|| services.iter().all(|service| is_known(&service.example)).then_some(()))?;
        let idle_rss_kib = procfs::rss_kib(process.id())?;
        Ok(Self { name, process, address, paths: routes.paths(), ready, idle_rss_kib })
    }
}

impl Gateway {
    /// Asks it to end, waits until it has, and answers with how it did: tools end otherwise than what they run.
    pub(super) fn stop(mut self) -> anyhow::Result<ExitStatus> {
        let mut kill = Command::new("/bin/sh");
        kill.args(["-c", "kill $0", &self.process.id().to_string()]);
        ensure!(kill.status().is_ok_and(|status| status.success()), "cannot ask the gateway to end");
        self.process.end_within(STOP).context("the gateway did not end when asked")
    }
}

impl Proxy for Gateway {
    fn name(&self) -> &'static str {
        self.name
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn process(&self) -> u32 {
        self.process.id()
    }

    fn signs(&self) -> bool {
        true
    }

    fn paths(&self) -> &[String] {
        &self.paths
    }
}

/// Settings of whoever runs the benchmark do not count.
fn clean(mut command: Command) -> Command {
    command.env_clear();
    command
}

/// Runs `mesh register` as a service.
fn register(mesh: &Path, folder: &Path, gateway: SocketAddr, service: &Service) -> anyhow::Result<()> {
    let name = &service.name;
    let file = |extension: &str| -> PathBuf { folder.join(format!("{name}.{extension}")) };
    let (config, manifest) = (file("toml"), file("json"));
    let settings = format!(
        "name = \"{name}\"\nsecret = \"{SECRET}\"\n[services.gateway]\nbase_urls = [\"http://{gateway}\"]\n\
         [manifest]\ngateway = \"gateway\"\n"
    );
    fs::write(&config, settings)?;
    fs::write(&manifest, service.manifest().to_string())?;
    let mut command = clean(Command::new(mesh));
    command.arg("register").arg("--config").arg(&config).arg("--manifest").arg(&manifest);
    let output = command.current_dir(folder).output().context("cannot start mesh register")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "mesh register ended with {}:\n{said}", output.status);
    Ok(())
}

/// Everything on that is on by default; routes stay for longer than any run.
fn config_text(
    listen: SocketAddr,
    admin: SocketAddr,
    place: &Place<'_>,
    services: &[Service],
    further: Further<'_>,
) -> String {
    let Place { workers, plain, checking, .. } = place;
    let Further { gateway, service } = further;
    let instances = services.iter().map(|Service { name, .. }| {
        let (backend, service) = if name == CHECKING { (checking, "") } else { (plain, service) };
        format!("[services.{name}]\nbase_urls = [\"http://{backend}\"]\n{service}")
    });
    let instances: String = instances.collect();
    format!(
        "name = \"gateway\"
secret = \"{SECRET}\"
{instances}[manifest]
ttl = 604800
[gateway]
listen = \"{listen}\"
admin_listen = \"{admin}\"
workers = {workers}
snapshot = \"\"
{gateway}"
    )
}
