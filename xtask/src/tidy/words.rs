//! Words that do not stand in this repository: lifted lints, unsafe code, ignored tests, unfinished work.

use super::problem::Problem;
use super::rust::{Rust, has_word, line_at};
use super::tree::Tree;

/// The files that may hold unsafe code, each with a page in docs/decisions.
const UNSAFE: &[&str] = &[];

/// What code may not say, and what to do instead.
const CODE: &[(&str, &str)] = &[
    ("[allow(", "use #[expect(lint, reason = \"...\")]"),
    ("#[ignore", "a test runs or does not exist"),
    ("todo!(", "finish it, or leave it out"),
    ("unimplemented!(", "finish it, or leave it out"),
];

/// Marks of unfinished work, in code, comments and documents.
const MARKS: &[&str] = &["TODO", "FIXME", "XXX"];

/// Files in which a mark is looked for in the whole text.
const TEXTS: &[&str] = &[".md", ".toml", ".lua", ".sh", ".py", ".ci/run"];

/// None of the words stands where it may not.
pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in tree.files() {
        if path.ends_with(".rs") {
            let rust = Rust::parse(text);
            in_code(path, &rust.code, UNSAFE, &mut problems);
            marks(path, 1, &rust.code, &mut problems);
            for comment in &rust.comments {
                marks(path, comment.line, &comment.text, &mut problems);
            }
        } else if TEXTS.iter().any(|suffix| path.ends_with(suffix)) {
            marks(path, 1, text, &mut problems);
        }
    }
    problems
}

fn in_code(path: &str, code: &str, may_be_unsafe: &[&str], problems: &mut Vec<Problem>) {
    for (word, instead) in CODE {
        for (index, _) in code.match_indices(word) {
            problems.push(Problem::at(
                path,
                line_at(code, index),
                format!("{word} is not used here: {instead}"),
            ));
        }
    }
    for (index, line) in code.lines().enumerate() {
        let lifted = line.contains("cfg_attr") && has_word(line, "allow");
        if lifted {
            problems.push(Problem::at(path, index + 1, "allow is not used here: expect, with a reason"));
        }
        if (has_word(line, "unsafe") || has_word(line, "unsafe_code")) && !may_be_unsafe.contains(&path) {
            problems.push(Problem::at(path, index + 1, "unsafe code is only in the files that xtask lists"));
        }
    }
}

fn marks(path: &str, first_line: usize, text: &str, problems: &mut Vec<Problem>) {
    for (index, line) in text.lines().enumerate() {
        if let Some(mark) = MARKS.iter().find(|mark| has_word(line, mark)) {
            problems.push(Problem::at(
                path,
                first_line + index,
                format!("{mark}: finish it, or open an issue"),
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::problem::texts;
    use super::*;

    #[track_caller]
    fn check_file(path: &str, text: &str, expected: &[&str]) {
        assert_eq!(texts(&check(&Tree::of(&[(path, text)]))), expected);
    }

    #[test]
    fn a_lifted_lint_fails_and_an_expected_one_passes() {
        let message = "a.rs:2: [allow( is not used here: use #[expect(lint, reason = \"...\")]";
        check_file("a.rs", "\n#![allow(dead_code)]", &[message]);
        let message = "a.rs:1: allow is not used here: expect, with a reason";
        check_file("a.rs", "#[cfg_attr(test, allow(dead_code))]", &[message]);
        check_file("a.rs", "#[expect(dead_code, reason = \"\")] fn allow() { routes.allow(1) }", &[]);
    }

    #[test]
    fn an_ignored_test_and_an_unfinished_function_fail() {
        check_file(
            "a.rs",
            "#[ignore]",
            &["a.rs:1: #[ignore is not used here: a test runs or does not exist"],
        );
        check_file("a.rs", "todo!()", &["a.rs:1: todo!( is not used here: finish it, or leave it out"]);
    }

    #[test]
    fn unsafe_code_fails_but_in_the_listed_files() {
        let message = "a.rs:1: unsafe code is only in the files that xtask lists";
        check_file("a.rs", "unsafe { f() }", &[message]);
        check_file("a.rs", "#![expect(unsafe_code, reason = \"\")]", &[message]);
        check_file("a.rs", "// unsafe\nconst A: &str = \"unsafe\";", &[]);
        let mut problems = Vec::new();
        in_code("a.rs", "unsafe { f() }", &["a.rs"], &mut problems);
        assert_eq!(problems, []);
    }

    #[test]
    fn a_mark_of_unfinished_work_fails_in_comments_and_documents() {
        let mark = MARKS[0];
        check_file("a.rs", &format!("\n// {mark}: b\n"), &["a.rs:2: TODO: finish it, or open an issue"]);
        check_file("a.md", &format!("a\n\n{mark}"), &["a.md:3: TODO: finish it, or open an issue"]);
        check_file("a.json", mark, &[]);
        check_file("a.rs", &format!("const A: &str = \"{mark}\";"), &[]);
    }
}
