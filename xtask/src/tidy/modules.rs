//! Every Rust file says what it knows in its first line, and none is called mod.rs.

use super::problem::Problem;
use super::tree::Tree;

/// The first line is a `//!` sentence; the file of a module stands beside its folder.
pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in tree.ending(".rs") {
        let first = text.lines().next().unwrap_or_default();
        if first.strip_prefix("//! ").is_none_or(|sentence| sentence.trim().is_empty()) {
            problems.push(Problem::at(path, 1, "the first line must be `//! ` and what the file knows"));
        }
        if path == "mod.rs" || path.ends_with("/mod.rs") {
            problems.push(Problem::of(
                path,
                "name the file after its module, beside its folder: foo.rs and foo/",
            ));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::problem::texts;
    use super::*;

    #[test]
    fn a_file_without_its_first_line_fails() {
        let message = ":1: the first line must be `//! ` and what the file knows";
        for text in ["", "use a;\n", "\n//! Late.\n", "//!\n//! Second.\n", "//! \n"] {
            let tree = Tree::of(&[("tests/a.rs", text)]);
            assert_eq!(texts(&check(&tree)), [format!("tests/a.rs{message}")], "{text:?}");
        }
        assert_eq!(check(&Tree::of(&[("a.rs", "//! A.\n"), ("b.md", "B")])), []);
    }

    #[test]
    fn a_file_called_mod_fails() {
        let tree = Tree::of(&[("a/mod.rs", "//! A.\n"), ("a/quicksand_mod.rs", "//! B.\n")]);
        let message = "a/mod.rs: name the file after its module, beside its folder: foo.rs and foo/";
        assert_eq!(texts(&check(&tree)), [message]);
    }
}
