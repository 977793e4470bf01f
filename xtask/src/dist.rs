//! `cargo xtask dist`: builds the gateway as it is given to users, with a profile: once so that it counts which ways are
//! taken while the loads of the benchmark go through it, and again with these counts (profile-guided optimization).
//!
//! What the loads do not run is built as without a profile, and not as if nobody ran it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::compiler::Compiler;
use crate::output;
use crate::step::{self, Outcome};
use crate::workspace::Workspace;

/// The profile of what users get.
pub(crate) const DIST: &str = "dist";

/// In the target folder: counts, what they come to, and the binary.
const FOLDER: &str = "pgo";

/// Builds, and says where the binary is; answers with the exit code of the step that failed.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<u8> {
    let compiler = Compiler::ask()?;
    let Some(profdata) = compiler.profdata() else {
        output::problem(&format!("xtask: {}", compiler.advice()));
        return Ok(2);
    };
    Ok(match build(workspace, &compiler, &profdata)? {
        Ok(mesh) => {
            output::line(&format!("xtask: built {}", mesh.display()));
            0
        }
        Err(code) => code,
    })
}

/// The binary, or the exit code of the step that failed. Builds `mesh-bench` as well, for the loads.
pub(crate) fn build(
    workspace: &Workspace,
    compiler: &Compiler,
    profdata: &Path,
) -> anyhow::Result<Result<PathBuf, u8>> {
    let places = Places::of(workspace, compiler);
    if places.counts.exists() {
        fs::remove_dir_all(&places.counts).context("cannot remove the counts of the last build")?;
    }
    fs::create_dir_all(&places.folder)?;
    let steps = [
        ("mesh-bench", package(workspace, "mesh-bench")),
        ("mesh, counting", places.counting(workspace, compiler)),
        ("train", places.train(workspace)),
        ("merge", places.merge(profdata)),
        ("mesh", places.optimized(workspace, compiler)),
    ];
    for (name, command) in steps {
        let report = step::measured(name, || step::run(command))?;
        output::line(&report.to_string());
        if let Outcome::Failed(code) = report.outcome {
            return Ok(Err(code));
        }
    }
    fs::copy(&places.built, &places.mesh).context("cannot copy the binary")?;
    Ok(Ok(places.mesh))
}

/// `cargo build` of a package's binaries as users get them.
pub(crate) fn package(workspace: &Workspace, name: &str) -> Command {
    step::cargo(workspace, &["build", "--profile", DIST, "--bins", "--package", name])
}

/// The gateway with a flag. A target of its own keeps that from build scripts and macros.
fn gateway(workspace: &Workspace, compiler: &Compiler, flag: &str) -> Command {
    let mut build = package(workspace, "mesh-cli");
    build.args(["--target", &compiler.host]).env("CARGO_ENCODED_RUSTFLAGS", flag);
    build
}

/// Where everything lies.
#[derive(Debug)]
struct Places {
    folder: PathBuf,
    /// What the counting gateway writes at its end.
    counts: PathBuf,
    /// The same, merged.
    profile: PathBuf,
    /// Where cargo puts either gateway.
    built: PathBuf,
    /// The gateway with its profile.
    mesh: PathBuf,
}

impl Places {
    fn of(workspace: &Workspace, compiler: &Compiler) -> Self {
        let folder = workspace.target.join(FOLDER);
        Self {
            counts: folder.join("counts"),
            profile: folder.join("mesh.profdata"),
            built: workspace.target.join(&compiler.host).join(DIST).join("mesh"),
            mesh: folder.join("mesh"),
            folder,
        }
    }

    /// With the same settings as the other one: names of functions depend on them, and counts are found by name.
    fn counting(&self, workspace: &Workspace, compiler: &Compiler) -> Command {
        gateway(workspace, compiler, &format!("-Cprofile-generate={}", self.counts.display()))
    }

    fn optimized(&self, workspace: &Workspace, compiler: &Compiler) -> Command {
        gateway(workspace, compiler, &format!("-Cprofile-use={}", self.profile.display()))
    }

    fn train(&self, workspace: &Workspace) -> Command {
        let mut train = Command::new(workspace.target.join(DIST).join("mesh-bench"));
        train.arg("train").arg("--mesh").arg(&self.built);
        train
    }

    /// Sparse: functions that were never run are left out, and so are not taken for cold ones.
    fn merge(&self, profdata: &Path) -> Command {
        let mut merge = Command::new(profdata);
        merge.args(["merge", "--sparse", "--output"]).arg(&self.profile).arg(&self.counts);
        merge
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_gateways_are_built_for_a_target_and_trained_between() {
        let workspace: Workspace =
            serde_json::from_str(r#"{"workspace_root": "/r", "target_directory": "/t", "packages": []}"#)
                .unwrap();
        let compiler = Compiler::ask().unwrap();
        let places = Places::of(&workspace, &compiler);
        let flags = |command: &Command| {
            let words: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
            assert_eq!(words[..6], ["build", "--profile", "dist", "--bins", "--package", "mesh-cli"]);
            assert_eq!(words[6..], ["--target", &*compiler.host]);
            let flags = command.get_envs().find(|(name, _)| *name == "CARGO_ENCODED_RUSTFLAGS");
            flags.and_then(|(_, value)| value?.to_str()).unwrap_or_default().to_owned()
        };
        assert_eq!(flags(&places.counting(&workspace, &compiler)), "-Cprofile-generate=/t/pgo/counts");
        assert_eq!(flags(&places.optimized(&workspace, &compiler)), "-Cprofile-use=/t/pgo/mesh.profdata");
        let built = format!("/t/{}/dist/mesh", compiler.host);
        let train: Vec<_> = places.train(&workspace).get_args().map(ToOwned::to_owned).collect();
        assert_eq!(train, ["train", "--mesh", &built]);
        assert_eq!(places.mesh, Path::new("/t/pgo/mesh"));
    }
}
