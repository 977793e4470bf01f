//! Who may import whom.

use super::member::{Member, members};
use super::problem::Problem;
use super::tree::Tree;

/// A row is added in the same commit that moves the wall, with its reason in ARCHITECTURE.md.
const ARROWS: &[(&str, &[&str])] = &[
    ("mesh-core", &[]),
    ("mesh-client", &["mesh-core"]),
    ("mesh-http", &["mesh-core"]),
    ("mesh-gateway", &["mesh-client", "mesh-core", "mesh-http"]),
    ("mesh-redis", &["mesh-core"]),
    ("mesh-testkit", &["mesh-core"]),
    ("mesh-cli", &["mesh-client", "mesh-core", "mesh-gateway", "mesh-http", "mesh-redis"]),
    ("mesh-bench", EVERYTHING),
    ("mesh-tests", EVERYTHING),
    ("xtask", &[]),
];

/// What the packages under examples/ may show.
const PUBLIC: &[&str] = &["mesh-client", "mesh-core", "mesh-gateway", "mesh-http", "mesh-redis"];

/// What whole-house tests and measurements may use.
const EVERYTHING: &[&str] =
    &["mesh-client", "mesh-core", "mesh-gateway", "mesh-http", "mesh-redis", "mesh-testkit"];

/// For tests only, and not for those that it is built on: a cycle.
const TESTKIT: &str = "mesh-testkit";
const BELOW_TESTKIT: &[&str] = &["mesh-core", TESTKIT];

/// Every arrow between packages of the workspace has its row.
pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let members = members(tree);
    let names: Vec<_> = members.iter().map(|member| member.name.as_str()).collect();
    members.iter().flat_map(|member| of_member(member, &names)).collect()
}

fn of_member(member: &Member, names: &[&str]) -> Vec<Problem> {
    let row = ARROWS.iter().find(|(name, _)| *name == member.name).map(|(_, row)| *row);
    let Some(row) = row.or_else(|| member.is_example().then_some(PUBLIC)) else {
        return vec![Problem::of(
            &member.path,
            format!("{} has no row in xtask/src/tidy/arrows.rs", member.name),
        )];
    };
    let mut problems = Vec::new();
    for dependency in member.dependencies() {
        if !names.contains(&dependency.name) {
            continue;
        }
        let testkit =
            dependency.name == TESTKIT && dependency.for_tests && !BELOW_TESTKIT.contains(&&*member.name);
        // The row of whole-house tests names the testkit itself; nobody else may build on it.
        let in_row = row.contains(&dependency.name) && (dependency.name != TESTKIT || dependency.for_tests);
        if !(in_row || testkit && member.name != "xtask") {
            let kind = if dependency.for_tests { "[dev-dependencies]" } else { "[dependencies]" };
            let message = format!("the arrow {} → {} in {kind} is not allowed", member.name, dependency.name);
            problems.push(Problem::of(&member.path, message));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::problem::texts;
    use super::*;

    /// The problems of a package that depends on `dependencies`, with every other package in the tree.
    #[track_caller]
    fn check_member(name: &str, dependencies: &str, expected: &[&str]) {
        let folder = if name == "shop" { "examples/shop" } else { name };
        let mut files: Vec<(String, String)> = ARROWS
            .iter()
            .filter(|(other, _)| *other != name)
            .map(|(other, _)| (format!("{other}/Cargo.toml"), format!("[package]\nname = \"{other}\"")))
            .collect();
        files.push((format!("{folder}/Cargo.toml"), format!("[package]\nname = \"{name}\"\n{dependencies}")));
        let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        assert_eq!(texts(&check(&Tree::of(&files))), expected);
    }

    #[test]
    fn an_arrow_with_a_row_passes_and_one_without_fails() {
        check_member("mesh-http", "[dependencies]\nmesh-core.workspace = true\nserde.workspace = true", &[]);
        let message =
            "mesh-http/Cargo.toml: the arrow mesh-http → mesh-client in [dependencies] is not allowed";
        check_member("mesh-http", "[dependencies]\nmesh-client.workspace = true", &[message]);
    }

    #[test]
    fn an_arrow_for_tests_needs_its_row_too() {
        let message = "mesh-gateway/Cargo.toml: the arrow mesh-gateway → mesh-redis in [dev-dependencies] is not allowed";
        check_member("mesh-gateway", "[dev-dependencies]\nmesh-redis.workspace = true", &[message]);
    }

    #[test]
    fn the_testkit_is_for_tests_only_and_never_for_core() {
        check_member("mesh-http", "[dev-dependencies]\nmesh-testkit.workspace = true", &[]);
        let message =
            "mesh-http/Cargo.toml: the arrow mesh-http → mesh-testkit in [dependencies] is not allowed";
        check_member("mesh-http", "[dependencies]\nmesh-testkit.workspace = true", &[message]);
        let message =
            "mesh-core/Cargo.toml: the arrow mesh-core → mesh-testkit in [dev-dependencies] is not allowed";
        check_member("mesh-core", "[dev-dependencies]\nmesh-testkit.workspace = true", &[message]);
    }

    #[test]
    fn whole_house_tests_use_everything_and_xtask_nothing() {
        check_member(
            "mesh-tests",
            "[dev-dependencies]\nmesh-testkit = {}\nmesh-redis = {}\nmesh-gateway = {}",
            &[],
        );
        let message = "xtask/Cargo.toml: the arrow xtask → mesh-testkit in [dev-dependencies] is not allowed";
        check_member("xtask", "[dev-dependencies]\nmesh-testkit.workspace = true", &[message]);
    }

    #[test]
    fn an_example_shows_public_crates_and_not_the_cli() {
        check_member("shop", "[dependencies]\nmesh-client = {}\nmesh-redis = {}", &[]);
        let message = "examples/shop/Cargo.toml: the arrow shop → mesh-cli in [dependencies] is not allowed";
        check_member("shop", "[dependencies]\nmesh-cli = {}", &[message]);
    }

    #[test]
    fn a_package_without_a_row_fails() {
        let message = "mesh-new/Cargo.toml: mesh-new has no row in xtask/src/tidy/arrows.rs";
        check_member("mesh-new", "", &[message]);
    }
}
