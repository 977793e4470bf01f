//! The processes of the demo: started, told what they need, killed, and never left behind.

use std::{net::SocketAddr, process::Stdio};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, Command},
};

/// What an instance is told once it listens: one line of JSON on its standard input.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Neighbours {
    /// The gateway's base URL.
    pub(super) gateway: String,
    /// The base URLs of the catalog's instances.
    pub(super) catalog: Vec<String>,
}

/// One instance of a demo service: a child process. Ends when it is dropped, or when this process ends.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) service: &'static str,
    pub(super) address: SocketAddr,
    pub(super) pid: u32,
    process: Child,
    input: ChildStdin,
}

impl Instance {
    /// Starts an instance of `service`, which signs with `secret`, and waits until it listens. The secret goes over a
    /// pipe: no other process sees it.
    pub(super) async fn start(service: &'static str, secret: &str) -> anyhow::Result<Self> {
        let binary = std::env::current_exe().context("cannot find the binary itself")?;
        let mut process = Command::new(binary)
            .args(["dev-service", "--name", service])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start a demo service")?;
        let (Some(mut input), Some(output), Some(pid)) =
            (process.stdin.take(), process.stdout.take(), process.id())
        else {
            anyhow::bail!("the demo service {service} ended at once");
        };
        input.write_all(format!("{secret}\n").as_bytes()).await?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).await?;
        let address =
            line.trim().parse().with_context(|| format!("the demo service {service} did not start"))?;
        Ok(Self { service, address, pid, process, input })
    }

    /// Its base URL.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Tells it who its neighbours are: it registers its routes then.
    pub(super) async fn introduce(&mut self, neighbours: &Neighbours) -> anyhow::Result<()> {
        let line = serde_json::to_string(neighbours)? + "\n";
        self.input.write_all(line.as_bytes()).await?;
        Ok(())
    }

    /// `kill -9`, and waits until it is gone.
    pub(super) async fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill().await?;
        Ok(())
    }
}
