//! `cargo xtask test`: makes sure of what tests need, builds the binaries, runs every test.
//!
//! The runner comes last and nothing is said after it: the last line is its count.

mod count;
mod programs;

use std::ffi::OsString;

use crate::lint::runs;
use crate::output;
use crate::step::{self, Outcome};
use crate::workspace::Workspace;

/// Answers with the exit code of the step that failed, 0 when none did.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<u8> {
    programs::make_sure()?;

    let build = step::measured("binaries", || {
        let mut build = step::cargo(workspace, &["build", "--bins"]);
        for package in workspace.packages_with_binaries() {
            build.args(["--package", package]);
        }
        step::run(build)
    })?;
    output::line(&build.to_string());
    if let Outcome::Failed(code) = build.outcome {
        return Ok(code);
    }

    if arguments.is_empty() {
        let doc = step::measured("doc tests", || {
            step::run(step::cargo(workspace, &["test", "--workspace", "--doc"]))
        })?;
        output::line(&doc.to_string());
        if let Outcome::Failed(code) = doc.outcome {
            return Ok(code);
        }
    }

    match run_all(workspace, arguments)? {
        Outcome::Failed(code) => Ok(code),
        Outcome::Passed | Outcome::Skipped(_) => Ok(0),
    }
}

/// Runs the tests: under nextest where it is installed, else under cargo's own runner.
///
/// From the workspace's root both take every package, unless the arguments name some.
fn run_all(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<Outcome> {
    let nextest = runs("cargo-nextest", "--version");
    let mut command = match nextest {
        true => step::cargo(workspace, &["nextest", "run", "--no-fail-fast"]),
        false => step::cargo(workspace, &["test", "--tests", "--no-fail-fast"]),
    };
    command.args(arguments).envs(variables(workspace));
    if nextest { step::run(command) } else { count::run(command) }
}

/// What tests are told: the binary `mesh`, and the folder with the binaries of the examples.
fn variables(workspace: &Workspace) -> [(&'static str, OsString); 2] {
    let mesh = workspace.binaries().join(format!("mesh{}", std::env::consts::EXE_SUFFIX));
    [("MESH_BIN", mesh.into()), ("MESH_EXAMPLES", workspace.binaries().into())]
}
