//! Outcomes in the documents: tables between two marks of performance.md, the chart and the JSON beside it.

use std::fs;
use std::path::Path;

use anyhow::Context;

use super::document::Document;
use super::{chart, table};

/// The end of every section of results.
const END: &str = "<!-- end of results -->";

/// Writes all of it to `folder`.
///
/// # Errors
///
/// When performance.md is not there or has lost its marks, or a file cannot be written.
pub(super) fn write(document: &Document, folder: &Path) -> anyhow::Result<()> {
    between_marks(folder, "", &table::render(document))?;
    fs::write(folder.join("benchmark.svg"), chart::svg(document))?;
    fs::write(folder.join("benchmark.json"), serde_json::to_string_pretty(document)? + "\n")?;
    Ok(())
}

/// Writes the outcome of another command, with its JSON in benchmark-COMMAND.json.
///
/// # Errors
///
/// Those of [`write()`].
pub(crate) fn section(folder: &Path, command: &str, tables: &str, json: &str) -> anyhow::Result<()> {
    between_marks(folder, &format!("{command} "), tables)?;
    Ok(fs::write(folder.join(format!("benchmark-{command}.json")), json)?)
}

fn between_marks(folder: &Path, command: &str, results: &str) -> anyhow::Result<()> {
    let page = folder.join("performance.md");
    let text = fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
    let text = replace(&text, command, results);
    fs::write(&page, text.with_context(|| format!("{} has lost its marks", page.display()))?)?;
    Ok(())
}

/// What stands between the mark of a command and the next end is replaced.
fn replace(page: &str, command: &str, results: &str) -> Option<String> {
    let mark = format!("<!-- results of `cargo xtask bench {command}--write docs` -->\n");
    let begin = page.find(&mark)? + mark.len();
    let end = begin + page[begin..].find(END)?;
    Some(format!("{}\n{results}\n\n{}", &page[..begin], &page[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let marks = ["", "client "]
            .map(|command| format!("<!-- results of `cargo xtask bench {command}--write docs` -->\n"));
        let page = marks.map(|mark| format!("{mark}old\n{END}\n")).concat();
        let replaced = replace(&page, "client ", "new").unwrap();
        assert_eq!(replaced.replace("\nnew\n\n", "old\n"), page);
        assert!(replaced.find("new") > replaced.find("old"));
        assert!(replace(&page, "", "new").unwrap().ends_with(&format!("old\n{END}\n")));
        assert_eq!(replace("no marks", "", "new"), None);
    }
}
