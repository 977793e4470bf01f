//! The binary `mesh`: chooses implementations and reads settings. Decides nothing about calls.

mod args;
mod commands;
mod exit;
mod gateway_settings;
mod output;
mod settings;
mod stores;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Command};
use exit::{Exit, Failure};
use output::Output;
use settings::{Environment, Flags};

/// A request is many small pieces of memory, which the system's allocator hands out more slowly.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    let output = Output::new(args.json, args.quiet);
    output::log_to_stderr(args.verbose, args.quiet, args.log_format);
    let exit = match run(args, &output).and_then(|exit| output.written().map(|()| exit)) {
        Ok(exit) => exit,
        Err(failure) => {
            output.failure(&failure);
            failure.exit
        }
    };
    exit.into()
}

/// What of the environment may be settings; other variables may hold any bytes.
#[expect(clippy::disallowed_methods, reason = "the one door through which the environment comes in")]
fn environment() -> Result<Environment, Failure> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| settings::env::is_ours(name))
        .map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(Failure::usage(format!("environment {name}: the value is not UTF-8"))),
        })
        .collect()
}

fn run(args: Args, output: &Output) -> Result<Exit, Failure> {
    let flags = Flags { config: args.config, values: args.command.setting_flags() };
    let settings = || settings::read(&flags, &environment()?).map_err(Failure::settings);
    match args.command {
        Command::Keygen => commands::keygen::run(output),
        Command::Sign(sign) => commands::sign::run(&sign, &settings()?, output),
        Command::Verify(verify) => commands::verify::run(&verify, &settings()?, output),
        Command::Completions(completions) => commands::completions::run(&completions, output),
        Command::Config(config) => commands::config::run(&config, &flags, &environment()?, output),
        Command::Gateway(_) => commands::gateway::run(&settings()?, &flags, &environment()?, output),
        Command::Register(register) => commands::register::run(&register, &settings()?, output),
        Command::Health(health) => commands::health::run(&health, &settings()?, output),
        Command::Routes(routes) => commands::routes::run(&routes, &settings()?, output),
        Command::Explain(explain) => commands::explain::run(&explain, &settings()?, output),
        Command::Call(call) => commands::call::run(&call, &settings()?, args.verbose, output),
        Command::Dev(dev) => commands::dev::run(&dev, output),
        Command::DevService(service) => commands::dev::service::run(&service, output),
    }
}
