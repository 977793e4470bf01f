//! How a URI is read as a pattern (docs/wire.md, G2; docs/refusals.md, rows 54-58 and 94).

use super::{Pattern, PatternError, Segment, normal};
use crate::percent;

impl Pattern {
    /// Reads a pattern of any length: a declared one with a prefix in it may be longer than a declared one.
    pub(in crate::route) fn build(uri: &str) -> Result<Self, PatternError> {
        let rest = uri.strip_prefix('/').ok_or(PatternError::NotAbsolute)?;
        if uri.contains("//") {
            return Err(PatternError::NotCanonical);
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let mut segments = Vec::new();
        if !rest.is_empty() {
            let last = rest.split('/').count() - 1;
            for (position, text) in rest.split('/').enumerate() {
                segments.push(segment(text, position == last)?);
            }
        }
        let mut names: Vec<&String> = segments.iter().flat_map(Segment::names).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(PatternError::DoubledParameter(pair[0].clone()));
        }
        Ok(Self { text: uri.to_owned(), segments })
    }
}

fn segment(text: &str, is_last: bool) -> Result<Segment, PatternError> {
    let (mut literals, mut parameters, mut optional) = (Vec::new(), Vec::new(), false);
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, brace) = rest.split_at(at);
        let inside = brace.strip_prefix('{').ok_or(PatternError::MalformedParameter)?;
        let (name, after) = inside.split_once('}').ok_or(PatternError::MalformedParameter)?;
        let required = name.strip_suffix('?');
        optional |= required.is_some();
        let name = required.unwrap_or(name);
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
            return Err(PatternError::MalformedParameter);
        }
        literals.push(literal(before)?);
        parameters.push(name.to_owned());
        rest = after;
    }
    literals.push(literal(rest)?);
    if parameters.is_empty() {
        let whole = literals.concat();
        // No target has these either: a dot segment with parameters (`..;a`) is one for some servers, parameters alone
        // (`;a`) are an empty segment.
        let before = whole.split_once("%3B").map_or(whole.as_str(), |(before, _)| before);
        if matches!(before.split(';').next(), Some("" | "." | "..")) {
            return Err(PatternError::NotCanonical);
        }
        return Ok(Segment::Literal(whole));
    }
    let whole = parameters.len() == 1 && literals.iter().all(String::is_empty);
    match (whole, optional) {
        (true, true) if is_last => Ok(Segment::Optional(parameters.concat())),
        (_, true) => Err(PatternError::MisplacedOptional),
        (true, false) => Ok(Segment::Parameter(parameters.concat())),
        (false, false) => Ok(Segment::Mixed { literals, parameters }),
    }
}

/// Literal text in the form in which it is compared.
fn literal(text: &str) -> Result<String, PatternError> {
    if text.chars().any(|c| c.is_control() || matches!(c, '\\' | '?' | '#')) {
        return Err(PatternError::NotCanonical);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        if *byte != b'%' {
            bytes.push(*byte);
            rest = after;
            continue;
        }
        let encoded = percent::decoded(rest).ok_or(PatternError::NotCanonical)?;
        if matches!(encoded, b'/' | b'\\') || encoded.is_ascii_control() {
            return Err(PatternError::NotCanonical);
        }
        bytes.push(encoded);
        rest = &rest[3..];
    }
    if std::str::from_utf8(&bytes).is_err() {
        return Err(PatternError::NotCanonical);
    }
    Ok(normal::normalise(text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(uri: &str, expected: PatternError) {
        assert_eq!(Pattern::parse(uri).err(), Some(expected), "{uri:?}");
    }

    #[test]
    fn a_uri_that_is_not_canonical_is_no_pattern() {
        for uri in ["", "api", "api/products", "{x}", "http://a/b"] {
            refused(uri, PatternError::NotAbsolute);
        }
        for uri in [
            "/a/../b",
            "/./a",
            "/..",
            "/a/%2e%2E",
            "/..;a=b/x",
            "/.;x",
            "/..%3ba",
            "/;x/a",
            "/..%3ba",
            "/;x/a",
            "//a",
            "/a//b",
            "/a//",
            "//",
            "/a\\b",
            "/a%5cb",
            "/a%2fb",
            "/a?x=1",
            "/a#b",
            "/a\u{0}b",
            "/a\nb",
            "/a%00",
            "/a%7f",
            "/a%1F",
            "/%",
            "/%4",
            "/%zz",
            "/%c0%ae",
            "/%ff",
            "/\u{85}",
        ] {
            refused(uri, PatternError::NotCanonical);
        }
    }

    #[test]
    fn a_brace_has_its_partner_and_a_name_inside() {
        for uri in [
            "/api/br{ace",
            "/api/empty{}",
            "/{",
            "/}",
            "/a}",
            "/{a{b}}",
            "/{a b}",
            "/{a/b}",
            "/{?}",
            "/{a:b}",
            "/{a-b}",
            "/{a??}",
        ] {
            refused(uri, PatternError::MalformedParameter);
        }
    }

    #[test]
    fn a_parameter_stands_once_and_an_optional_one_last() {
        refused("/{a}/{a}", PatternError::DoubledParameter("a".to_owned()));
        refused("/{a}/x/{a?}", PatternError::DoubledParameter("a".to_owned()));
        refused("/x{имя}y{имя}", PatternError::DoubledParameter("имя".to_owned()));
        refused("/{a?}/b", PatternError::MisplacedOptional);
        refused("/x{a?}", PatternError::MisplacedOptional);
        refused("/{a?}{b}", PatternError::MisplacedOptional);
        assert!(Pattern::parse("/{a?}/").is_ok());
    }

    #[test]
    fn a_declared_uri_has_at_most_2_kib() {
        assert!(Pattern::parse(&format!("/{}", "a".repeat(2047))).is_ok());
        refused(&format!("/{}", "a".repeat(2048)), PatternError::TooLong);
    }

    #[test]
    fn what_the_package_takes_and_is_harmless_is_a_pattern() {
        for uri in [
            "/",
            "/api/кириллица/{имя}",
            "/api/{x}{y}",
            "/api/reg+(x)",
            "/api/a b",
            "/api/...",
            "/a.b/{x}.json",
            "/%2525",
        ] {
            assert_eq!(Pattern::parse(uri).map(|pattern| pattern.as_str().to_owned()), Ok(uri.to_owned()));
        }
    }
}
