//! docs/parity.md stays true: every row names its tests, and they exist.

use super::problem::Problem;
use super::tree::Tree;

const PAGE: &str = "docs/parity.md";

/// The column that names tests: links to files, each followed by the names of functions in it.
const COLUMN: &str = "proved by";

/// Every row of a table with that column names at least one test, and each is a function of the file before it.
pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let Some(page) = tree.text(PAGE) else {
        return vec![Problem::of(PAGE, "the page is missing")];
    };
    let mut problems = Vec::new();
    let mut column = None;
    for (line, text) in (1..).zip(page.lines()) {
        let Some(row) = text.strip_prefix('|') else {
            column = None;
            continue;
        };
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        if column.is_none() {
            column = cells.iter().position(|cell| *cell == COLUMN);
        } else if let Some(cell) = column.and_then(|column| cells.get(column))
            && !cell.starts_with("---")
        {
            problems.extend(of_cell(tree, cell).into_iter().map(|message| Problem::at(PAGE, line, message)));
        }
    }
    problems
}

/// What is wrong with one cell.
fn of_cell(tree: &Tree, cell: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let (mut file, mut tests, mut rest) = (None, 0, cell);
    while let Some(at) = rest.find(['(', '`']) {
        let end = if rest[at..].starts_with('(') { ')' } else { '`' };
        let inside = &rest[at + 1..];
        let Some(length) = inside.find(end) else { break };
        let text = &inside[..length];
        rest = &inside[length + 1..];
        if end == ')' {
            file = text.strip_prefix("../").map(|path| (path, tree.text(path)));
        } else {
            tests += 1;
            match file {
                Some((_, Some(code))) if code.contains(&format!("fn {text}(")) => {}
                Some((path, _)) => problems.push(format!("{path} has no test {text}")),
                None => problems.push(format!("no file stands before the test {text}")),
            }
        }
    }
    if tests == 0 {
        problems.push("the row names no test".to_owned());
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::problem::texts;
    use super::*;

    #[track_caller]
    fn check_cell(cell: &str, expected: &[&str]) {
        let page = format!(
            "# Title\n\n| it | proved by |\n|---|---|\n| a `thing` | {cell} |\n\n| other |\n|---|\n| x |\n"
        );
        let tree = Tree::of(&[(PAGE, &page), ("a/b.rs", "fn is_good() {}"), ("c.rs", "async fn waits() {}")]);
        assert_eq!(texts(&check(&tree)), expected);
    }

    #[test]
    fn a_row_whose_tests_exist_passes() {
        check_cell("[b](../a/b.rs): `is_good`; [c](../c.rs): `waits`", &[]);
    }

    #[test]
    fn a_row_without_a_test_or_with_one_that_is_gone_fails() {
        check_cell("later", &["docs/parity.md:5: the row names no test"]);
        check_cell("[b](../a/b.rs)", &["docs/parity.md:5: the row names no test"]);
        check_cell("`is_good`", &["docs/parity.md:5: no file stands before the test is_good"]);
        check_cell("[b](../a/b.rs): `is_goo`", &["docs/parity.md:5: a/b.rs has no test is_goo"]);
        check_cell("[b](../a/d.rs): `is_good`", &["docs/parity.md:5: a/d.rs has no test is_good"]);
        assert_eq!(texts(&check(&Tree::of(&[]))), ["docs/parity.md: the page is missing"]);
    }
}
