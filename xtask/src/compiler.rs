//! The compiler that everything is built with, and the tools of its LLVM that read what instrumented binaries count.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

/// Where BOLT reads and moves code.
const LAID_OUT: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

/// What `rustc` says of itself.
#[derive(Debug)]
pub(crate) struct Compiler {
    /// The triple of this machine.
    pub(crate) host: String,
    /// The major version of its LLVM.
    llvm: u32,
    sysroot: PathBuf,
}

impl Compiler {
    /// Asks it.
    pub(crate) fn ask() -> anyhow::Result<Self> {
        let sysroot = answer("rustc", &["--print", "sysroot"])?;
        Self::read(&answer("rustc", &["-vV"])?, sysroot.trim())
    }

    fn read(version: &str, sysroot: &str) -> anyhow::Result<Self> {
        let said = |key: &str| version.lines().find_map(|line| line.strip_prefix(key));
        let llvm = said("LLVM version: ").and_then(major).context("rustc names no version of LLVM")?;
        let host = said("host: ").context("rustc names no host")?.to_owned();
        Ok(Self { host, llvm, sysroot: PathBuf::from(sysroot) })
    }

    /// `llvm-profdata` that reads what this compiler's binaries write: of rustup's component, or of a package. `None` where
    /// none is installed; [`profdata_advice`](Self::profdata_advice) says how it comes.
    pub(crate) fn profdata(&self) -> Option<PathBuf> {
        let component = self.sysroot.join("lib/rustlib").join(&self.host).join("bin/llvm-profdata");
        let packaged = PathBuf::from(format!("llvm-profdata-{}", self.llvm));
        self.fitting([component, packaged, PathBuf::from("llvm-profdata")])
    }

    /// `llvm-bolt` that lays out what this compiler builds, of a package. `None` where none is installed, or BOLT does not know
    /// the platform; [`bolt_advice`](Self::bolt_advice) says which.
    pub(crate) fn bolt(&self) -> Option<PathBuf> {
        let packaged = PathBuf::from(format!("llvm-bolt-{}", self.llvm));
        let known = LAID_OUT.contains(&&*self.host);
        known.then(|| self.fitting([packaged, PathBuf::from("llvm-bolt")])).flatten()
    }

    /// The first that is at least as new as the LLVM that made what it reads.
    fn fitting(&self, tools: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
        let fits = |tool: &PathBuf| tool_version(tool).is_some_and(|version| version >= self.llvm);
        tools.into_iter().find(fits)
    }

    /// What a person has to do where there is no `llvm-bolt`, or why that is not to be changed.
    pub(crate) fn bolt_advice(&self) -> String {
        let Self { host, llvm, .. } = self;
        if LAID_OUT.contains(&&**host) {
            return format!("llvm-bolt of LLVM {llvm} is missing: apt-get install bolt-{llvm}");
        }
        format!("llvm-bolt does not lay out code for {host}")
    }

    /// What a person has to do where there is no `llvm-profdata`.
    pub(crate) fn profdata_advice(&self) -> String {
        let llvm = self.llvm;
        format!(
            "llvm-profdata of LLVM {llvm} is missing: rustup component add llvm-tools, or apt-get install llvm-{llvm}"
        )
    }
}

fn answer(program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.with_context(|| format!("cannot run {program}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The major version of a tool of LLVM; none: it does not run.
fn tool_version(tool: &Path) -> Option<u32> {
    let output = Command::new(tool).arg("--version").output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.split_once("LLVM version ").and_then(|(_, version)| major(version))
}

/// `22` of `22.1.2`.
fn major(version: &str) -> Option<u32> {
    version.split(['.', ' ', '\n', '-']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiler_says_its_host_and_its_llvm() {
        let said = "rustc 1.95.0 (5 2026-04-14)\nhost: x86_64-unknown-linux-gnu\nLLVM version: 22.1.2\n";
        let compiler = Compiler::read(said, "/s").unwrap();
        assert_eq!((&*compiler.host, compiler.llvm), ("x86_64-unknown-linux-gnu", 22));
        assert!(compiler.profdata_advice().ends_with("apt-get install llvm-22"));
        assert!(compiler.bolt_advice().ends_with("apt-get install bolt-22"));
        assert!(Compiler::read("host: h\n", "/s").is_err());
    }

    #[test]
    fn where_bolt_does_not_know_the_platform_nothing_is_to_be_installed() {
        let compiler = Compiler::read("host: x86_64-apple-darwin\nLLVM version: 22.1.2\n", "/s").unwrap();
        assert_eq!(compiler.bolt(), None);
        assert_eq!(compiler.bolt_advice(), "llvm-bolt does not lay out code for x86_64-apple-darwin");
    }

    #[test]
    fn a_tool_fits_that_runs_and_is_as_new_as_the_compiler() {
        let folder = std::env::temp_dir().join(format!("xtask-tools-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let tool = |version: u32| {
            let tool = folder.join(format!("llvm-bolt-{version}"));
            std::fs::write(&tool, format!("#!/bin/sh\necho '  LLVM version {version}.1.8'\n")).unwrap();
            std::fs::set_permissions(&tool, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
            tool
        };
        let compiler = Compiler::read("host: h\nLLVM version: 22.1.2\n", "/s").unwrap();
        let [old, same, new] = [21, 22, 23].map(tool);
        assert_eq!(compiler.fitting([folder.join("none"), old.clone(), same.clone()]), Some(same));
        assert_eq!(compiler.fitting([old.clone(), new.clone()]), Some(new));
        assert_eq!(compiler.fitting([old]), None);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn this_compiler_answers() {
        assert!(!Compiler::ask().unwrap().host.is_empty());
    }
}
