//! A Rust file taken apart: code, string literals and comments, each where it stands.
//!
//! Knows just enough of the language for the checks; the compiler knows the rest.

mod lexer;

use std::ops::RangeInclusive;

/// A literal or a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where it begins, 1 for the first.
    pub(super) line: usize,
    /// What it says, without its marks.
    pub(super) text: String,
}

/// A file's parts.
#[derive(Clone, Debug, Default)]
pub(super) struct Rust {
    /// The text with literals and comments blanked out, line for line.
    pub(super) code: String,
    /// String literals of every kind.
    pub(super) strings: Vec<Piece>,
    /// Comments of every kind.
    pub(super) comments: Vec<Piece>,
}

impl Rust {
    /// Takes `text` apart.
    pub(super) fn parse(text: &str) -> Self {
        lexer::parse(text)
    }

    /// The string literals outside items under `#[cfg(test)]`.
    pub(super) fn strings_outside_tests(&self) -> Vec<&Piece> {
        let tests = self.test_items();
        self.strings.iter().filter(|piece| !tests.iter().any(|lines| lines.contains(&piece.line))).collect()
    }

    /// The lines of each item under `#[cfg(test)]`.
    fn test_items(&self) -> Vec<RangeInclusive<usize>> {
        let mut items = Vec::new();
        for (begin, _) in self.code.match_indices("#[cfg(") {
            let rest = &self.code[begin..];
            let Some(attribute) = rest.find(")]").map(|end| &rest[..end]) else { continue };
            if !has_word(attribute, "test") || attribute.contains("not(test") {
                continue;
            }
            items.push(line_at(&self.code, begin)..=line_at(&self.code, begin + item_length(rest)));
        }
        items
    }
}

/// The bytes of the item that `code` begins with: up to its closing brace, or its semicolon before any brace.
fn item_length(code: &str) -> usize {
    let mut depth = 0_usize;
    for (index, byte) in code.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth <= 1 => return index,
            b'}' => depth -= 1,
            b';' if depth == 0 => return index,
            _ => {}
        }
    }
    code.len()
}

/// The line of the byte at `index`, 1 for the first.
pub(super) fn line_at(text: &str, index: usize) -> usize {
    text[..index].matches('\n').count() + 1
}

/// Whether `word` stands in `text` on its own, not as a part of a longer name.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    let part_of_name = |character: char| character.is_alphanumeric() || character == '_';
    text.match_indices(word).any(|(begin, _)| {
        !text[..begin].ends_with(part_of_name) && !text[begin + word.len()..].starts_with(part_of_name)
    })
}

/// Whether a file exists for tests, examples or the house itself and is compiled into no product.
pub(super) fn is_beside_the_product(path: &str) -> bool {
    let folders = ["tests/", "examples/", "bench/", "fuzz/", "xtask/", "crates/mesh-testkit/"];
    let parts = ["/tests/", "/benches/", "/examples/"];
    folders.iter().any(|folder| path.starts_with(folder))
        || parts.iter().any(|part| path.contains(part))
        || path.ends_with("/tests.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_under_cfg_test_do_not_count_and_those_after_it_do() {
        let rust = Rust::parse(
            "const A: &str = \"a\";\n#[cfg(test)]\nmod tests {\n    fn f() { \"b\" }\n}\n#[cfg(test)]\nmod more;\n\
             #[cfg(not(test))]\nconst C: &str = \"c\";\n#[cfg(feature = \"mock\")]\nconst D: &str = \"d\";\n",
        );
        let texts: Vec<_> = rust.strings_outside_tests().iter().map(|piece| piece.text.as_str()).collect();
        assert_eq!(texts, ["a", "c", "mock", "d"]);
    }

    #[test]
    fn a_word_is_not_found_inside_a_longer_name() {
        assert!(has_word("unsafe { f() }", "unsafe"));
        assert!(has_word("#[unsafe(no_mangle)]", "unsafe"));
        assert!(!has_word("unsafe_code, not_unsafe", "unsafe"));
    }

    #[test]
    fn test_files_are_known_by_their_path() {
        assert!(is_beside_the_product("crates/mesh-core/tests/vectors.rs"));
        assert!(is_beside_the_product("crates/mesh-core/src/call/tests.rs"));
        assert!(is_beside_the_product("tests/flow/proxy.rs"));
        assert!(!is_beside_the_product("crates/mesh-cli/src/commands/tests_of_health.rs"));
    }
}
