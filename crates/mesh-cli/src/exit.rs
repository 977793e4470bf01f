//! Exit codes and what is said before one: whose fault it is, and what would help.

use std::process::ExitCode;

use crate::settings::SettingError;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, and all is well.
    Ok,
    /// Done, and a problem was found: unhealthy, refused, no route, an answer of 400 and above.
    Problem,
    /// Wrong usage or settings.
    Usage,
    /// The gateway, Redis or a service cannot be reached.
    Unreachable,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Ok => 0,
            Exit::Problem => 1,
            Exit::Usage => 2,
            Exit::Unreachable => 3,
        })
    }
}

/// A command that could not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// One line each; never a secret.
    pub(crate) lines: Vec<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, line: impl Into<String>) -> Self {
        Self { exit, lines: vec![line.into()] }
    }

    pub(crate) fn usage(line: impl Into<String>) -> Self {
        Self::new(Exit::Usage, line)
    }

    pub(crate) fn unreachable(line: impl Into<String>) -> Self {
        Self::new(Exit::Unreachable, line)
    }

    #[expect(clippy::needless_pass_by_value, reason = "takes the errors that a closure hands over")]
    pub(crate) fn settings(errors: Vec<SettingError>) -> Self {
        Self { exit: Exit::Usage, lines: errors.iter().map(ToString::to_string).collect() }
    }
}
