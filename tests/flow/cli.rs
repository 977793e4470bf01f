//! The binary as people and scripts meet it: what it takes, prints, and ends with.

mod call;
mod configuration;
mod explain;
mod node;
mod register;
mod settings;
mod sharing;
mod state;
mod tls;
mod usage;
mod verify;
mod watch;

use std::process::Output;

use crate::house::House;

/// What a command printed, and how it ended.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {self:#?}"))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("what is printed is text");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Runs a command under these variables.
fn run(house: &House, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let mut command = house.command(arguments);
    command.envs(variables.iter().copied()).stdin(std::process::Stdio::null());
    command.output().expect("the binary runs").into()
}

/// Runs a command that does its work: it ends with 0.
#[track_caller]
fn good(house: &House, arguments: &[&str]) -> Ran {
    let ran = run(house, &[], arguments);
    assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:#?}");
    ran
}

/// Runs a command that cannot do its work: it ends with `code`, says `says` on stderr, and prints no data.
#[track_caller]
fn fails(house: &House, arguments: &[&str], code: i32, says: &str) {
    fails_with(house, &[], arguments, code, says);
}

#[track_caller]
fn fails_with(house: &House, variables: &[(&str, &str)], arguments: &[&str], code: i32, says: &str) {
    let ran = run(house, variables, arguments);
    assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:#?}");
    assert!(ran.err.contains(says), "{arguments:?} says no {says:?}: {ran:#?}");
    assert_eq!(ran.out, "", "{arguments:?} prints data");
}

/// Writes a file into the house.
fn write(house: &House, name: &str, content: impl AsRef<[u8]>) {
    std::fs::write(house.folder.path().join(name), content).expect("a file can be written");
}

/// The cells of a table's rows, without its head.
fn rows(table: &str) -> Vec<Vec<String>> {
    table
        .lines()
        .filter(|line| line.starts_with('│'))
        .skip(1)
        .map(|line| line.trim_matches('│').split('┆').map(|cell| cell.trim().to_owned()).collect())
        .collect()
}

/// The head of a table.
fn head(table: &str) -> Vec<String> {
    let line = table.lines().find(|line| line.starts_with('│')).unwrap_or_default();
    line.trim_matches('│').split('┆').map(|cell| cell.trim().to_owned()).collect()
}
