//! One route's URI, e.g. `/api/products/{product}`, and how closely it describes a path.
//!
//! Refuses dot segments, unbalanced braces, doubled parameters and more than 2 KiB.

use std::fmt;

/// A parsed URI pattern. Keeps its text as declared; matches trailing slashes away, and compares after decoding
/// percent-encoded unreserved characters; non-ASCII literals are stored encoded (docs/wire.md, Gateway).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    segments: Vec<Segment>,
}

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

/// How closely a pattern describes a path, segment by segment from the left; the greatest wins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Specificity(Vec<SegmentRank>);

/// Variant order is the ranking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SegmentRank {
    /// `{id?}`
    Optional,
    /// `{id}`
    Parameter,
    /// `{id}.json`
    PartLiteral,
    /// `products`
    Literal,
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
        let _ = uri;
        todo!()
    }

    /// The text as declared.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `path` (encoded, without query) matches.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        self.parameters(path).is_some()
    }

    /// The parameters' values in `path`, exactly as they came (never decoded); `None` when it does not match.
    /// A missing optional parameter is not in the list.
    #[must_use]
    pub fn parameters<'p>(&self, path: &'p str) -> Option<Vec<(&str, &'p str)>> {
        let _ = (path, &self.segments);
        todo!()
    }

    /// How closely the pattern describes the paths that it matches.
    #[must_use]
    pub fn specificity(&self) -> Specificity {
        todo!()
    }

    /// The pattern with its parameters' names left out: two patterns of one shape match the same paths.
    #[must_use]
    pub fn shape(&self) -> String {
        todo!()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}
