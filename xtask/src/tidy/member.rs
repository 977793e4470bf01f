//! The packages of the repository, as their Cargo.tomls tell.

use toml::{Table, Value};

use super::tree::Tree;

/// A package of the workspace.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// The path of its Cargo.toml.
    pub(super) path: String,
    /// Its name.
    pub(super) name: String,
    /// Its Cargo.toml.
    pub(super) manifest: Table,
}

/// One line under one of the headings for dependencies.
#[derive(Clone, Debug)]
pub(super) struct Dependency<'a> {
    /// The name on the left.
    pub(super) name: &'a str,
    /// Whether only tests and examples have it.
    pub(super) for_tests: bool,
    /// What stands on the right.
    pub(super) value: &'a Value,
}

/// The packages of `tree`, in the order of their paths, but for those that the workspace excludes.
pub(super) fn members(tree: &Tree) -> Vec<Member> {
    let root = workspace(tree);
    let excluded = |path: &str| {
        let folders =
            root.get("exclude").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        folders.into_iter().any(|folder| path.starts_with(&format!("{folder}/")))
    };
    let mut members = Vec::new();
    for (path, text) in tree.ending("/Cargo.toml").filter(|(path, _)| !excluded(path)) {
        let manifest: Table = text.parse().unwrap_or_default();
        let name = manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
        let name = name.unwrap_or("(no name)").to_owned();
        members.push(Member { path: path.to_owned(), name, manifest });
    }
    members
}

/// The table `[workspace]` of the root's Cargo.toml.
pub(super) fn workspace(tree: &Tree) -> Table {
    let root: Table = tree.text("Cargo.toml").and_then(|text| text.parse().ok()).unwrap_or_default();
    root.get("workspace").and_then(Value::as_table).cloned().unwrap_or_default()
}

impl Member {
    /// Every dependency, those of single platforms too.
    pub(super) fn dependencies(&self) -> Vec<Dependency<'_>> {
        let platforms =
            self.manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
        let tables = std::iter::once(&self.manifest).chain(platforms.filter_map(Value::as_table));
        let mut dependencies = Vec::new();
        for table in tables {
            for (heading, for_tests) in
                [("dependencies", false), ("build-dependencies", false), ("dev-dependencies", true)]
            {
                let entries = table.get(heading).and_then(Value::as_table).into_iter().flatten();
                dependencies.extend(entries.map(|(name, value)| Dependency { name, for_tests, value }));
            }
        }
        dependencies
    }

    /// Whether it stands under examples/.
    pub(super) fn is_example(&self) -> bool {
        self.path.starts_with("examples/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excluded_packages_are_no_members_and_platforms_have_dependencies_too() {
        let tree = Tree::of(&[
            ("Cargo.toml", "[workspace]\nexclude = [\"fuzz\"]"),
            ("fuzz/Cargo.toml", "[package]\nname = \"fuzz\""),
            (
                "a/Cargo.toml",
                "[package]\nname = \"a\"\n[target.'cfg(unix)'.dependencies]\nb = \"1\"\n[dev-dependencies]\nc = \"1\"",
            ),
        ]);
        let members = members(&tree);
        assert_eq!(members.iter().map(|member| member.name.as_str()).collect::<Vec<_>>(), ["a"]);
        let dependencies = members[0].dependencies();
        let mut names: Vec<_> =
            dependencies.iter().map(|dependency| (dependency.name, dependency.for_tests)).collect();
        names.sort_unstable();
        assert_eq!(names, [("b", false), ("c", true)]);
    }
}
