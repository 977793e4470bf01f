//! Backends and proxies that stand together while cases of one setting run.

use std::fs;
use std::path::Path;

use anyhow::Context;

use super::case::Setting;
use super::check;
use super::document::Idle;
use super::gateway::{self, Gateway, Routes};
use super::peer::Place;
use super::peer::nginx::{self, Nginx};
use super::peer::{haproxy, relay};
use super::process::{Backend, Cores, backend};
use super::proxy::Proxy;
use crate::output;

/// Everything that was started.
#[derive(Debug)]
pub(super) struct Stand {
    /// Where it runs.
    pub(super) cores: Cores,
    /// In the order of the report.
    pub(super) proxies: Vec<Box<dyn Proxy>>,
    /// The gateway before its first load.
    pub(super) idle: Idle,
    _plain: Backend,
    _checking: Backend,
}

/// The gateway's binary, and another one beside it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Binaries<'a> {
    /// Of the gateway.
    pub(super) mesh: &'a Path,
    /// Of another gateway, e.g. one built before a change.
    pub(super) beside: Option<&'a Path>,
}

impl Binaries<'_> {
    /// Who should be there; who is not was not run.
    pub(super) fn expected(&self, setting: Setting) -> Vec<&'static str> {
        let names: &[_] = match setting {
            Setting::OneWorker => &[relay::NAME, nginx::NAME, nginx::LUA, haproxy::NAME, gateway::NAME],
            Setting::TwoWorkers => &[nginx::NAME, nginx::LUA, haproxy::NAME, gateway::NAME],
            Setting::ManyRoutes => &[nginx::NAME, gateway::NAME, gateway::MANY],
        };
        names.iter().copied().chain(self.beside.map(|_| gateway::BESIDE)).collect()
    }
}

impl Stand {
    /// Starts everything of a setting in a folder of its own, and checks that it answers rightly.
    ///
    /// # Errors
    ///
    /// When something that is installed does not start, or answers wrongly: the run is void.
    pub(super) fn start(
        cores: &Cores,
        folder: &Path,
        binaries: Binaries<'_>,
        setting: Setting,
    ) -> anyhow::Result<Self> {
        let mesh = binaries.mesh;
        let folder = tempfile::Builder::new().prefix("stand-").tempdir_in(folder)?.keep();
        // Workers of nginx give up root, and must still reach their files.
        make_readable(&folder)?;
        let workers = if setting == Setting::TwoWorkers { 2 } else { 1 };
        let plain = backend(cores, &folder, false)?;
        let checking = backend(cores, &folder, true)?;
        check::backend_checks(checking.address).context("void")?;
        let place =
            Place { cores, folder: &folder, workers, plain: plain.address, checking: checking.address };
        let mut idle = Idle { rss_kib: 0, ready_ms: 0.0 };
        let mut proxies = Vec::new();
        for name in binaries.expected(setting) {
            let proxy: Option<Box<dyn Proxy>> = match name {
                relay::NAME => Some(Box::new(relay::start(&place)?)),
                nginx::NAME => Nginx::start(&place)?.map(boxed),
                nginx::LUA => Nginx::start_with_lua(&place)?.map(boxed),
                haproxy::NAME => haproxy::start(&place)?.map(boxed),
                gateway::NAME => {
                    let gateway = Gateway::start(&place, mesh, Routes::Few, &[])?;
                    idle =
                        Idle { rss_kib: gateway.idle_rss_kib, ready_ms: gateway.ready.as_secs_f64() * 1e3 };
                    Some(Box::new(gateway))
                }
                gateway::MANY => Some(Box::new(Gateway::start(&place, mesh, Routes::Many, &[])?)),
                _ => {
                    let routes = if setting == Setting::ManyRoutes { Routes::Many } else { Routes::Few };
                    let mesh = binaries.beside.unwrap_or(mesh);
                    Some(Box::new(Gateway::start_with(
                        &place,
                        mesh,
                        gateway::BESIDE,
                        routes,
                        &[],
                        gateway::Further::default(),
                    )?))
                }
            };
            match proxy {
                Some(proxy) => proxies.push(proxy),
                None => output::problem(&format!("mesh-bench: {name} is not installed: not run")),
            }
        }
        for proxy in &proxies {
            let check = || {
                check::passes_on(proxy.address())?;
                if proxy.signs() { check::signs(proxy.address()) } else { Ok(()) }
            };
            check().with_context(|| format!("void: {} answers wrongly", proxy.name()))?;
        }
        Ok(Self { cores: cores.clone(), proxies, idle, _plain: plain, _checking: checking })
    }
}

fn boxed<P: Proxy + 'static>(proxy: P) -> Box<dyn Proxy> {
    Box::new(proxy)
}

/// Lets everybody into a folder.
pub(super) fn make_readable(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?)
}
