//! `cargo xtask dist`: builds the gateway as it is given to users, with a profile: once so that it counts which ways are
//! taken while the loads of the benchmark go through it, and again with these counts (profile-guided optimization). Where
//! `llvm-bolt` is installed, that one counts once more, and its code is laid out by these counts ([`layout`]).
//!
//! What the loads do not run is built as without a profile, and not as if nobody ran it.

mod layout;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::compiler::Compiler;
use crate::output;
use crate::step::{self, Outcome};
use crate::workspace::Workspace;
use layout::Layout;

/// The profile of what users get.
pub(crate) const DIST: &str = "dist";

/// In the target folder: counts, what they come to, and the binary.
const FOLDER: &str = "pgo";

/// Between flags of the compiler.
const SEPARATOR: char = '\x1f';

/// The gateway as users get it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Built {
    /// Where it is.
    pub(crate) mesh: PathBuf,
    /// How it was built, for reports.
    pub(crate) words: String,
}

/// Builds, and says where the binary is; answers with the exit code of the step that failed.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<u8> {
    let compiler = Compiler::ask()?;
    let Some(profdata) = compiler.profdata() else {
        output::problem(&format!("xtask: {}", compiler.profdata_advice()));
        return Ok(2);
    };
    Ok(match build(workspace, &compiler, &profdata)? {
        Ok(Built { mesh, words }) => {
            output::line(&format!("xtask: built {}: {words}", mesh.display()));
            0
        }
        Err(code) => code,
    })
}

/// The gateway, or the exit code of the step that failed. Builds `mesh-bench` as well, for the loads.
pub(crate) fn build(
    workspace: &Workspace,
    compiler: &Compiler,
    profdata: &Path,
) -> anyhow::Result<Result<Built, u8>> {
    let places = Places::of(workspace, compiler);
    let bolt = compiler.bolt();
    if bolt.is_none() {
        output::line(&format!("xtask: {}: not laid out", compiler.bolt_advice()));
    }
    let layout = bolt.as_deref().map(|bolt| places.layout(bolt));
    if places.counts.exists() {
        fs::remove_dir_all(&places.counts).context("cannot remove the counts of the last build")?;
    }
    fs::create_dir_all(&places.folder)?;
    let mut steps = vec![
        ("mesh-bench", package(workspace, "mesh-bench")),
        ("mesh, counting", places.counting(workspace, compiler)),
        ("train", train(workspace, &places.built)),
        ("merge", places.merge(profdata)),
        ("mesh", places.optimized(workspace, compiler, layout.is_some())),
    ];
    if let Some(layout) = &layout {
        // No counts of another binary: where this one writes none, the last step fails.
        remove(&layout.branches)?;
        steps.extend([
            ("mesh, counting branches", layout.instrument()),
            ("train again", train(workspace, &layout.counting)),
            ("mesh, laid out", layout.optimize()),
        ]);
    }
    for (name, command) in steps {
        let report = step::measured(name, || step::run(command))?;
        output::line(&report.to_string());
        if let Outcome::Failed(code) = report.outcome {
            return Ok(Err(code));
        }
    }
    if layout.is_none() {
        fs::copy(&places.built, &places.mesh).context("cannot copy the binary")?;
    }
    let words = words(layout.is_some());
    Ok(Ok(Built { mesh: places.mesh, words }))
}

/// How the gateway was built.
fn words(is_laid_out: bool) -> String {
    let and = if is_laid_out { " and laid out by them" } else { "" };
    format!("{DIST}, with the counts of a training{and} (cargo xtask dist)")
}

fn remove(file: &Path) -> anyhow::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", file.display()))
        }
        _ => Ok(()),
    }
}

/// `cargo build` of a package's binaries as users get them.
pub(crate) fn package(workspace: &Workspace, name: &str) -> Command {
    step::cargo(workspace, &["build", "--profile", DIST, "--bins", "--package", name])
}

/// The gateway with flags. A target of its own keeps them from build scripts and macros.
fn gateway(workspace: &Workspace, compiler: &Compiler, flags: &str) -> Command {
    let mut build = package(workspace, "mesh-cli");
    build.args(["--target", &compiler.host]).env("CARGO_ENCODED_RUSTFLAGS", flags);
    build
}

/// The loads, through a gateway that counts.
fn train(workspace: &Workspace, mesh: &Path) -> Command {
    let mut train = Command::new(workspace.target.join(DIST).join("mesh-bench"));
    train.arg("train").arg("--mesh").arg(mesh);
    train
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
    /// The gateway that users get.
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

    fn optimized(&self, workspace: &Workspace, compiler: &Compiler, is_laid_out: bool) -> Command {
        let mut flags = format!("-Cprofile-use={}", self.profile.display());
        if is_laid_out {
            flags.push(SEPARATOR);
            flags.push_str(layout::FLAG);
        }
        gateway(workspace, compiler, &flags)
    }

    fn layout<'a>(&'a self, bolt: &'a Path) -> Layout<'a> {
        let (counting, branches) = (self.folder.join("mesh-counting"), self.folder.join("mesh.fdata"));
        Layout { bolt, built: &self.built, counting, branches, mesh: &self.mesh }
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
        let optimized = |is_laid_out| flags(&places.optimized(&workspace, &compiler, is_laid_out));
        assert_eq!(optimized(false), "-Cprofile-use=/t/pgo/mesh.profdata");
        assert_eq!(optimized(true), "-Cprofile-use=/t/pgo/mesh.profdata\x1f-Clink-arg=-Wl,--emit-relocs");
        let built = format!("/t/{}/dist/mesh", compiler.host);
        let train: Vec<_> = train(&workspace, &places.built).get_args().map(ToOwned::to_owned).collect();
        assert_eq!(train, ["train", "--mesh", &built]);
        assert_eq!(places.mesh, Path::new("/t/pgo/mesh"));
        let layout = places.layout(Path::new("llvm-bolt"));
        assert_eq!((layout.built, layout.mesh), (Path::new(&built), &*places.mesh));
        assert_ne!(layout.counting, places.mesh);
    }

    #[test]
    fn a_report_says_whether_the_code_was_laid_out() {
        assert_eq!(words(false), "dist, with the counts of a training (cargo xtask dist)");
        assert_eq!(
            words(true),
            "dist, with the counts of a training and laid out by them (cargo xtask dist)"
        );
    }

    #[test]
    fn old_counts_are_removed_where_there_are_any() {
        let file = std::env::temp_dir().join(format!("xtask-counts-{}", std::process::id()));
        fs::write(&file, "old").unwrap();
        remove(&file).unwrap();
        assert!(!file.exists());
        remove(&file).unwrap();
    }
}
