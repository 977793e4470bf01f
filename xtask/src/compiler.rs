//! The compiler that everything is built with, and the tool of its LLVM that reads what instrumented binaries count.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

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
    /// none is installed; [`advice`](Self::advice) says how it comes.
    pub(crate) fn profdata(&self) -> Option<PathBuf> {
        let component = self.sysroot.join("lib/rustlib").join(&self.host).join("bin/llvm-profdata");
        let packaged = PathBuf::from(format!("llvm-profdata-{}", self.llvm));
        let reads = |tool: &PathBuf| profdata_version(tool).is_some_and(|version| version >= self.llvm);
        [component, packaged, PathBuf::from("llvm-profdata")].into_iter().find(reads)
    }

    /// What a person has to do where there is no `llvm-profdata`.
    pub(crate) fn advice(&self) -> String {
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

/// The major version of a `llvm-profdata`; none: it does not run.
fn profdata_version(tool: &Path) -> Option<u32> {
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
        assert!(compiler.advice().ends_with("apt-get install llvm-22"));
        assert!(Compiler::read("host: h\n", "/s").is_err());
    }

    #[test]
    fn this_compiler_answers() {
        assert!(!Compiler::ask().unwrap().host.is_empty());
    }
}
