//! `cargo xtask lint`: everything that is checked without running the project.
//!
//! Every step runs, so that one run shows every mistake.

use std::process::{Command, Stdio};

use crate::step::{self, Outcome};
use crate::workspace::Workspace;
use crate::{output, tidy};

/// Runs all steps, reports each, and answers 1 when any failed.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<u8> {
    let cargo = |arguments: &[&str]| step::cargo(workspace, arguments);
    let reports = [
        step::measured("fmt", || step::run(cargo(&["fmt", "--all", "--check"])))?,
        step::measured("tidy", || Ok(step::outcome_of(Some(tidy::run(workspace)?.into()))))?,
        step::measured("clippy", || {
            step::run(cargo(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--all-features",
                "--",
                "-D",
                "warnings",
            ]))
        })?,
        // Features unify across a workspace's build: only alone does this crate show that it needs no reqwest.
        step::measured("client without reqwest", || {
            step::run(cargo(&["check", "--package", "mesh-client", "--no-default-features"]))
        })?,
        // Outside the workspace: what its targets take from it may have gone. Nothing is linked, so no C++ is compiled.
        step::measured("fuzz targets", || {
            let mut check = cargo(&["check", "--locked", "--manifest-path", "fuzz/Cargo.toml"]);
            check.args(["--target-dir", "target/fuzz"]).env("CUSTOM_LIBFUZZER_PATH", "none/libnone.a");
            step::run(check)
        })?,
        step::measured("doc", || {
            let mut doc = cargo(&["doc", "--workspace", "--no-deps"]);
            doc.env("RUSTDOCFLAGS", "-D warnings");
            step::run(doc)
        })?,
        step::measured("deny", || match runs("cargo-deny", "--version") {
            // Not the advisories: they come over the network, and change while the code does not.
            true => step::run(cargo(&["deny", "--offline", "check", "bans", "licenses", "sources"])),
            false => Ok(Outcome::Skipped("cargo-deny is not installed")),
        })?,
    ];
    for report in &reports {
        output::line(&report.to_string());
    }
    Ok(exit_code(&reports.map(|report| report.outcome)))
}

/// 1 when any step failed, else 0: a step that was skipped has not failed.
fn exit_code(outcomes: &[Outcome]) -> u8 {
    u8::from(outcomes.iter().any(|outcome| matches!(outcome, Outcome::Failed(_))))
}

/// Whether `program` can be started at all and answers `argument` with success.
pub(crate) fn runs(program: &str, argument: &str) -> bool {
    let mut command = Command::new(program);
    command.arg(argument).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failed_step_fails_the_run_and_a_skipped_one_does_not() {
        assert_eq!(exit_code(&[Outcome::Passed, Outcome::Skipped("absent")]), 0);
        assert_eq!(exit_code(&[Outcome::Passed, Outcome::Failed(101), Outcome::Passed]), 1);
    }

    #[test]
    fn a_program_that_is_absent_does_not_run() {
        assert!(runs("cargo", "--version"));
        assert!(!runs("no-program-of-this-name", "--version"));
    }
}
