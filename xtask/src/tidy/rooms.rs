//! Which room may use which foreign crate: a wall that arrows between our own crates do not hold.

use super::member::{Member, members};
use super::problem::Problem;
use super::tree::Tree;

/// All that mesh-core may use: nothing here opens a socket, reads a clock, draws a number by itself or logs.
const CORE: &[&str] = &[
    "async-trait",
    "base64",
    "bytes",
    "event-listener",
    "hex",
    "http",
    "itoa",
    "md-5",
    "mockall",
    "ring",
    "serde",
    "serde_json",
    "smol_str",
    "thiserror",
    "zeroize",
];

/// Crates that belong in the named rooms only.
const ROOMS: &[(&str, &[&str])] = &[
    ("anyhow", &["mesh-cli", "xtask"]),
    ("axum", &["mesh-cli", "mesh-gateway", "mesh-http"]),
    ("clap", &["mesh-cli", "xtask"]),
    ("clap_complete", &["mesh-cli"]),
    ("deadpool", &["mesh-redis"]),
    ("deadpool-redis", &["mesh-redis"]),
    ("mimalloc", &["mesh-cli"]),
    ("mockall", &["mesh-core"]),
    ("prometheus-client", &["mesh-gateway"]),
    ("rcgen", &[]),
    ("redis", &[]),
    ("rlimit", &["mesh-cli"]),
    ("reqwest", &["mesh-client"]),
    ("rustls", &["mesh-client", "mesh-gateway", "mesh-redis"]),
    ("tokio-rustls", &["mesh-gateway"]),
    ("tracing-subscriber", &["mesh-cli"]),
];

/// Every foreign crate is in its room. Tests, examples and measurements may use what they need.
pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let rooms = members(tree)
        .into_iter()
        .filter(|member| member.path.starts_with("crates/") || member.name == "xtask");
    rooms.flat_map(|member| of_member(&member)).collect()
}

fn of_member(member: &Member) -> Vec<Problem> {
    let mut problems = Vec::new();
    for dependency in member.dependencies().iter().filter(|dependency| !dependency.for_tests) {
        let room = ROOMS.iter().find(|(name, _)| *name == dependency.name);
        let other_room = room.is_some_and(|(_, rooms)| !rooms.contains(&&*member.name));
        if other_room || member.name == "mesh-core" && !CORE.contains(&dependency.name) {
            let message =
                format!("{} may not use {} (xtask/src/tidy/rooms.rs)", member.name, dependency.name);
            problems.push(Problem::of(&member.path, message));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::problem::texts;
    use super::*;

    #[track_caller]
    fn check_member(name: &str, dependencies: &str, expected: &[&str]) {
        let manifest = format!("[package]\nname = \"{name}\"\n{dependencies}");
        assert_eq!(texts(&check(&Tree::of(&[("crates/a/Cargo.toml", &manifest)]))), expected);
    }

    #[test]
    fn core_uses_nothing_that_is_not_on_its_list() {
        check_member("mesh-core", "[dependencies]\nring = {}\n[dev-dependencies]\nproptest = {}", &[]);
        let message = "crates/a/Cargo.toml: mesh-core may not use tokio (xtask/src/tidy/rooms.rs)";
        check_member("mesh-core", "[dependencies]\ntokio = { optional = true }", &[message]);
    }

    #[test]
    fn a_crate_in_another_room_fails() {
        check_member("mesh-client", "[dependencies]\nreqwest = {}\ntokio = {}", &[]);
        let message = "crates/a/Cargo.toml: mesh-gateway may not use reqwest (xtask/src/tidy/rooms.rs)";
        check_member("mesh-gateway", "[dependencies]\nreqwest = {}", &[message]);
        let message = "crates/a/Cargo.toml: mesh-redis may not use redis (xtask/src/tidy/rooms.rs)";
        check_member("mesh-redis", "[dependencies]\nredis = {}", &[message]);
    }
}
