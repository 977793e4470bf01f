//! docs/settings.md, generated from the schema.

use super::{
    env::variable,
    schema::{SETTINGS, Setting},
};

const HEAD: &str = "# Settings

Generated from `crates/mesh-cli/src/settings/schema.rs` by `mesh config docs`; a test compares the two.

Read from `--config FILE`, else the file that `MESH_CONFIG` names, else `./mesh.toml`. A flag wins over
`MESH__SECTION__KEY`, that over the package's name, that over the file, that over the default. Lists in the environment
are separated by commas. Unknown keys and unknown `MESH__` variables are errors.
";

/// The whole document.
pub(crate) fn markdown() -> String {
    let mut document = HEAD.to_owned();
    let mut section = None;
    for setting in SETTINGS {
        let of = section_of(setting);
        if section != Some(of) {
            section = Some(of);
            let title = if of.is_empty() { "Top level".to_owned() } else { format!("`[{of}]`") };
            document.push_str(&format!("\n## {title}\n\n| key | default | what it is |\n|---|---|---|\n"));
        }
        document.push_str(&row(setting, of));
    }
    document
}

fn section_of(setting: &Setting) -> &'static str {
    setting.key.rsplit_once('.').map_or("", |(section, _)| section)
}

fn row(setting: &Setting, section: &str) -> String {
    let key = setting.key.strip_prefix(section).unwrap_or(setting.key).trim_start_matches('.');
    let default =
        if setting.default.is_empty() { "absent".to_owned() } else { format!("`{}`", setting.default) };
    let package = setting.package_name.map(|name| format!(" or `{name}`")).unwrap_or_default();
    format!(
        "| `{key}` | {default} | {} Shape: {}. Variable: `{}`{package}. |\n",
        setting.says,
        setting.kind.describe(),
        variable(setting.key)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_in_the_repository_is_the_generated_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settings.md");
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(
            written,
            markdown(),
            "write it anew: cargo run -p mesh-cli -- config docs > docs/settings.md"
        );
    }
}
