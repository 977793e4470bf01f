//! Keys of Redis stand in mesh-redis's keys.rs; scripts get theirs as arguments.

use super::problem::Problem;
use super::rust::{Rust, is_beside_the_product};
use super::tree::Tree;

const ROOM: &str = "crates/mesh-redis/src/";
const HOME: &str = "crates/mesh-redis/src/keys.rs";
const FRAGMENTS: &[&str] = &["health:", "manifest:", "manifests", "idempotency:"];

/// No literal of the room is a key, but in its home. A text with blanks is a message and no key.
pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| path.starts_with(ROOM) && *path != HOME) {
        let mut report = |line: usize, literal: &str| {
            if !literal.contains(char::is_whitespace) && FRAGMENTS.iter().any(|part| literal.contains(part)) {
                problems.push(Problem::at(path, line, format!("the key {literal:?} belongs in {HOME}")));
            }
        };
        if path.ends_with(".rs") && !is_beside_the_product(path) {
            for literal in Rust::parse(text).strings_outside_tests() {
                report(literal.line, &literal.text);
            }
        } else if path.ends_with(".lua") {
            for (index, line) in text.lines().enumerate() {
                let code = line.split("--").next().unwrap_or_default();
                for literal in code.split(['"', '\'']).skip(1).step_by(2) {
                    report(index + 1, literal);
                }
            }
        }
    }
    problems
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
    fn a_key_outside_its_home_fails() {
        let message = "crates/mesh-redis/src/health.rs:1: the key \"{prefix}health:{service}\" belongs in \
                       crates/mesh-redis/src/keys.rs";
        check_file("crates/mesh-redis/src/health.rs", "format!(\"{prefix}health:{service}\")", &[message]);
        let message = "crates/mesh-redis/src/scripts/store.lua:2: the key \"manifests\" belongs in \
                       crates/mesh-redis/src/keys.rs";
        check_file(
            "crates/mesh-redis/src/scripts/store.lua",
            "-- 'manifests'\nredis.call('SADD', 'manifests')",
            &[message],
        );
    }

    #[test]
    fn the_home_messages_tests_and_other_rooms_may_spell_it() {
        check_file(HOME, "\"health:\"", &[]);
        check_file("crates/mesh-redis/src/health.rs", "\"cannot read manifests\"", &[]);
        check_file("crates/mesh-redis/src/health.rs", "#[cfg(test)]\nmod tests { \"health:a\" }", &[]);
        check_file("crates/mesh-core/src/health.rs", "\"health:\"", &[]);
    }
}
