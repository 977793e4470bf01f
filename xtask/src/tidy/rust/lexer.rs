//! Tells code, literals and comments apart, character by character.

use super::{Piece, Rust};

/// Takes `text` apart. What is not closed ends with the text.
pub(super) fn parse(text: &str) -> Rust {
    let mut lexer = Lexer { rest: text, line: 1, rust: Rust::default() };
    while let Some(next) = lexer.rest.chars().next() {
        if lexer.rest.starts_with("//") {
            let end = lexer.rest.find('\n').unwrap_or(lexer.rest.len());
            lexer.comment(end);
        } else if lexer.rest.starts_with("/*") {
            let end = block_comment(lexer.rest);
            lexer.comment(end);
        } else if let Some((begin, hashes)) = raw_string(lexer.rest).filter(|_| !lexer.is_in_a_name()) {
            let closing = format!("\"{}", "#".repeat(hashes));
            let end = lexer.rest[begin..].find(&closing).map_or(lexer.rest.len(), |end| begin + end);
            lexer.string(begin, end, closing.len());
        } else if next == '"' {
            let end = 1 + unescaped(&lexer.rest[1..], '"');
            lexer.string(1, end, 1);
        } else if let Some(length) = character(lexer.rest) {
            lexer.blank(length);
        } else {
            lexer.code(next);
        }
    }
    lexer.rust
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    rust: Rust,
}

impl Lexer<'_> {
    fn code(&mut self, character: char) {
        self.line += usize::from(character == '\n');
        self.rust.code.push(character);
        self.rest = &self.rest[character.len_utf8()..];
    }

    /// Replaces the next `length` bytes by blanks, keeping the lines.
    fn blank(&mut self, length: usize) {
        let (skipped, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rust.code.extend(skipped.chars().map(|character| if character == '\n' { '\n' } else { ' ' }));
        self.line += skipped.matches('\n').count();
        self.rest = rest;
    }

    fn comment(&mut self, end: usize) {
        self.rust.comments.push(Piece { line: self.line, text: self.rest[..end].to_owned() });
        self.blank(end);
    }

    /// A string literal whose text is at `begin..end`, closed by `closing` more bytes.
    fn string(&mut self, begin: usize, end: usize, closing: usize) {
        self.rust.strings.push(Piece { line: self.line, text: self.rest[begin..end].to_owned() });
        self.blank(end + closing);
    }

    /// Whether the character before this one belongs to a name, as in `for"`, which is no raw string.
    fn is_in_a_name(&self) -> bool {
        self.rust.code.ends_with(|last: char| last.is_alphanumeric() || last == '_')
    }
}

/// Where the text of a raw string begins, and its number of hashes.
fn raw_string(text: &str) -> Option<(usize, usize)> {
    let prefix = ["r", "br", "cr"].into_iter().find(|prefix| text.starts_with(prefix))?;
    let after = &text[prefix.len()..];
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..].starts_with('"').then_some((prefix.len() + hashes + 1, hashes))
}

/// The bytes before the next `mark` that no backslash escapes.
fn unescaped(text: &str, mark: char) -> usize {
    let mut escaped = false;
    for (index, character) in text.char_indices() {
        if character == mark && !escaped {
            return index;
        }
        escaped = character == '\\' && !escaped;
    }
    text.len()
}

/// The bytes of the block comment that `text` begins with; such comments nest.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut index) = (0_usize, 0_usize);
    while index < text.len() {
        if text[index..].starts_with("/*") {
            (depth, index) = (depth + 1, index + 2);
        } else if text[index..].starts_with("*/") {
            (depth, index) = (depth - 1, index + 2);
            if depth == 0 {
                return index;
            }
        } else {
            index += text[index..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The bytes of the character literal that `text` begins with; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('\'')?;
    if inner.starts_with('\\') {
        return Some(unescaped(inner, '\'') + 2);
    }
    let first = inner.chars().next()?.len_utf8();
    inner[first..].starts_with('\'').then_some(first + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, code: &str, strings: &[&str], comments: &[&str]) {
        let rust = parse(text);
        let texts = |pieces: &[Piece]| pieces.iter().map(|piece| piece.text.clone()).collect::<Vec<_>>();
        assert_eq!(rust.code.split_whitespace().collect::<Vec<_>>().join(" "), code);
        assert_eq!(texts(&rust.strings), strings);
        assert_eq!(texts(&rust.comments), comments);
    }

    #[test]
    fn plain_escaped_and_raw_strings_are_literals() {
        check(r#"f("a", b"b\"c", "\\") "#, "f( , b , )", &["a", r#"b\"c"#, r"\\"], &[]);
        check("f(r#\"a\"b\"#, br\"c\", r\"\\\")", "f( , , )", &["a\"b", "c", "\\"], &[]);
    }

    #[test]
    fn comments_nest_and_hold_no_literals() {
        check(
            "a // b \"c\"\nd /* e /* \"f\" */ g */ h",
            "a d h",
            &[],
            &["// b \"c\"", "/* e /* \"f\" */ g */"],
        );
    }

    #[test]
    fn a_quote_as_a_character_opens_no_string_and_a_lifetime_is_code() {
        check(r#"f('"', '\'', b'\\', '"') "x""#, "f( , , b , )", &["x"], &[]);
        check(
            "fn f<'a>(a: &'a str) -> &'static str { r#type }",
            "fn f<'a>(a: &'a str) -> &'static str { r#type }",
            &[],
            &[],
        );
    }

    #[test]
    fn lines_are_kept() {
        let rust = parse("\"a\nb\"\n/* c\nd */ \"e\"\nf");
        assert_eq!(rust.code.lines().count(), 5);
        assert_eq!(rust.strings[1], Piece { line: 4, text: "e".to_owned() });
    }

    #[test]
    fn what_is_not_closed_ends_with_the_text() {
        for text in ["\"a", "r#\"a", "/* a", "'\\", "'", "// a", "\"é", "'é"] {
            assert!(parse(text).code.chars().count() <= text.chars().count(), "{text}");
        }
    }
}
