//! One route's URI, e.g. `/api/products/{product}`, and how closely it describes a path.
//!
//! Refuses dot segments, unbalanced braces, doubled parameters and more than 2 KiB.

use std::fmt;

pub(super) mod normal;
mod parse;
pub(super) mod segment;
mod specificity;

pub(super) use segment::Segment;
pub use specificity::{SegmentRank, Specificity};

/// Source: docs/refusals.md, row 94.
const MAX_URI_BYTES: usize = 2048;

/// A parsed URI pattern. Keeps its text as declared; matches trailing slashes away, and compares after decoding
/// percent-encoded unreserved characters; non-ASCII literals are stored encoded (docs/wire.md, G2).
///
/// A parameter's name is made of letters and digits of any script and `_`. Several may stand in one segment, with or
/// without text between them (`{name}.{format}`); the first then takes as much as it can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    segments: Vec<Segment>,
}

/// Why a URI is no pattern. The fault of who declared it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// Does not begin with `/`.
    #[error("a route's URI begins with '/'")]
    NotAbsolute,
    /// Longer than 2 KiB.
    #[error("a route's URI is longer than 2 KiB")]
    TooLong,
    /// A `.` or `..` segment, `//`, a query, a fragment, a control, a backslash or a broken percent-encoding.
    #[error("a route's URI is not in canonical form")]
    NotCanonical,
    /// A brace without its partner, or an empty or misspelt parameter name.
    #[error("a route's URI has a malformed parameter")]
    MalformedParameter,
    /// The same parameter twice.
    #[error("a route's URI names the parameter {0:?} twice")]
    DoubledParameter(String),
    /// An optional parameter that is not the whole last segment.
    #[error("an optional parameter must be the whole last segment")]
    MisplacedOptional,
}

impl Pattern {
    /// Reads a URI pattern.
    ///
    /// # Errors
    ///
    /// See [`PatternError`].
    pub fn parse(uri: &str) -> Result<Self, PatternError> {
        if uri.len() > MAX_URI_BYTES {
            return Err(PatternError::TooLong);
        }
        Self::build(uri)
    }

