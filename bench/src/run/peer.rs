//! The peers, as Debian packages them. Where one is missing it was not run; nothing is installed from here.

pub(super) mod haproxy;
pub(super) mod nginx;
pub(super) mod relay;

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;

use super::process::{Cores, Process};
use super::proxy::Proxy;

/// A running peer, which ends when it is killed.
#[derive(Debug)]
pub(super) struct Peer {
    name: &'static str,
    process: Process,
    address: SocketAddr,
}

impl Proxy for Peer {
    fn name(&self) -> &'static str {
        self.name
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn process(&self) -> u32 {
        self.process.id()
    }
}

/// What every peer is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// Where it runs.
    pub(super) cores: &'a Cores,
    /// For its files.
    pub(super) folder: &'a Path,
    /// Its workers.
    pub(super) workers: u16,
    /// The backend that answers whatever comes.
    pub(super) plain: SocketAddr,
    /// The backend that checks signatures.
    pub(super) checking: SocketAddr,
}

impl Place<'_> {
    /// Starts `program` with a file of settings, and waits until it listens.
    fn start(
        &self,
        name: &'static str,
        program: &Path,
        settings: &str,
        arguments: &[&str],
        address: SocketAddr,
    ) -> anyhow::Result<(Process, PathBuf)> {
        let file = self.folder.join(format!("{name}.conf"));
        fs::write(&file, settings)?;
        let mut command = self.cores.command(program);
        command.args(arguments).arg(&file).stdout(Stdio::null());
        let mut process = Process::spawn(command, self.folder, name)?;
        process.wait_for(|| TcpStream::connect(address).ok())?;
        Ok((process, file))
    }
}

/// The first word with a digit in what a program says about its version.
fn version(program: &Path, flag: &str) -> anyhow::Result<String> {
    let output = Command::new(program)
        .arg(flag)
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let word =
        said.split_whitespace().find(|word| word.contains(|character: char| character.is_ascii_digit()));
    Ok(word.unwrap_or("of an unknown version").to_owned())
}
