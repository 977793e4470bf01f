//! Names of headers stand in mesh-core's header.rs, once; everybody else imports them.

use super::problem::Problem;
use super::rust::{Rust, is_beside_the_product};
use super::tree::Tree;

/// The one file that may spell them.
const HOME: &str = "crates/mesh-core/src/header.rs";

/// No string literal of the product is the name of a header of ours, or a line that begins with one.
pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in tree.ending(".rs").filter(|(path, _)| *path != HOME && !is_beside_the_product(path)) {
        for literal in Rust::parse(text).strings_outside_tests() {
            if is_header(&literal.text) {
                let message = format!("the header name {:?} belongs in {HOME}", literal.text);
                problems.push(Problem::at(path, literal.line, message));
            }
        }
    }
    problems
}

/// Whether `literal` is `X-Something` or `Idempotency-Key`, alone or with a colon after it.
fn is_header(literal: &str) -> bool {
    let name = literal.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    is_name && (name.starts_with("x-") || name == "idempotency-key" || name == "traceparent")
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
    fn a_header_name_in_the_product_fails_however_it_is_written() {
        for name in
            ["x-signature", "X-Forwarded-For", "Idempotency-Key", "X-Request-Id: {}", "x-idempotency-"]
        {
            let home = "belongs in crates/mesh-core/src/header.rs";
            let message = format!("crates/a/src/a.rs:2: the header name {name:?} {home}");
            check_file("crates/a/src/a.rs", &format!("\nconst A: &str = \"{name}\";"), &[&message]);
        }
    }

    #[test]
    fn comments_tests_and_the_home_may_spell_it() {
        check_file(
            "crates/a/src/a.rs",
            "/// Sends `\"X-Signature\"`.\n#[cfg(test)]\nmod tests { \"x-signature\" }",
            &[],
        );
        check_file("crates/a/tests/a.rs", "\"X-Signature\"", &[]);
        check_file(HOME, "\"x-signature\"", &[]);
    }

    #[test]
    fn other_texts_pass() {
        check_file(
            "crates/a/src/a.rs",
            "[\"x\", \"content-type\", \"x- y\", \"no x-signature\", \"max-x-a\"]",
            &[],
        );
    }
}
