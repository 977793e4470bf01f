//! `cargo xtask tidy`: the rules of the house that no compiler knows, one file each.

mod arrows;
mod dependencies;
mod headers;
mod keys;
mod links;
mod lints;
mod map;
mod member;
mod modules;
mod outside;
mod parity;
mod problem;
mod rooms;
mod rust;
mod sizes;
mod tree;
mod words;

use problem::Problem;
use tree::Tree;

use crate::output;
use crate::workspace::Workspace;

type Check = fn(&Tree) -> Vec<Problem>;

const CHECKS: &[(&str, Check)] = &[
    ("arrows", arrows::check),
    ("dependencies", dependencies::check),
    ("headers", headers::check),
    ("keys", keys::check),
    ("links", links::check),
    ("lints", lints::check),
    ("map", map::check),
    ("modules", modules::check),
    ("outside", outside::check),
    ("parity", parity::check),
    ("rooms", rooms::check),
    ("sizes", sizes::check),
    ("words", words::check),
];

/// Runs every check, says every problem, and answers 1 when there is any.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<u8> {
    let tree = Tree::read(&workspace.root)?;
    let mut problems = 0;
    for (name, check) in CHECKS {
        for problem in check(&tree) {
            output::problem(&format!("tidy {name}: {problem}"));
            problems += 1;
        }
    }
    output::line(&format!("tidy: {problems} problem(s); {}", sizes::summary(&tree)));
    Ok(u8::from(problems > 0))
}
