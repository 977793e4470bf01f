//! `cargo xtask bench`: builds the gateway as it is given to users, with a profile ([`dist`]), and the benchmark, and starts
//! the latter: `run`, or with `gates` first the counts that are the same on every run.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use crate::compiler::Compiler;
use crate::dist::{self, Built, DIST};
use crate::output;
use crate::step::{self, Outcome};
use crate::workspace::Workspace;

/// The profile of the tests.
const TESTED: &str = "dev";

/// The role that measures beside the peers.
const RUN: &str = "run";

/// The role that counts.
const GATES: &str = "gates";

/// The role that measures clients, and needs no gateway.
const CLIENT: &str = "client";

/// The role that reads the gateway's memory.
const MEMORY: &str = "memory";

/// The role that counts by crate, and reads line tables.
const PROFILE: &str = "profile";

/// The committed numbers of the gates.
const NUMBERS: &str = "bench/gates.json";

/// What the benchmark is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// This gateway instead of one that is built from here.
    #[arg(long, env = "MESH_BIN", value_name = "FILE")]
    mesh: Option<PathBuf>,
    /// The profile of what is built: by default the one that users get.
    #[arg(long, default_value = DIST, value_name = "NAME")]
    profile: String,
    /// Without the counts of a training: what `cargo build` makes of the profile.
    #[arg(long)]
    plain: bool,
    /// `gates` [--bless], `client`, `memory` or `profile` and its flags, or what is handed to `mesh-bench run`: --case NAME, --beside FILE, --rounds N, --seconds S, --patience MINUTES, --json FILE, --write FOLDER, --core N.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

impl Arguments {
    /// Of `mesh-bench`, and what it is told.
    fn role(&self) -> (&str, &[OsString]) {
        let named = [GATES, CLIENT, MEMORY, PROFILE];
        let role = self.arguments.first().and_then(|first| named.into_iter().find(|role| first == role));
        role.map_or((RUN, &self.arguments), |role| (role, &self.arguments[1..]))
    }

    /// Whether the gateway is built with the counts of a training. Those that count are not: their numbers are to be the same
    /// on every machine.
    fn takes_counts(&self) -> bool {
        let measures = [RUN, MEMORY].contains(&self.role().0);
        measures && !self.plain && self.mesh.is_none() && self.profile == DIST
    }

    /// Where cargo puts a binary.
    fn built(&self, workspace: &Workspace, name: &str) -> PathBuf {
        let folder = if self.profile == TESTED { "debug" } else { &self.profile };
        workspace.target.join(folder).join(name)
    }
}

/// Answers with the exit code of the benchmark, or of the build that failed.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> anyhow::Result<u8> {
    let gateway = match gateway(workspace, arguments)? {
        Ok(gateway) => gateway,
        Err(code) => return Ok(code),
    };
    match step::run(command(workspace, arguments, &gateway))? {
        Outcome::Failed(code) => Ok(code),
        Outcome::Passed | Outcome::Skipped(_) => Ok(0),
    }
}

/// Builds what is measured and what measures; the exit code of the build that failed.
fn gateway(workspace: &Workspace, arguments: &Arguments) -> anyhow::Result<Result<Built, u8>> {
    if arguments.takes_counts() {
        let compiler = Compiler::ask()?;
        if let Some(profdata) = compiler.profdata() {
            return dist::build(workspace, &compiler, &profdata);
        }
        output::problem(&format!(
            "xtask: {}: measured without the counts of a training",
            compiler.profdata_advice()
        ));
    }
    for packages in builds(workspace, arguments) {
        let build =
            step::measured(&packages.join(", "), || step::run(build(workspace, arguments, &packages)))?;
        output::line(&build.to_string());
        if let Outcome::Failed(code) = build.outcome {
            return Ok(Err(code));
        }
    }
    let words = match &arguments.mesh {
        Some(_) => "as given".to_owned(),
        None => format!("{}, plain (cargo build)", arguments.profile),
    };
    let mesh = arguments.mesh.clone().unwrap_or_else(|| arguments.built(workspace, "mesh"));
    Ok(Ok(Built { mesh, words }))
}

