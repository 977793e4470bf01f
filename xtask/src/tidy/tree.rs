//! The files of the repository, read once, by their path from its root.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context;

/// Folders that hold nothing of ours, but for modules of these names.
const SKIPPED: &[&str] = &[".git", "target"];

/// Every file: path from the root with `/` between its parts, and its text, empty when it is not text.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree(BTreeMap<String, String>);

impl Tree {
    /// Reads all files below `root`.
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        let mut tree = Self::default();
        tree.read_folder(root, "").with_context(|| format!("cannot read the files of {}", root.display()))?;
        Ok(tree)
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> anyhow::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            let kind = entry.file_type()?;
            if kind.is_dir() && (prefix.contains("src/") || !SKIPPED.contains(&name.as_str())) {
                self.read_folder(&entry.path(), &format!("{path}/"))?;
            } else if kind.is_file() && name != ".git" {
                self.0.insert(path, String::from_utf8(fs::read(entry.path())?).unwrap_or_default());
            }
        }
        Ok(())
    }

    /// The files whose path ends with `suffix`, in the order of their paths.
    pub(super) fn ending(&self, suffix: &str) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(move |(path, _)| path.ends_with(suffix))
    }

    /// All files, in the order of their paths.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The text of one file.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// Whether there is a file or a folder of this path; the root is the empty path.
    pub(super) fn holds(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        path.is_empty() || self.0.contains_key(path) || self.0.keys().any(|file| file.starts_with(&folder))
    }

    /// A made-up tree.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_holds_its_files_and_folders_and_no_build_output() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["a/b", "target", ".git", "src/target"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
            fs::write(root.path().join(folder).join("c.rs"), "text").unwrap();
        }
        fs::write(root.path().join("picture.png"), [0xff, 0xfe]).unwrap();
        let tree = Tree::read(root.path()).unwrap();
        assert_eq!(
            tree.files().collect::<Vec<_>>(),
            [("a/b/c.rs", "text"), ("picture.png", ""), ("src/target/c.rs", "text")]
        );
        assert!(tree.holds("a") && tree.holds("a/b/c.rs") && tree.holds(""));
        assert!(!tree.holds("target") && !tree.holds("a/b/c"));
    }
}
