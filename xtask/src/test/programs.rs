//! The programs that tests start by themselves: found, installed where that is allowed, or asked for.
//!
//! Never starts a service of the system, and leaves one that runs alone.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::lint::runs;
use crate::output;
use crate::step::{self, Outcome};

/// Each program, and the Debian package that it stands in.
const PROGRAMS: [(&str, &str); 5] = [
    ("redis-server", "redis-server"),
    ("python3", "python3"),
    ("php", "php-cli"),
    ("strace", "strace"),
    ("valgrind", "valgrind"),
];

/// Succeeds when every program can be started, after installing Debian's packages when need be.
pub(super) fn make_sure() -> anyhow::Result<()> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    if !is_root() || !runs("apt-get", "--version") {
        bail!(advice(&missing));
    }
    output::line(&format!("xtask: missing: {}: installing Debian's packages", missing.join(", ")));
    let _no_services = NoServices::from_now_on(Path::new("/usr/sbin/policy-rc.d"))?;
    apt_get(&["update", "--quiet"], &missing)?;
    let install = ["install", "--yes", "--quiet", "--no-install-recommends"];
    apt_get(&[&install[..], &missing].concat(), &missing)?;
    ensure!(self::missing().is_empty(), advice(&missing));
    Ok(())
}

/// The packages of the programs that cannot be started.
fn missing() -> Vec<&'static str> {
    let missing = PROGRAMS.into_iter().filter(|(program, _)| !runs(program, "--version"));
    missing.map(|(_, package)| package).collect()
}

/// What a person has to do where xtask may not.
fn advice(missing: &[&str]) -> String {
    let missing = missing.join(" ");
    format!(
        "missing, and the tests need it: {missing}: run `apt-get install {missing}` as root (Debian, Ubuntu), or install \
         Redis 7, Python 3, PHP 8, strace and valgrind so that `redis-server`, `python3`, `php`, `strace` and `valgrind` are \
         on the PATH"
    )
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|answer| answer.stdout.trim_ascii() == b"0")
}

fn apt_get(arguments: &[&str], missing: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    match step::run(command)? {
        Outcome::Passed => Ok(()),
        outcome => bail!("apt-get {}: {outcome:?}. {}", arguments.join(" "), advice(missing)),
    }
}

/// While this lives, Debian's packages do not start their services when they are installed.
///
/// Source: Debian's invoke-rc.d(8): exit code 101 of policy-rc.d means that the action is forbidden.
#[derive(Debug)]
struct NoServices(Option<PathBuf>);

impl NoServices {
    /// Forbids it by writing `policy`, unless the machine has a policy of its own.
    fn from_now_on(policy: &Path) -> anyhow::Result<Self> {
        if policy.exists() {
            return Ok(Self(None));
        }
        let because = || format!("cannot write {}", policy.display());
        fs::write(policy, "#!/bin/sh\nexit 101\n").with_context(because)?;
        let guard = Self(Some(policy.to_owned()));
        fs::set_permissions(policy, Permissions::from_mode(0o755)).with_context(because)?;
        Ok(guard)
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if let Some(policy) = &self.0
            && let Err(error) = fs::remove_file(policy)
        {
            output::problem(&format!("xtask: cannot remove {}: {error}", policy.display()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_told_what_to_install() {
        assert!(advice(&["redis-server", "php-cli"]).contains("apt-get install redis-server php-cli"));
    }

    #[test]
    fn services_are_forbidden_only_while_a_package_is_installed() {
        let folder = tempfile::tempdir().unwrap();
        let policy = folder.path().join("policy-rc.d");
        let guard = NoServices::from_now_on(&policy).unwrap();
        let status = Command::new(&policy).status().unwrap();
        assert_eq!(status.code(), Some(101));
        drop(guard);
        assert!(!policy.exists());
    }

    #[test]
    fn a_policy_of_the_machine_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let policy = folder.path().join("policy-rc.d");
        fs::write(&policy, "theirs").unwrap();
        drop(NoServices::from_now_on(&policy).unwrap());
        assert_eq!(fs::read_to_string(&policy).unwrap(), "theirs");
    }
}
