//! `cargo xtask bench`: builds the gateway as it is given to users, and the benchmark, and starts the latter: `run`, or with
//! `gates` first the counts that are the same on every run.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use crate::output;
use crate::step::{self, Outcome};
use crate::workspace::Workspace;

/// The profile of the tests.
const TESTED: &str = "dev";

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
    #[arg(long, default_value = "dist", value_name = "NAME")]
    profile: String,
    /// `gates` [--bless], `client`, `memory` or `profile` and its flags, or what is handed to `mesh-bench run`: --case NAME, --rounds N, --seconds S, --json FILE, --write FOLDER, --core N.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

impl Arguments {
    /// Of `mesh-bench`, and what it is told.
    fn role(&self) -> (&str, &[OsString]) {
        let named = [GATES, CLIENT, MEMORY, PROFILE];
        let role = self.arguments.first().and_then(|first| named.into_iter().find(|role| first == role));
        role.map_or(("run", &self.arguments), |role| (role, &self.arguments[1..]))
    }
}

/// Answers with the exit code of the benchmark, or of the build that failed.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> anyhow::Result<u8> {
    for packages in builds(workspace, arguments) {
        let build = step::measured(&packages.join(", "), || {
            let mut build = step::cargo(workspace, &["build", "--profile", &arguments.profile, "--bins"]);
            for package in &packages {
                build.args(["--package", package]);
            }
            if arguments.role().0 == PROFILE && arguments.profile != TESTED {
                let setting = format!("CARGO_PROFILE_{}_DEBUG", arguments.profile.to_uppercase());
                build.env(setting, "line-tables-only");
            }
            step::run(build)
        })?;
        output::line(&build.to_string());
        if let Outcome::Failed(code) = build.outcome {
            return Ok(code);
        }
    }
    match step::run(command(workspace, arguments))? {
        Outcome::Failed(code) => Ok(code),
        Outcome::Passed | Outcome::Skipped(_) => Ok(0),
    }
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
fn command(workspace: &Workspace, arguments: &Arguments) -> Command {
    let folder = if arguments.profile == TESTED { "debug" } else { &arguments.profile };
    let built = |name: &str| workspace.target.join(folder).join(name);
    let mut command = Command::new(built("mesh-bench"));
    let (role, rest) = arguments.role();
    command.arg(role);
    if role != CLIENT {
        command.arg("--mesh").arg(arguments.mesh.clone().unwrap_or_else(|| built("mesh")));
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

    #[track_caller]
    fn check(mesh: Option<&str>, profile: &str, arguments: &[&str], expected: &[&str]) {
        let arguments = Arguments {
            mesh: mesh.map(PathBuf::from),
            profile: profile.to_owned(),
            arguments: arguments.iter().map(OsString::from).collect(),
        };
        let command = command(&workspace(), &arguments);
        let words: Vec<_> = std::iter::once(command.get_program()).chain(command.get_args()).collect();
        assert_eq!(words, expected);
    }

    #[test]
    fn the_benchmark_gets_the_gateway_that_was_built_or_the_one_that_was_named() {
        let case = ["--case", "get"];
        let bench = "/t/dist/mesh-bench";
        check(None, "dist", &case, &[bench, "run", "--mesh", "/t/dist/mesh", "--case", "get"]);
        check(Some("/opt/mesh"), "dist", &case, &[bench, "run", "--mesh", "/opt/mesh", "--case", "get"]);
    }

    #[test]
    fn memory_and_profile_get_the_gateway() {
        let (bench, mesh) = ("/t/dist/mesh-bench", "/t/dist/mesh");
        check(None, "dist", &["memory", "--mib", "64"], &[bench, "memory", "--mesh", mesh, "--mib", "64"]);
        check(None, "dist", &["profile"], &[bench, "profile", "--mesh", mesh, "--profile", "dist"]);
    }

    #[test]
    fn clients_need_no_gateway() {
        check(None, "dist", &["client", "--rounds", "3"], &["/t/dist/mesh-bench", "client", "--rounds", "3"]);
    }

    #[test]
    fn the_gates_get_the_profile_and_its_numbers() {
        let words = ["--profile", "dev", "--numbers", "/r/bench/gates.json", "--bless"];
        let start = ["/t/debug/mesh-bench", "gates", "--mesh", "/t/debug/mesh"];
        check(None, "dev", &["gates", "--bless"], &[&start[..], &words].concat());
    }
}
