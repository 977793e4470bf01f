//! ARCHITECTURE.md names the packages that exist, all of them and no others.

use super::member::members;
use super::problem::Problem;
use super::tree::Tree;

const MAP: &str = "ARCHITECTURE.md";

/// Compares the names in code marks in the map with the workspace.
pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let Some(map) = tree.text(MAP) else {
        return vec![Problem::of(MAP, "is missing")];
    };
    let members = members(tree);
    let mut problems = Vec::new();
    for member in &members {
        if !map.contains(&format!("`{}`", member.name)) {
            problems
                .push(Problem::of(MAP, format!("`{}` is in the workspace and not on the map", member.name)));
        }
    }
    for (index, line) in map.lines().enumerate() {
        for word in line.split('`').skip(1).step_by(2) {
            let is_name =
                word.starts_with("mesh-") && word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            if is_name && !members.iter().any(|member| member.name == word) {
                let message = format!("`{word}` is on the map and not in the workspace");
                problems.push(Problem::at(MAP, index + 1, message));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::problem::texts;
    use super::*;

    #[track_caller]
    fn check_map(map: &str, expected: &[&str]) {
        let tree = Tree::of(&[
            (MAP, map),
            ("a/Cargo.toml", "[package]\nname = \"mesh-a\""),
            ("b/Cargo.toml", "[package]\nname = \"shop\""),
        ]);
        assert_eq!(texts(&check(&tree)), expected);
    }

    #[test]
    fn a_map_of_all_packages_passes() {
        check_map("`mesh-a` and `shop`; `mesh dev`, `mesh.toml`", &[]);
    }

    #[test]
    fn a_package_that_is_not_on_the_map_fails() {
        check_map("`mesh-a`, shop", &["ARCHITECTURE.md: `shop` is in the workspace and not on the map"]);
    }

    #[test]
    fn a_package_that_is_only_on_the_map_fails() {
        let message = "ARCHITECTURE.md:2: `mesh-gone` is on the map and not in the workspace";
        check_map("`mesh-a`, `shop`\n`mesh-gone`", &[message]);
    }

    #[test]
    fn a_missing_map_fails() {
        assert_eq!(texts(&check(&Tree::default())), ["ARCHITECTURE.md: is missing"]);
    }
}
