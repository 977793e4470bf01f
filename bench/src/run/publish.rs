//! A run's outcome in the documents: tables between two marks of performance.md, the chart and the JSON beside it.

use std::fs;
use std::path::Path;

use anyhow::Context;

use super::document::Document;
use super::{chart, table};

/// The marks; what stands between them is replaced.
const BEGIN: &str = "<!-- results of `cargo xtask bench --write docs` -->\n";
const END: &str = "<!-- end of results -->";

/// Writes all of it to `folder`.
///
/// # Errors
///
/// When performance.md is not there or has lost its marks, or a file cannot be written.
pub(super) fn write(document: &Document, folder: &Path) -> anyhow::Result<()> {
    let page = folder.join("performance.md");
    let text = fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
    let results = table::render(document);
    let text = replace(&text, &results).with_context(|| format!("{} has lost its marks", page.display()))?;
    fs::write(&page, text)?;
    fs::write(folder.join("benchmark.svg"), chart::svg(document))?;
    fs::write(folder.join("benchmark.json"), serde_json::to_string_pretty(document)? + "\n")?;
    Ok(())
}

fn replace(page: &str, results: &str) -> Option<String> {
    let begin = page.find(BEGIN)? + BEGIN.len();
    let end = begin + page[begin..].find(END)?;
    Some(format!("{}\n{results}\n\n{}", &page[..begin], &page[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let page = format!("before\n{BEGIN}old\n{END}\nafter\n");
        assert_eq!(replace(&page, "new"), Some(format!("before\n{BEGIN}\nnew\n\n{END}\nafter\n")));
        assert_eq!(replace("no marks", "new"), None);
    }
}
