//! The search tree behind the table: segment by segment, most specific first.
//!
//! Every node is visited at most once per path, so that a search costs at most the size of the tree whatever the path
//! is; a search that finds its route on the first way down costs the path's length.

use std::collections::HashMap;

use http::Method;

use super::pattern::{Segment, SegmentRank, normal::normalise, segment::match_mixed};

/// Patterns with methods, each with its rank: the smaller wins among those that match.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

type Leaves = Vec<(Method, u32)>;

#[derive(Debug, Default)]
struct Node {
    /// By length, then by bytes: most comparisons end at the length.
    literals: Vec<(Box<str>, u32)>,
    /// Part-literals, `{x}.json`.
    mixed: Vec<(Vec<String>, u32)>,
    parameter: Option<u32>,
    /// Several parameters and no literal, `{x}{y}`: of one rank with the parameter.
    bare: Vec<(Vec<String>, u32)>,
    /// Patterns that end here.
    ends: Leaves,
    /// Patterns that end here or after one more segment.
    optional: Leaves,
}

impl Default for Tree {
    fn default() -> Self {
        Self { nodes: vec![Node::default()] }
    }
}

impl Tree {
    /// Builds the tree of `entries`: segments, method, rank.
    pub(super) fn build<'e>(entries: impl Iterator<Item = (&'e [Segment], &'e Method, u32)>) -> Self {
        let mut tree = Self::default();
        let mut known = HashMap::new();
        for (segments, method, rank) in entries {
            tree.insert(&mut known, segments, method, rank);
        }
        for node in &mut tree.nodes {
            node.literals.sort_unstable_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b)));
        }
        tree
    }

    fn insert(
        &mut self,
        known: &mut HashMap<(u32, String), u32>,
        segments: &[Segment],
        method: &Method,
        rank: u32,
    ) {
        let mut at = 0;
        for segment in segments {
            let key = match segment {
                Segment::Literal(literal) => literal.clone(),
                // No literal holds a brace: in normal form it is encoded.
                Segment::Mixed { literals, .. } => literals.join("{}"),
                Segment::Parameter(_) => "{}".to_owned(),
                Segment::Optional(_) => {
                    self.nodes[at as usize].optional.push((method.clone(), rank));
                    return;
                }
            };
            let next = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
            let child = *known.entry((at, key)).or_insert(next);
            if child == next {
                self.nodes.push(Node::default());
                let node = &mut self.nodes[at as usize];
                match segment {
                    Segment::Literal(literal) => node.literals.push((literal.as_str().into(), child)),
                    Segment::Mixed { literals, .. } if segment.rank() == SegmentRank::PartLiteral => {
                        node.mixed.push((literals.clone(), child));
                    }
                    Segment::Mixed { literals, .. } => node.bare.push((literals.clone(), child)),
                    Segment::Parameter(_) | Segment::Optional(_) => node.parameter = Some(child),
                }
            }
            at = child;
        }
        self.nodes[at as usize].ends.push((method.clone(), rank));
    }

    /// The smallest rank among the patterns that match `path` with `method`.
    pub(super) fn find(&self, method: &Method, path: &str) -> Option<u32> {
        let path = path.strip_prefix('/')?.trim_end_matches('/');
        let normal = normalise(path);
        self.descend(0, (!normal.is_empty()).then_some(&*normal), method)
    }

    fn descend(&self, at: u32, path: Option<&str>, method: &Method) -> Option<u32> {
        let node = &self.nodes[at as usize];
        let Some(path) = path else {
            return pick(&node.ends, method).or_else(|| pick(&node.optional, method));
        };
        let (segment, rest) = divide(path);
        if segment.is_empty() {
            return None;
        }
        // Children of one rank are decided by what follows them: the smallest rank of a pattern among them.
        node.literal(segment)
            .and_then(|child| self.descend(child, rest, method))
            .or_else(|| {
                matching(&node.mixed, segment).filter_map(|child| self.descend(child, rest, method)).min()
            })
            .or_else(|| {
                let alike = matching(&node.bare, segment).chain(node.parameter);
                alike.filter_map(|child| self.descend(child, rest, method)).min()
            })
            .or_else(|| if rest.is_none() { pick(&node.optional, method) } else { None })
    }

    /// Every pattern that matches `path`: method and rank, in no order.
    pub(super) fn all(&self, path: &str) -> Leaves {
        let mut found = Leaves::new();
        let Some(path) = path.strip_prefix('/') else { return found };
        let normal = normalise(path.trim_end_matches('/'));
        self.collect(0, (!normal.is_empty()).then_some(&*normal), &mut found);
        found
    }

    fn collect(&self, at: u32, path: Option<&str>, found: &mut Leaves) {
        let node = &self.nodes[at as usize];
        let Some(path) = path else {
            found.extend_from_slice(&node.ends);
            found.extend_from_slice(&node.optional);
            return;
        };
        let (segment, rest) = divide(path);
        if segment.is_empty() {
            return;
        }
        let mixed = matching(&node.mixed, segment).chain(matching(&node.bare, segment));
        for child in node.literal(segment).into_iter().chain(mixed).chain(node.parameter) {
            self.collect(child, rest, found);
        }
        if rest.is_none() {
            found.extend_from_slice(&node.optional);
        }
    }
}

impl Node {
    fn literal(&self, segment: &str) -> Option<u32> {
        let place =
            self.literals.binary_search_by(|(key, _)| (key.len(), &**key).cmp(&(segment.len(), segment)));
        place.ok().map(|at| self.literals[at].1)
    }
}

fn matching<'n>(children: &'n [(Vec<String>, u32)], segment: &'n str) -> impl Iterator<Item = u32> {
    children
        .iter()
        .filter(move |(literals, _)| match_mixed(literals, segment, |_| {}))
        .map(|(_, child)| *child)
}

fn divide(path: &str) -> (&str, Option<&str>) {
    path.split_once('/').map_or((path, None), |(segment, rest)| (segment, Some(rest)))
}

fn pick(leaves: &Leaves, method: &Method) -> Option<u32> {
    leaves.iter().find(|(candidate, _)| candidate == method).map(|(_, rank)| *rank)
}
