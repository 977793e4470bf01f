//! The peer: nginx as Debian packages it, one worker, a plain proxy with connections that are kept on both sides.
//!
//! Refuses to be installed from here: where it is missing it was not run.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context;

use super::process::{Core, Process, find, free_address};
use super::proxy::Proxy;
use crate::output;

/// Its name in reports.
pub(super) const NAME: &str = "nginx";

/// How long it may take to stop, before it is killed.
const STOP: Duration = Duration::from_secs(5);

/// A running nginx.
#[derive(Debug)]
pub(super) struct Nginx {
    program: PathBuf,
    config: PathBuf,
    process: Process,
    address: SocketAddr,
    /// As it says it, e.g. `nginx/1.22.1`.
    pub(super) version: String,
}

impl Nginx {
    /// Starts one before `backend`; `None` when it is not installed.
    pub(super) fn start(core: &Core, folder: &Path, backend: SocketAddr) -> anyhow::Result<Option<Self>> {
        let Some(program) = find(NAME) else {
            output::problem("mesh-bench: nginx is not installed (Debian's package nginx): not run");
            return Ok(None);
        };
        let version = Command::new(&program).arg("-v").output().context("cannot run nginx -v")?;
        let version = String::from_utf8_lossy(&version.stderr);
        let version = version.trim().rsplit(' ').next().unwrap_or_default().to_owned();

        let address = free_address()?;
        let config = folder.join("nginx.conf");
        fs::write(&config, config_text(folder, address, backend))?;
        let mut command = core.command(&program);
        command.arg("-c").arg(&config).stdout(Stdio::null());
        let mut process = Process::spawn(command, folder, NAME)?;
        process.wait_for(|| TcpStream::connect(address).ok())?;
        Ok(Some(Self { program, config, process, address, version }))
    }
}

impl Proxy for Nginx {
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

impl Drop for Nginx {
    /// A master that is killed leaves its worker behind: it is asked first.
    fn drop(&mut self) {
        let mut stop = Command::new(&self.program);
        stop.arg("-c").arg(&self.config).args(["-s", "stop"]).stdin(Stdio::null()).stderr(Stdio::null());
        if stop.status().is_ok_and(|status| status.success()) {
            self.process.has_ended_within(STOP);
        }
    }
}

/// Nothing is logged, and no connection ends for having been used often.
fn config_text(folder: &Path, listen: SocketAddr, backend: SocketAddr) -> String {
    let folder = folder.display();
    format!(
        "daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
    upstream backend {{
        server {backend};
        keepalive 64;
        keepalive_requests 1000000000;
    }}
    server {{
        listen {listen};
        location / {{
            proxy_pass http://backend;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
        }}
    }}
}}
"
    )
}