fn build(workspace: &Workspace, arguments: &Arguments, packages: &[&str]) -> Command {
    let mut build = step::cargo(workspace, &["build", "--profile", &arguments.profile, "--bins"]);
    for package in packages {
        build.args(["--package", package]);
    }
    if arguments.role().0 == PROFILE && arguments.profile != TESTED {
        let setting = format!("CARGO_PROFILE_{}_DEBUG", arguments.profile.to_uppercase());
        build.env(setting, "line-tables-only");
    }
    build
}

/// The packages of each build.
fn builds<'a>(workspace: &'a Workspace, arguments: &Arguments) -> Vec<Vec<&'a str>> {
    // As the tests build them: their gate counts the same binary.
    if arguments.profile == TESTED {
        return vec![workspace.packages_with_binaries().collect()];
    }
    // One build each: together they would share features, and the gateway would be another than users get.
    let mut builds = vec![vec!["mesh-bench"]];
    if arguments.mesh.is_none() && arguments.role().0 != CLIENT {
        builds.push(vec!["mesh-cli"]);
    }
    builds
}

/// The benchmark itself.
fn command(workspace: &Workspace, arguments: &Arguments, gateway: &Built) -> Command {
    let mut command = Command::new(arguments.built(workspace, "mesh-bench"));
    let (role, rest) = arguments.role();
    command.arg(role);
    if role != CLIENT {
        command.arg("--mesh").arg(&gateway.mesh);
    }
    if role == RUN || role == MEMORY {
        command.arg("--built").arg(&gateway.words);
    }
    if role == GATES || role == PROFILE {
        command.arg("--profile").arg(&arguments.profile);
    }
    if role == GATES {
        command.arg("--numbers").arg(workspace.root.join(NUMBERS));
    }
    command.args(rest);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> Workspace {
        serde_json::from_str(r#"{"workspace_root": "/r", "target_directory": "/t", "packages": []}"#).unwrap()
    }

    fn arguments(profile: &str, arguments: &[&str]) -> Arguments {
        let arguments = arguments.iter().map(OsString::from).collect();
        Arguments { mesh: None, profile: profile.to_owned(), plain: false, arguments }
    }

    #[track_caller]
    fn check(profile: &str, words: &[&str], expected: &[&str]) {
        let gateway = Built { mesh: "/g".into(), words: "so".to_owned() };
        let command = command(&workspace(), &arguments(profile, words), &gateway);
        let words: Vec<_> = std::iter::once(command.get_program()).chain(command.get_args()).collect();
        assert_eq!(words, expected);
    }

    #[test]
    fn the_run_gets_the_gateway_and_how_it_was_built() {
        let run = ["/t/dist/mesh-bench", "run", "--mesh", "/g", "--built", "so", "--case", "get"];
        check("dist", &["--case", "get"], &run);
    }

    #[test]
    fn memory_and_profile_get_the_gateway() {
        let bench = "/t/dist/mesh-bench";
        let memory = [bench, "memory", "--mesh", "/g", "--built", "so", "--mib", "64"];
        check("dist", &["memory", "--mib", "64"], &memory);
        check("dist", &["profile"], &[bench, "profile", "--mesh", "/g", "--profile", "dist"]);
    }

    #[test]
    fn clients_need_no_gateway() {
        check("dist", &["client", "--rounds", "3"], &["/t/dist/mesh-bench", "client", "--rounds", "3"]);
    }

    #[test]
    fn the_gates_get_the_profile_and_its_numbers() {
        let words = ["--profile", "dev", "--numbers", "/r/bench/gates.json", "--bless"];
        let start = ["/t/debug/mesh-bench", "gates", "--mesh", "/g"];
        check("dev", &["gates", "--bless"], &[&start[..], &words].concat());
    }

    #[test]
    fn only_what_is_measured_as_users_get_it_is_trained() {
        assert!(arguments(DIST, &["--case", "get"]).takes_counts());
        assert!(arguments(DIST, &["memory"]).takes_counts());
        assert!(!arguments(DIST, &["gates"]).takes_counts());
        assert!(!arguments(TESTED, &[]).takes_counts());
        assert!(!Arguments { plain: true, ..arguments(DIST, &[]) }.takes_counts());
        assert!(!Arguments { mesh: Some("/m".into()), ..arguments(DIST, &[]) }.takes_counts());
    }
}
