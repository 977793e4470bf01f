//! Clients that wait: connections with one request behind them, kept open and silent.

use std::io::{self, Read};
use std::net::SocketAddr;

use anyhow::{Context, ensure};

use crate::exchange::{ask, connect};
use crate::{output, payload};

/// What is held.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the proxy listens.
    #[arg(long)]
    target: SocketAddr,
    /// What each connection asks for once.
    #[arg(long)]
    path: String,
    /// Connections that are kept.
    #[arg(long, default_value_t = 1000)]
    connections: u16,
}

/// Opens the connections, says how many there are, and keeps them until stdin ends.
///
/// # Errors
///
/// When one of them is not answered with 200.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let request = payload::request(&arguments.target.to_string(), &arguments.path, None);
    let mut held = Vec::new();
    for number in 0..arguments.connections {
        let mut stream = connect(arguments.target).with_context(|| format!("connection {number}"))?;
        let answer = ask(&mut stream, &request).with_context(|| format!("connection {number}"))?;
        ensure!(answer.status == 200, "connection {number} was answered with {}", answer.status);
        held.push(stream);
    }
    output::line(&held.len().to_string())?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(0)
}
