//! `cargo xtask`: the checks of the house, and its benchmark, run by hand and by CI.
//!
//! Imports none of the workspace's crates, so that it builds when they do not.

mod bench;
mod compiler;
mod dist;
mod fuzz;
mod lint;
mod output;
mod step;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Checks of the house.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Arrows between crates, file sizes, names and the other rules that no compiler knows.
    Tidy,
    /// Formatting, clippy, tidy, documentation, and cargo-deny where it is installed.
    Lint,
    /// Builds the binaries and runs every test; the last line counts them.
    Test {
        /// Handed to the test runner as they are; with any, documentation tests are left out.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Measures the gateway beside its peers; builds both binaries as they are given to users, which takes minutes.
    Bench(bench::Arguments),
    /// Builds the gateway with a profile of the benchmark's loads, laid out by it where llvm-bolt is installed: target/pgo/mesh.
    Dist,
    /// Builds the targets of fuzz/ and gives each a million inputs.
    Fuzz(fuzz::Arguments),
    /// What CI runs: lint, then test.
    Ci,
}

fn main() -> ExitCode {
    match run(&Arguments::parse().command) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output::problem(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs one command and answers with the process's exit code.
fn run(command: &Command) -> anyhow::Result<u8> {
    let workspace = workspace::Workspace::find()?;
    match command {
        Command::Tidy => tidy::run(&workspace),
        Command::Lint => lint::run(&workspace),
        Command::Test { arguments } => test::run(&workspace, arguments),
        Command::Bench(arguments) => bench::run(&workspace, arguments),
        Command::Dist => dist::run(&workspace),
        Command::Fuzz(arguments) => fuzz::run(&workspace, arguments),
        Command::Ci => match lint::run(&workspace)? {
            0 => test::run(&workspace, &[]),
            code => Ok(code),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_of_test_reach_the_runner_as_they_are() {
        let arguments = Arguments::parse_from(["cargo xtask", "test", "-p", "mesh-core", "-E", "test(a)"]);
        let Command::Test { arguments } = arguments.command else { panic!("not parsed as test") };
        assert_eq!(arguments, ["-p", "mesh-core", "-E", "test(a)"]);
    }
}
