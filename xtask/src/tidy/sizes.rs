//! One concept, one file: no Rust file is long, and half of them are short.

use super::problem::Problem;
use super::tree::Tree;

/// The most lines that a file may have.
const LONGEST: usize = 400;

/// The most lines that the file in the middle may have.
const MEDIAN: usize = 120;

/// No file is over [`LONGEST`], and the median is not over [`MEDIAN`].
pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems: Vec<_> = tree
        .ending(".rs")
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST)
        .map(|(path, lines)| {
            Problem::of(path, format!("{lines} lines, {LONGEST} are allowed: two concepts?"))
        })
        .collect();
    let median = median(tree);
    if median > MEDIAN {
        problems.push(Problem::of("*.rs", format!("the median is {median} lines, {MEDIAN} are allowed")));
    }
    problems
}

/// What `tidy` reports of the sizes.
pub(super) fn summary(tree: &Tree) -> String {
    let longest = tree.ending(".rs").map(|(_, text)| text.lines().count()).max().unwrap_or(0);
    format!("{} Rust files, median {} lines, longest {longest}", tree.ending(".rs").count(), median(tree))
}

fn median(tree: &Tree) -> usize {
    let mut sizes: Vec<_> = tree.ending(".rs").map(|(_, text)| text.lines().count()).collect();
    sizes.sort_unstable();
    sizes.get(sizes.len() / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::problem::texts;
    use super::*;

    fn lines(number: usize) -> String {
        "line\n".repeat(number)
    }

    #[test]
    fn a_file_over_the_limit_fails_and_one_at_the_limit_passes() {
        let (short, long, over) = (lines(1), lines(400), lines(401));
        let tree = Tree::of(&[("a.rs", &short), ("b.rs", &short), ("c.rs", &long), ("d.md", &over)]);
        assert_eq!(texts(&check(&tree)), Vec::<String>::new());
        let tree = Tree::of(&[("a.rs", &short), ("b.rs", &short), ("c.rs", &over)]);
        assert_eq!(texts(&check(&tree)), ["c.rs: 401 lines, 400 are allowed: two concepts?"]);
    }

    #[test]
    fn many_files_of_middle_size_fail_together() {
        let (short, middle) = (lines(1), lines(121));
        let tree = Tree::of(&[("a.rs", &short), ("b.rs", &middle), ("c.rs", &middle)]);
        assert_eq!(texts(&check(&tree)), ["*.rs: the median is 121 lines, 120 are allowed"]);
        assert_eq!(summary(&tree), "3 Rust files, median 121 lines, longest 121");
    }
}
