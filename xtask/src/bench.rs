//! `cargo xtask bench`: builds the gateway as it is given to users, and the benchmark, and starts the latter.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use crate::output;
use crate::step::{self, Outcome};
use crate::workspace::Workspace;

/// What the benchmark is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// This gateway instead of one that is built from here.
    #[arg(long, env = "MESH_BIN", value_name = "FILE")]
    mesh: Option<PathBuf>,
    /// The profile of what is built: by default the one that users get.
    #[arg(long, default_value = "dist", value_name = "NAME")]
    profile: String,
    /// Handed to `mesh-bench run`: --case NAME, --rounds N, --seconds S, --json FILE, --write FOLDER, --core N.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Answers with the exit code of the benchmark, or of the build that failed.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> anyhow::Result<u8> {
    // One build each: together they would share features, and the gateway would be another than users get.
    let mut packages = vec!["mesh-bench"];
    if arguments.mesh.is_none() {
        packages.push("mesh-cli");
    }
    for package in packages {
        let build = step::measured(package, || {
            step::run(step::cargo(
                workspace,
                &["build", "--profile", &arguments.profile, "--package", package, "--bins"],
            ))
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

/// The benchmark itself.
fn command(workspace: &Workspace, arguments: &Arguments) -> Command {
    let built = |name: &str| workspace.target.join(&arguments.profile).join(name);
    let mut command = Command::new(built("mesh-bench"));
    command.arg("run").arg("--mesh").arg(arguments.mesh.clone().unwrap_or_else(|| built("mesh")));
    command.args(&arguments.arguments);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> Workspace {
        serde_json::from_str(r#"{"workspace_root": "/r", "target_directory": "/t", "packages": []}"#).unwrap()
    }

    #[track_caller]
    fn check(mesh: Option<&str>, expected: &[&str]) {
        let arguments = Arguments {
            mesh: mesh.map(PathBuf::from),
            profile: "dist".to_owned(),
            arguments: vec!["--case".into(), "get".into()],
        };
        let command = command(&workspace(), &arguments);
        assert_eq!(command.get_program(), "/t/dist/mesh-bench");
        assert_eq!(command.get_args().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_benchmark_gets_the_gateway_that_was_built_or_the_one_that_was_named() {
        check(None, &["run", "--mesh", "/t/dist/mesh", "--case", "get"]);
        check(Some("/opt/mesh"), &["run", "--mesh", "/opt/mesh", "--case", "get"]);
    }
}
