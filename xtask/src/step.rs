//! One step of a longer run: a command with a name and a stopwatch.

use std::fmt;
use std::iter;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::output;
use crate::workspace::Workspace;

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It did what it should.
    Passed,
    /// It failed with this exit code.
    Failed(u8),
    /// It could not run here, and need not.
    Skipped(&'static str),
}

/// A step that has been run.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    name: String,
    /// How it ended.
    pub(crate) outcome: Outcome,
    took: Duration,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, outcome, took } = self;
        match outcome {
            Outcome::Passed => write!(f, "xtask: {name}: ok in {:.1} s", took.as_secs_f64()),
            Outcome::Failed(code) => {
                write!(f, "xtask: {name}: FAILED with exit code {code} in {:.1} s", took.as_secs_f64())
            }
            Outcome::Skipped(why) => write!(f, "xtask: {name}: skipped ({why})"),
        }
    }
}

/// Runs `work` under `name` and measures it.
pub(crate) fn measured(name: &str, work: impl FnOnce() -> anyhow::Result<Outcome>) -> anyhow::Result<Report> {
    let begun = now();
    let outcome = work()?;
    Ok(Report { name: name.to_owned(), outcome, took: now() - begun })
}

/// `cargo` with these arguments, in the workspace's root.
pub(crate) fn cargo(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(&workspace.root);
    command
}

/// Says the command, runs it and waits. A death by signal counts as exit code 1.
pub(crate) fn run(mut command: Command) -> anyhow::Result<Outcome> {
    let words = iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    output::line(&format!("xtask: $ {}", words.join(" ")));
    let status = command.status().with_context(|| format!("cannot run {}", words[0]))?;
    Ok(outcome_of(status.code()))
}

/// The outcome that an exit code means.
pub(crate) fn outcome_of(code: Option<i32>) -> Outcome {
    match code {
        Some(0) => Outcome::Passed,
        Some(code) => Outcome::Failed(u8::try_from(code).unwrap_or(1)),
        None => Outcome::Failed(1),
    }
}

#[expect(clippy::disallowed_methods, reason = "the stopwatch of the steps, the one clock of xtask")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_code_is_kept_and_a_signal_is_a_failure() {
        assert_eq!(outcome_of(Some(0)), Outcome::Passed);
        assert_eq!(outcome_of(Some(101)), Outcome::Failed(101));
        assert_eq!(outcome_of(Some(0x1_0000)), Outcome::Failed(1));
        assert_eq!(outcome_of(None), Outcome::Failed(1));
    }

    #[test]
    fn a_command_that_fails_fails_its_step() {
        let mut command = Command::new("sh");
        command.args(["-c", "exit 3"]);
        assert_eq!(run(command).unwrap(), Outcome::Failed(3));
    }

    #[test]
    fn a_report_names_its_step() {
        let report = measured("fmt", || Ok(Outcome::Failed(2))).unwrap();
        assert!(report.to_string().starts_with("xtask: fmt: FAILED with exit code 2 in "), "{report}");
    }
}
