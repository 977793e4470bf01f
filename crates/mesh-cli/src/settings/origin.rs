//! Where a value came from, and what is wrong with it.

use std::{fmt, path::Path};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody set it.
    Default,
    /// A line of the file.
    File(String, usize),
    /// The file as a whole.
    WholeFile(String),
    /// A variable of the environment.
    Environment(String),
    /// A flag of the command line.
    Flag(&'static str),
}

impl Origin {
    pub(crate) fn file(path: &Path, line: usize) -> Self {
        Self::File(path.display().to_string(), line)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::File(path, line) => write!(formatter, "{path}:{line}"),
            Self::WholeFile(path) => formatter.write_str(path),
            Self::Environment(name) => write!(formatter, "environment {name}"),
            Self::Flag(flag) => write!(formatter, "flag {flag}"),
        }
    }
}

/// One mistake in the settings. Never shows the value of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SettingError {
    pub(crate) origin: Origin,
    pub(crate) key: Option<String>,
    pub(crate) message: String,
}

impl SettingError {
    pub(crate) const fn new(origin: Origin, key: Option<String>, message: String) -> Self {
        Self { origin, key, message }
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(formatter, "{}: {key}: {}", self.origin, self.message),
            None => write!(formatter, "{}: {}", self.origin, self.message),
        }
    }
}