    /// The text as declared.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Whether `path` (encoded, without query) matches.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        self.parameters(path).is_some()
    }

    /// The parameters' values in `path`, exactly as they came (never decoded), in the order of the pattern; `None`
    /// when it does not match. A missing optional parameter is not in the list.
    #[must_use]
    pub fn parameters<'p>(&self, path: &'p str) -> Option<Vec<(&str, &'p str)>> {
        let path = path.strip_prefix('/')?.trim_end_matches('/');
        let normal = normal::normalise(path);
        let mut values = Vec::new();
        let mut rest =
            (!path.is_empty()).then(|| path.split('/').zip(normal.split('/'))).into_iter().flatten();
        for segment in &self.segments {
            match rest.next() {
                Some((raw, normal)) => segment.read(raw, normal, &mut values)?,
                None if matches!(segment, Segment::Optional(_)) => {}
                None => return None,
            }
        }
        rest.next().is_none().then_some(values)
    }

    /// How closely the pattern describes the paths that it matches.
    #[must_use]
    pub fn specificity(&self) -> Specificity {
        Specificity(self.segments.iter().map(Segment::rank).collect())
    }

    /// The pattern with its parameters' names left out: two patterns of one shape match the same paths.
    #[must_use]
    pub fn shape(&self) -> String {
        let mut shape = String::with_capacity(self.text.len());
        for segment in &self.segments {
            shape.push('/');
            match segment {
                Segment::Literal(literal) => shape.push_str(literal),
                Segment::Mixed { literals, .. } => shape.push_str(&literals.join("{}")),
                Segment::Parameter(_) => shape.push_str("{}"),
                Segment::Optional(_) => shape.push_str("{?}"),
            }
        }
        if shape.is_empty() {
            shape.push('/');
        }
        shape
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, path: &str, expected: Option<&[(&str, &str)]>) {
        let pattern = Pattern::parse(pattern).unwrap();
        assert_eq!(pattern.parameters(path).as_deref(), expected, "{pattern} {path}");
        assert_eq!(pattern.matches(path), expected.is_some(), "{pattern} {path}");
    }

    #[test]
    fn a_parameter_is_one_segment_that_is_not_empty() {
        check("/api/products/{product}", "/api/products/1", Some(&[("product", "1")]));
        check("/api/products/{product}", "/api/products/1/2", None);
        check("/api/products/{product}", "/api/products", None);
        check("/api/products/{product}", "/api/products/", None);
        check("/api/a/{x}/b/{y}", "/api/a/1/b/2", Some(&[("x", "1"), ("y", "2")]));
        check("/api/a/{x}/b/{y}", "/api/a//b/2", None);
        check("/api/{x}.json", "/api/foo.json", Some(&[("x", "foo")]));
        check("/api/{x}.json", "/api/.json", None);
    }

    #[test]
    fn an_optional_parameter_may_be_left_out() {
        check("/api/opt/{id?}", "/api/opt/5", Some(&[("id", "5")]));
        check("/api/opt/{id?}", "/api/opt", Some(&[]));
        check("/api/opt/{id?}", "/api/opt/", Some(&[]));
        check("/api/opt/{id?}", "/api/opt/5/6", None);
        check("/{id?}", "/", Some(&[]));
    }

    #[test]
    fn trailing_slashes_are_ignored() {
        check("/api/trail/", "/api/trail", Some(&[]));
        check("/api/trail", "/api/trail/", Some(&[]));
        check("/", "/", Some(&[]));
        check("/", "/a", None);
        check("/a", "/", None);
    }

    #[test]
    fn a_path_that_does_not_begin_with_a_slash_matches_nothing() {
        check("/api", "api", None);
        check("/", "", None);
        check("/{x}", "x", None);
    }

    #[test]
    fn percent_encoded_unreserved_characters_are_the_characters() {
        check("/api/products/featured", "/api/products/%66eatured", Some(&[]));
        check("/api/products/%66eatured", "/api/products/featured", Some(&[]));
        check("/api/uni/ü", "/api/uni/%c3%bc", Some(&[]));
        check("/api/uni/%C3%BC", "/api/uni/ü", Some(&[]));
        check("/api/a+b", "/api/a%2Bb", None);
        check("/api/UP", "/api/up", None);
        check("/{x}.json", "/%41%2Ejson", Some(&[("x", "%41")]));
    }

    #[test]
    fn values_are_returned_as_they_came() {
        check("/p/{id}", "/p/1%252Fprivate", Some(&[("id", "1%252Fprivate")]));
        check("/p/{id}", "/p/%66", Some(&[("id", "%66")]));
        check("/p/{id}", "/p/{other}", Some(&[("id", "{other}")]));
        check("/{имя}-{b}", "/%c3%bc%2d%7e", Some(&[("имя", "%c3%bc"), ("b", "%7e")]));
        check("/{a}{b}", "/üö", Some(&[("a", "ü"), ("b", "ö")]));
    }

    #[test]
    fn the_literal_is_closer_than_the_part_literal_the_parameter_and_the_optional_one() {
        let order = [
            "/api/x",
            "/api/x/{id?}",
            "/api/{a}.x/x",
            "/api/{a}/x",
            "/api/{a}/{b}",
            "/api/{a}/{b?}",
            "/{a}/x",
        ];
        let ranks: Vec<_> = order.iter().map(|uri| Pattern::parse(uri).unwrap().specificity()).collect();
        assert!(ranks.windows(2).all(|pair| pair[0] > pair[1]), "{ranks:?}");
        let bare = Pattern::parse("/api/{a}{b}/x").unwrap().specificity();
        assert_eq!(bare, ranks[3], "parameters alone are no part-literal");
    }

    #[test]
    fn one_shape_is_one_set_of_paths() {
        for (uri, shape) in [
            ("/", "/"),
            ("/api/{product}/", "/api/{}"),
            ("/api/{id?}", "/api/{?}"),
            ("/%66/ü/{x}.{y}", "/f/%C3%BC/{}.{}"),
        ] {
            assert_eq!(Pattern::parse(uri).unwrap().shape(), shape);
        }
    }
}
