//! `cargo xtask fuzz`: builds the targets of fuzz/ with the compiler that everything is built with, and runs them.
//!
//! What cargo-fuzz asks a nightly compiler for, stable flags do as well, but for the sanitizers: nothing of ours is unsafe.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::compiler::Compiler;
use crate::output;
use crate::step::{self, Outcome};
use crate::workspace::Workspace;

/// What libFuzzer needs to see which ways an input took (LLVM's SanitizerCoverage).
const INSTRUMENTED: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg",
    "fuzzing",
];

/// What is run, and for how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only these; by default every file of fuzz/fuzz_targets.
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// The inputs that each is given.
    #[arg(long, default_value_t = 1_000_000)]
    runs: u64,
    /// Each ends after so many seconds, however many inputs it was given.
    #[arg(long, default_value_t = 300)]
    seconds: u64,
}

/// Answers with the exit code of the build or of the first target that found something; its input lies in fuzz/artifacts.
///
/// New inputs go to fuzz/target/corpus; fuzz/corpus holds what each target begins with.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> anyhow::Result<u8> {
    let folder = workspace.root.join("fuzz");
    let known = names(&folder.join("fuzz_targets"))?;
    for target in &arguments.targets {
        ensure!(known.contains(target), "no target {target}: there are {}", known.join(", "));
    }
    let host = Compiler::ask()?.host;
    let target_folder = folder.join("target");
    let mut build = step::cargo(workspace, &["build", "--bins", "--target", &host]);
    build.arg("--manifest-path").arg(folder.join("Cargo.toml")).arg("--target-dir").arg(&target_folder);
    // A target triple of its own keeps the flags from build scripts and macros.
    build.env("CARGO_ENCODED_RUSTFLAGS", INSTRUMENTED.join("\u{1f}"));
    if let Outcome::Failed(code) = step::run(build)? {
        return Ok(code);
    }
    fs::create_dir_all(folder.join("artifacts"))?;
    let targets = if arguments.targets.is_empty() { &known } else { &arguments.targets };
    for target in targets {
        let found = target_folder.join("corpus").join(target);
        fs::create_dir_all(&found)?;
        let mut fuzz = Command::new(target_folder.join(&host).join("debug").join(target));
        fuzz.args(flags(arguments, &folder, target)).arg(found).arg(folder.join("corpus").join(target));
        let report = step::measured(target, || step::run(fuzz))?;
        output::line(&report.to_string());
        if let Outcome::Failed(code) = report.outcome {
            return Ok(code);
        }
    }
    Ok(0)
}

/// Of libFuzzer. An input that takes 20 s is a finding.
fn flags(arguments: &Arguments, folder: &Path, target: &str) -> [String; 5] {
    let artifacts = folder.join("artifacts").join(target);
    [
        format!("-runs={}", arguments.runs),
        format!("-max_total_time={}", arguments.seconds),
        "-timeout=20".to_owned(),
        "-print_final_stats=1".to_owned(),
        format!("-artifact_prefix={}-", artifacts.display()),
    ]
}

/// The targets, by name.
fn names(folder: &Path) -> anyhow::Result<Vec<String>> {
    let files = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let paths: Result<Vec<PathBuf>, _> = files.map(|file| file.map(|file| file.path())).collect();
    let stems = paths?.into_iter().filter_map(|path| path.file_stem()?.to_str().map(str::to_owned)).collect();
    let mut names: Vec<String> = stems;
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_a_binary_and_something_to_begin_with() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let names = names(&folder.join("fuzz_targets")).unwrap();
        assert!(names.len() > 1);
        for name in names {
            assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
            assert!(fs::read_dir(folder.join("corpus").join(&name)).unwrap().next().is_some(), "{name}");
        }
    }
}
