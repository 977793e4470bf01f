//! nginx as Debian packages it: a plain proxy, and one that signs in lua. Connections are kept on both sides.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::super::gateway::CHECKED;
use super::super::process::{Process, SECRET, find, free_address};
use super::super::proxy::Proxy;
use super::{Place, version};

/// Its name in reports.
pub(in super::super) const NAME: &str = "nginx";

/// Its name with lua: the same work as the gateway's.
pub(in super::super) const LUA: &str = "nginx + lua HMAC";

/// Where Debian's packages libnginx-mod-http-lua and libnginx-mod-http-ndk put the modules.
const MODULES: &[&str] =
    &["/usr/lib/nginx/modules/ndk_http_module.so", "/usr/lib/nginx/modules/ngx_http_lua_module.so"];

/// HMAC-SHA256 by OpenSSL, which nginx has loaded for TLS; no Debian package offers it to lua in another way.
const HMAC: &str = include_str!("hmac.lua");

/// How long it may take to stop, before it is killed.
const STOP: Duration = Duration::from_secs(5);

/// A running nginx.
#[derive(Debug)]
pub(in super::super) struct Nginx {
    name: &'static str,
    program: PathBuf,
    config: PathBuf,
    process: Process,
    address: SocketAddr,
}

impl Nginx {
    /// Starts a plain one; `None` when it is not installed.
    pub(in super::super) fn start(place: &Place<'_>) -> anyhow::Result<Option<Self>> {
        Self::start_as(NAME, place)
    }

    /// Starts one that signs; `None` when it or its module for lua is not installed.
    pub(in super::super) fn start_with_lua(place: &Place<'_>) -> anyhow::Result<Option<Self>> {
        match MODULES.iter().all(|module| Path::new(module).is_file()) {
            true => Self::start_as(LUA, place),
            false => Ok(None),
        }
    }

    fn start_as(name: &'static str, place: &Place<'_>) -> anyhow::Result<Option<Self>> {
        let Some(program) = find(NAME) else { return Ok(None) };
        let address = free_address()?;
        let (process, config) =
            place.start(name, &program, &settings(name, place, address), &["-c"], address)?;
        Ok(Some(Self { name, program, config, process, address }))
    }

    /// As it says it, `None` when it is not installed.
    pub(in super::super) fn version() -> anyhow::Result<Option<String>> {
        find(NAME).map(|program| version(&program, "-v")).transpose()
    }
}

impl Proxy for Nginx {
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
        self.name == LUA
    }
}

impl Drop for Nginx {
    /// A master that is killed leaves its workers behind: it is asked first.
    fn drop(&mut self) {
        let mut stop = Command::new(&self.program);
        stop.arg("-c").arg(&self.config).args(["-s", "stop"]).stdin(Stdio::null()).stderr(Stdio::null());
        if stop.status().is_ok_and(|status| status.success()) {
            self.process.end_within(STOP);
        }
    }
}

/// Nothing is logged, and no connection ends for having been used often.
fn settings(name: &str, place: &Place<'_>, listen: SocketAddr) -> String {
    let Place { folder, workers, plain, checking, .. } = place;
    let own = folder.join(format!("{name} files"));
    let (own, keep) = (own.display(), "keepalive 1024; keepalive_requests 1000000000;");
    let (modules, http, location) = match name == LUA {
        true => (
            MODULES.iter().map(|module| format!("load_module {module};\n")).collect(),
            HMAC.replace("@SECRET@", SECRET).replace("@BEGIN@", "init_by_lua_block {").replace("@END@", "}"),
            "set $signature ''; set $timestamp '';
            access_by_lua_block { sign() }
            proxy_set_header X-Signature $signature;
            proxy_set_header X-Timestamp $timestamp;
            proxy_set_header X-Service-Name gateway;
            proxy_set_header X-Request-Id $request_id;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Host $http_host;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Port $server_port;",
        ),
        false => (String::new(), String::new(), ""),
    };
    let location = format!("proxy_http_version 1.1; proxy_set_header Connection \"\"; {location}");
    format!(
        "{modules}daemon off;
worker_processes {workers};
pid \"{own}.pid\";
error_log stderr warn;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 300s;
    client_body_temp_path \"{own}-body\";
    proxy_temp_path \"{own}-proxy\";
    fastcgi_temp_path \"{own}-fastcgi\";
    uwsgi_temp_path \"{own}-uwsgi\";
    scgi_temp_path \"{own}-scgi\";
    {http}
    upstream plain {{ server {plain}; {keep} }}
    upstream checking {{ server {checking}; {keep} }}
    server {{
        listen {listen};
        location / {{ proxy_pass http://plain; {location} }}
        location {CHECKED} {{ proxy_pass http://checking; {location} }}
    }}
}}
"
    )
}
