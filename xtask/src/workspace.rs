//! Where the workspace is, where its binaries go, which packages have some: as `cargo metadata` tells.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde::Deserialize;

/// The facts of the workspace that xtask needs.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    /// The folder of the workspace's Cargo.toml.
    #[serde(rename = "workspace_root")]
    pub(crate) root: PathBuf,
    /// Where cargo builds, whoever set it.
    #[serde(rename = "target_directory")]
    pub(crate) target: PathBuf,
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
struct Target {
    kind: Vec<String>,
}

impl Workspace {
    /// Asks cargo, from the current folder.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let answer = Command::new("cargo")
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .stderr(Stdio::inherit())
            .output()
            .context("cannot run cargo")?;
        ensure!(answer.status.success(), "cargo metadata failed");
        serde_json::from_slice(&answer.stdout).context("cargo metadata answered with something else")
    }

    /// The packages whose binaries tests and readers start: all that have one, but for xtask.
    pub(crate) fn packages_with_binaries(&self) -> impl Iterator<Item = &str> {
        let has_one = |package: &&Package| {
            package.targets.iter().any(|target| target.kind.iter().any(|kind| kind == "bin"))
        };
        self.packages
            .iter()
            .filter(has_one)
            .map(|package| package.name.as_str())
            .filter(|name| *name != "xtask")
    }

    /// The folder of debug binaries.
    pub(crate) fn binaries(&self) -> PathBuf {
        self.target.join("debug")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_with_binaries_leave_out_libraries_and_xtask() {
        let workspace: Workspace = serde_json::from_str(
            r#"{"workspace_root": "/r", "target_directory": "/t", "packages": [
                {"name": "a", "targets": [{"kind": ["lib"]}]},
                {"name": "b", "targets": [{"kind": ["lib"]}, {"kind": ["bin"]}]},
                {"name": "xtask", "targets": [{"kind": ["bin"]}]}
            ]}"#,
        )
        .unwrap();
        assert_eq!(workspace.packages_with_binaries().collect::<Vec<_>>(), ["b"]);
        assert_eq!(workspace.binaries(), PathBuf::from("/t/debug"));
    }
}
