//! How closely a pattern describes the paths that it matches (docs/wire.md, G4).

use std::cmp::Ordering;

/// How closely a pattern describes a path, segment by segment from the left; the greatest wins.
///
/// Where one is the beginning of the other, the shorter is the greater: both match one path only when the longer one
/// goes on with an optional parameter that is left out (`/api/opt` wins over `/api/opt/{id?}`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Specificity(pub(super) Vec<SegmentRank>);

/// How closely one segment describes a path's. Variant order is the ranking.
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

impl Ord for Specificity {
    fn cmp(&self, other: &Self) -> Ordering {
        let differing =
            self.0.iter().zip(&other.0).map(|(ours, theirs)| ours.cmp(theirs)).find(|by| by.is_ne());
        differing.unwrap_or_else(|| other.0.len().cmp(&self.0.len()))
    }
}

impl PartialOrd for Specificity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
