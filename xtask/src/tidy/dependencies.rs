//! Every dependency stands once, in `[workspace.dependencies]`, from its first use on.

use toml::Value;

use super::member::{members, workspace};
use super::problem::Problem;
use super::tree::Tree;

/// Packages name dependencies without versions; the workspace names none that nobody uses.
pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let members = members(tree);
    let mut problems = Vec::new();
    for member in &members {
        for dependency in member.dependencies() {
            if dependency.value.get("workspace").and_then(Value::as_bool) != Some(true) {
                let message = format!("{} must stand in [workspace.dependencies]", dependency.name);
                problems.push(Problem::of(&member.path, message));
            }
        }
    }
    let workspace = workspace(tree);
    for name in
        workspace.get("dependencies").and_then(Value::as_table).into_iter().flat_map(|table| table.keys())
    {
        let used = members.iter().any(|member| member.dependencies().iter().any(|other| other.name == name));
        if !used {
            problems.push(Problem::of("Cargo.toml", format!("no package uses the dependency {name}")));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::problem::texts;
    use super::*;

    #[track_caller]
    fn check_trees(root: &str, member: &str, expected: &[&str]) {
        let root = format!("[workspace.dependencies]\n{root}");
        let member = format!("[package]\nname = \"a\"\n{member}");
        assert_eq!(texts(&check(&Tree::of(&[("Cargo.toml", &root), ("a/Cargo.toml", &member)]))), expected);
    }

    #[test]
    fn a_version_or_a_path_in_a_package_fails() {
        check_trees(
            "",
            "[dependencies]\nb = \"1\"",
            &["a/Cargo.toml: b must stand in [workspace.dependencies]"],
        );
        let message = "a/Cargo.toml: c must stand in [workspace.dependencies]";
        check_trees("", "[dev-dependencies]\nc = { path = \"c\", features = [] }", &[message]);
        check_trees("b = \"1\"", "[dependencies]\nb = { workspace = true, features = [\"c\"] }", &[]);
    }

    #[test]
    fn a_dependency_that_nobody_uses_fails() {
        check_trees("b = \"1\"", "", &["Cargo.toml: no package uses the dependency b"]);
    }
}
