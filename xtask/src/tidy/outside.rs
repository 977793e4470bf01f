//! Nothing here names a path outside the repository: what is committed must stand on its own.

use super::problem::Problem;
use super::tree::Tree;

/// Put together here, so that this file does not name them either.
const PATHS: &[&str] = &[concat!("..", "/shared"), concat!("/work", "/"), concat!("/root", "/.")];

/// No text file names one of the paths.
pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in tree.files() {
        for (index, line) in text.lines().enumerate() {
            if let Some(outside) = PATHS.iter().find(|outside| names(line, outside)) {
                problems.push(Problem::at(path, index + 1, format!("{outside} is outside the repository")));
            }
        }
    }
    problems
}

/// Whether `line` names `path`, and not a longer path that ends with it or goes on from it.
fn names(line: &str, path: &str) -> bool {
    let in_a_name =
        |character: char| character.is_alphanumeric() || matches!(character, '-' | '_' | '.' | '/');
    line.match_indices(path).any(|(begin, _)| {
        let goes_on = line[begin + path.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
        !line[..begin].ends_with(in_a_name) && (!goes_on || path.ends_with(['/', '.']))
    })
}

#[cfg(test)]
mod tests {
    use super::super::problem::texts;
    use super::*;

    #[test]
    fn a_path_outside_the_repository_fails() {
        for path in PATHS {
            let tree = Tree::of(&[("a.md", &format!("\nsee `{path}`"))]);
            assert_eq!(texts(&check(&tree)), [format!("a.md:2: {path} is outside the repository")]);
        }
    }

    #[test]
    fn a_longer_path_is_another_path() {
        let text = format!("https://a.test{0}b, frame{1}, {2}_state", PATHS[1], &PATHS[1][1..], PATHS[0]);
        assert_eq!(check(&Tree::of(&[("a.md", &text)])), []);
    }
}
