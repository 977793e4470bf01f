//! One part of a pattern between slashes, and which segments of a path it describes.

use std::ops::Range;

use super::{
    SegmentRank,
    normal::{is_boundary, raw_position},
};

/// One part of a pattern between slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// Only literal text, normalised.
    Literal(String),
    /// Literal text and parameters mixed, e.g. `{x}.json`: literals[0] {p0} literals[1] {p1} …
    Mixed { literals: Vec<String>, parameters: Vec<String> },
    /// Exactly one parameter.
    Parameter(String),
    /// The optional last parameter, `{id?}`.
    Optional(String),
}

impl Segment {
    /// Whether the segment describes `text` (in normal form).
    pub(crate) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Literal(literal) => literal == text,
            Self::Mixed { literals, .. } => match_mixed(literals, text, |_| {}),
            Self::Parameter(_) | Self::Optional(_) => !text.is_empty(),
        }
    }

    /// The names of the segment's parameters, from the left.
    pub(super) fn names(&self) -> &[String] {
        match self {
            Self::Literal(_) => &[],
            Self::Mixed { parameters, .. } => parameters,
            Self::Parameter(name) | Self::Optional(name) => std::slice::from_ref(name),
        }
    }

    /// How closely the segment describes a path's. Parameters alone (`{x}{y}`) are no more than a parameter.
    pub(in crate::route) fn rank(&self) -> SegmentRank {
        match self {
            Self::Literal(_) => SegmentRank::Literal,
            Self::Mixed { literals, .. } if literals.iter().any(|literal| !literal.is_empty()) => {
                SegmentRank::PartLiteral
            }
            Self::Mixed { .. } | Self::Parameter(_) => SegmentRank::Parameter,
            Self::Optional(_) => SegmentRank::Optional,
        }
    }

    /// Adds the parameters' values in `raw`, whose normal form is `normal`; `None` when it does not match.
    pub(super) fn read<'s, 'p>(
        &'s self,
        raw: &'p str,
        normal: &str,
        values: &mut Vec<(&'s str, &'p str)>,
    ) -> Option<()> {
        if let Self::Mixed { literals, parameters } = self {
            let from = values.len();
            let mut names = parameters.iter().rev();
            let matched = match_mixed(literals, normal, |range| {
                let value = raw.get(raw_position(raw, range.start)..raw_position(raw, range.end));
                values.extend(names.next().map(String::as_str).zip(value));
            });
            values[from..].reverse();
            return matched.then_some(());
        }
        let names = self.names();
        self.matches(normal).then(|| values.extend(names.iter().map(|name| (name.as_str(), raw))))
    }
}

/// Whether `text` (in normal form) is `literals[0]`, a parameter, `literals[1]`, … to the last literal. `found` gets
/// the range of each parameter, from the last to the first.
///
/// A parameter is at least one character. Where several divisions are possible the first parameter is the longest
/// possible, then the second, as with greedy `[^/]+`: every literal stands at the last place that leaves room for what
/// follows, so going from the right and never back finds it.
pub(crate) fn match_mixed(literals: &[String], text: &str, mut found: impl FnMut(Range<usize>)) -> bool {
    let bytes = text.as_bytes();
    let [first, between @ .., last] = literals else { return false };
    if !text.starts_with(first.as_str()) || !text.ends_with(last.as_str()) {
        return false;
    }
    let (begin, mut end) = (first.len(), text.len().saturating_sub(last.len()));
    if begin >= end || !is_boundary(bytes, begin) || !is_boundary(bytes, end) {
        return false;
    }
    for literal in between.iter().rev() {
        let Some(at) = last_place(literal, text, begin + 1, end - 1) else { return false };
        found(at + literal.len()..end);
        end = at;
    }
    found(begin..end);
    true
}

/// Where `literal` stands last in `text` between `from` and `to`, dividing no character.
fn last_place(literal: &str, text: &str, from: usize, mut to: usize) -> Option<usize> {
    loop {
        let at = from + text.get(from..to)?.rfind(literal)?;
        let end = at + literal.len();
        if is_boundary(text.as_bytes(), at) && is_boundary(text.as_bytes(), end) {
            return Some(at);
        }
        to = end - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(literals: &[&str], text: &str, expected: Option<&[&str]>) {
        let literals: Vec<String> = literals.iter().map(ToString::to_string).collect();
        let mut values = Vec::new();
        let matched = match_mixed(&literals, text, |range| values.insert(0, &text[range]));
        assert_eq!(matched.then_some(values.as_slice()), expected, "{literals:?} {text}");
    }

    #[test]
    fn a_parameter_inside_a_segment_is_at_least_one_character() {
        check(&["", ".json"], "foo.json", Some(&["foo"]));
        check(&["", ".json"], ".json", None);
        check(&["pre-", "-post"], "pre-1-post", Some(&["1"]));
        check(&["pre-", "-post"], "pre--post", None);
        check(&["pre-", "-post"], "pre-post", None);
        check(&["", "", ""], "ab", Some(&["a", "b"]));
        check(&["", "", ""], "a", None);
    }

    #[test]
    fn the_first_parameter_takes_as_much_as_it_can() {
        check(&["", "-", ""], "a-b-c", Some(&["a-b", "c"]));
        check(&["", ".", ".gz"], "a.b.tar.gz", Some(&["a.b", "tar"]));
        check(&["", "aa", ""], "xaaay", Some(&["xa", "y"]));
        check(&["", "-", ""], "a-", None);
        check(&["", "-", ""], "-a-", None);
        check(&["", "", ""], "abc", Some(&["ab", "c"]));
    }

    #[test]
    fn encoded_characters_are_never_divided() {
        check(&["", "C", ""], "%C3%BC", None);
        check(&["", "C"], "%3C", None);
        check(&["", "", ""], "%C3%BC", None);
        check(&["", "", ""], "%C3%BC%C3%B6", Some(&["%C3%BC", "%C3%B6"]));
        check(&["", "%2C", ""], "a%2Cb", Some(&["a", "b"]));
    }

    #[test]
    fn a_hostile_segment_costs_no_more_than_its_length_times_the_literals() {
        let literals: Vec<String> =
            ["", "a", "a", "a", "a", "a", "a", "a", "a", "b"].map(str::to_owned).to_vec();
        assert!(!match_mixed(&literals, &"a".repeat(8192), |_| {}));
        let literals: Vec<String> = ["", "ab", "ab", "ab", "ab", "ab", ""].map(str::to_owned).to_vec();
        assert!(!match_mixed(&literals, &"a".repeat(8192), |_| {}));
    }
}
