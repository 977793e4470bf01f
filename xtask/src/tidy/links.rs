//! Links between the documents lead somewhere.

mod markdown;

use markdown::{anchors, links};

use super::problem::Problem;
use super::tree::Tree;

/// Every relative link of every .md file resolves, its anchor too.
pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in tree.ending(".md") {
        for (line, link) in links(text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { Some(path.to_owned()) } else { resolve(path, file) };
            let Some(target) = target.filter(|target| tree.holds(target)) else {
                problems.push(Problem::at(path, line, format!("the link {link} leads nowhere")));
                continue;
            };
            let text = tree.text(&target).filter(|_| target.ends_with(".md"));
            if !anchor.is_empty()
                && text.is_some_and(|text| !anchors(text).iter().any(|known| known == anchor))
            {
                problems.push(Problem::at(path, line, format!("{target} has no heading #{anchor}")));
            }
        }
    }
    problems
}

/// The path from the root that `link` means in the file at `path`; none when it leaves the root.
fn resolve(path: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::super::problem::texts;
    use super::*;

    #[track_caller]
    fn check_text(text: &str, expected: &[&str]) {
        let tree = Tree::of(&[("docs/a.md", text), ("docs/b.md", "# The `b` of it\n"), ("c/d.rs", "")]);
        assert_eq!(texts(&check(&tree)), expected);
    }

    #[test]
    fn links_to_files_folders_and_headings_pass() {
        check_text(
            "# One\n[a](b.md) [b](../c) [c](../c/d.rs#L1) [d](#one) [e](b.md#the-b-of-it) [f](..)",
            &[],
        );
        check_text("[a](https://a.test/b) `[b](none.md)`\n```text\n[c](none.md)\n```\n", &[]);
    }

    #[test]
    fn a_link_to_nothing_fails() {
        check_text("\n[a](none.md)", &["docs/a.md:2: the link none.md leads nowhere"]);
        check_text("[a](../../b.md)", &["docs/a.md:1: the link ../../b.md leads nowhere"]);
        check_text("[a]: none.md", &["docs/a.md:1: the link none.md leads nowhere"]);
        check_text("[a](b.md#none)", &["docs/a.md:1: docs/b.md has no heading #none"]);
    }
}
