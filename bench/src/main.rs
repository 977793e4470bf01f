//! `mesh-bench`: what the gateway costs beside its peers. `cargo xtask bench` builds and starts it.
//!
//! Several roles in one binary, each a process of its own while a run lasts: the backend behind the proxies, the load before
//! them, a blind relay as the least that a proxy can cost, and the run that starts everything, measures and reports.

mod backend;
mod caller;
mod clock;
mod exchange;
mod gates;
mod hold;
mod load;
mod output;
mod payload;
mod profile;
mod relay;
mod run;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What the gateway costs beside its peers.
#[derive(Debug, Parser)]
#[command(name = "mesh-bench")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answers GET and POST with 200 bytes, on one thread, for as little CPU as it can.
    Backend(backend::Arguments),
    /// Sends requests in a closed loop or at a constant rate, on one thread, and prints what came back as JSON.
    Load(load::Arguments),
    /// Opens connections, asks once over each, and keeps them.
    Hold(hold::Arguments),
    /// Calls a service through one of the libraries, in a closed loop on one thread, and prints what that cost as JSON.
    Call(caller::Arguments),
    /// Passes bytes on without a look at them.
    Relay(relay::Arguments),
    /// Counts what a GET costs the gateway: instructions, system calls, allocations.
    ///
    /// Exit codes: 0 all gates hold, 1 one does not, 2 a tool is missing.
    Gates(gates::Arguments),
    /// Measures what the gateway holds in memory.
    ///
    /// Exit codes: 0 measured, 1 void or a bound is exceeded, 2 a tool is missing.
    Memory(run::MemoryArguments),
    /// Counts what a GET costs the gateway in instructions, by crate.
    ///
    /// Exit codes: 0 counted, 1 void, 2 a tool is missing.
    Profile(profile::Arguments),
    /// Sends the loads of the benchmark through a gateway that counts which ways are taken, and ends it.
    ///
    /// Exit codes: 0 done, 1 void, or a tool is missing.
    Train(run::TrainArguments),
    /// Measures `mesh-client` beside plain reqwest and hyper-util on one core.
    ///
    /// Exit codes: 0 measured, 1 void, 2 a tool is missing, 4 inconclusive.
    Client(run::ClientArguments),
    /// Measures the proxies beside each other on one core.
    ///
    /// Exit codes: 0 measured, 1 void (an answer was wrong, or something did not start), 2 usage or a missing tool, 3 a peer
    /// was not run, 4 inconclusive.
    Run(run::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Backend(arguments) => backend::run(&arguments),
        Command::Load(arguments) => load::run(&arguments),
        Command::Hold(arguments) => hold::run(&arguments),
        Command::Call(arguments) => caller::run(&arguments),
        Command::Relay(arguments) => relay::run(&arguments),
        Command::Gates(arguments) => gates::run(&arguments),
        Command::Client(arguments) => run::run_clients(&arguments),
        Command::Memory(arguments) => run::run_memory(&arguments),
        Command::Profile(arguments) => profile::run(&arguments),
        Command::Train(arguments) => run::run_training(&arguments),
        Command::Run(arguments) => run::run(&arguments),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output::problem(&format!("mesh-bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
