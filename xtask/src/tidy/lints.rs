//! Every package takes the workspace's lints, but for the few that carry their own.

use toml::{Table, Value};

use super::member::{Member, members};
use super::problem::Problem;
use super::tree::Tree;

/// Packages that exist for tests and measurements; they still refuse unsafe code.
const OWN_LINTS: &[&str] = &["mesh-bench", "mesh-testkit", "mesh-tests"];

/// `[lints] workspace = true`, or `unsafe_code = "deny"` of its own.
pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems: Vec<_> = members(tree).iter().filter_map(of_member).collect();
    if let Some((path, _)) = tree.files().find(|(path, _)| path.ends_with("/clippy.toml")) {
        problems.push(Problem::of(path, "replaces the clippy.toml of the root: there is one for all"));
    }
    problems
}

fn of_member(member: &Member) -> Option<Problem> {
    let empty = Table::new();
    let lints = member.manifest.get("lints").and_then(Value::as_table).unwrap_or(&empty);
    let inherits = lints.get("workspace").and_then(Value::as_bool) == Some(true);
    let refusal = lints.get("rust").and_then(|rust| rust.get("unsafe_code")).and_then(Value::as_str);
    if inherits || OWN_LINTS.contains(&&*member.name) && matches!(refusal, Some("deny" | "forbid")) {
        return None;
    }
    let message = match OWN_LINTS.contains(&&*member.name) {
        true => "its [lints] must hold at least rust.unsafe_code = \"deny\"",
        false => "must say [lints] workspace = true",
    };
    Some(Problem::of(&member.path, message))
}

#[cfg(test)]
mod tests {
    use super::super::problem::texts;
    use super::*;

    #[track_caller]
    fn check_member(name: &str, lints: &str, expected: &[&str]) {
        let manifest = format!("[package]\nname = \"{name}\"\n{lints}");
        assert_eq!(texts(&check(&Tree::of(&[("a/Cargo.toml", &manifest)]))), expected);
    }

    #[test]
    fn a_package_without_the_workspace_lints_fails() {
        check_member("mesh-core", "[lints]\nworkspace = true", &[]);
        for lints in ["", "[lints]\nworkspace = false", "[lints.rust]\nunsafe_code = \"deny\""] {
            check_member("mesh-core", lints, &["a/Cargo.toml: must say [lints] workspace = true"]);
        }
    }

    #[test]
    fn a_package_with_lints_of_its_own_still_refuses_unsafe_code() {
        check_member("mesh-tests", "[lints.rust]\nunsafe_code = \"deny\"", &[]);
        let message = "a/Cargo.toml: its [lints] must hold at least rust.unsafe_code = \"deny\"";
        check_member("mesh-tests", "[lints.rust]\nunsafe_code = \"warn\"", &[message]);
    }

    #[test]
    fn a_second_clippy_toml_fails() {
        let tree = Tree::of(&[("clippy.toml", ""), ("crates/a/clippy.toml", "")]);
        let message = "crates/a/clippy.toml: replaces the clippy.toml of the root: there is one for all";
        assert_eq!(texts(&check(&tree)), [message]);
    }
}
