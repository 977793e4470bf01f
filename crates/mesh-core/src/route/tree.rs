//! The search tree behind the table: segment by segment, most specific first.
//!
//! Every node is visited at most once per path, so that a search costs at most the size of the tree whatever the path
//! is; a search that finds its route on the first way down costs the path's length.

mod literal;
mod verb;

use std::collections::HashMap;

use http::Method;

use super::pattern::{Segment, SegmentRank, normal::normalise, segment::match_mixed};
use literal::Literal;
use verb::Verb;

/// Patterns with methods, each with its rank: the smaller wins among those that match.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// The literal by which each node is reached, if by one.
    names: Vec<Box<str>>,
}

type Leaves = Vec<(Method, u32)>;

/// One line of a cache: a search through many routes waits for memory and for little else.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Node {
    /// In their order.
    literals: Box<[Literal]>,
    parameter: Parameter,
    /// The first pattern with a verb that ends here.
    end: Option<End>,
    rest: Option<Box<Rest>>,
}

/// A pattern that ends at a node.
#[derive(Clone, Copy, Debug)]
struct End {
    rank: u32,
    verb: Verb,
}

/// What follows a parameter.
#[derive(Clone, Copy, Debug, Default)]
enum Parameter {
    #[default]
    Nothing,
    /// One pattern, which ends with it: no node to look at.
    End(End),
    Node(u32),
}

/// What few nodes have.
#[derive(Debug, Default)]
struct Rest {
    /// Part-literals, `{x}.json`.
    mixed: Vec<(Vec<String>, u32)>,
    /// Several parameters and no literal, `{x}{y}`: of one rank with the parameter.
    bare: Vec<(Vec<String>, u32)>,
    /// Further patterns that end here.
    ends: Leaves,
    /// Patterns that end here or after one more segment.
    optional: Leaves,
}

/// A node that is not finished.
#[derive(Debug, Default)]
struct Draft {
    name: String,
    literals: Vec<(String, u32)>,
    parameter: Option<u32>,
    ends: Leaves,
    rest: Rest,
}

#[derive(Debug)]
struct Drafts {
    nodes: Vec<Draft>,
    known: HashMap<(u32, String), u32>,
}

impl Tree {
    /// Builds the tree of `entries`: segments, method, rank.
    pub(super) fn build<'e>(entries: impl Iterator<Item = (&'e [Segment], &'e Method, u32)>) -> Self {
        let mut drafts = Drafts { nodes: vec![Draft::default()], known: HashMap::new() };
        for (segments, method, rank) in entries {
            drafts.insert(segments, method, rank);
        }
        let mut tree = Self::default();
        let leaves: Vec<_> = drafts.nodes.iter().map(Draft::leaf).collect();
        for draft in drafts.nodes {
            tree.names.push(draft.name.as_str().into());
            tree.nodes.push(draft.finish(&leaves));
        }
        tree
    }

    /// The smallest rank among the patterns that match `path` with `method`.
    pub(super) fn find(&self, method: &Method, path: &str) -> Option<u32> {
        let path = path.strip_prefix('/')?.trim_end_matches('/');
        let normal = normalise(path);
        self.descend(0, (!normal.is_empty()).then_some(&*normal), method)
    }

    fn descend(&self, at: u32, path: Option<&str>, method: &Method) -> Option<u32> {
        let node = self.nodes.get(at as usize)?;
        let rest = node.rest.as_deref();
        let optional = || pick(&rest?.optional, method);
        let below = |child: u32, after: Option<&str>| self.descend(child, after, method);
        let Some(path) = path else {
            return node.end(method).or_else(optional);
        };
        let (segment, after) = divide(path);
        if segment.is_empty() {
            return None;
        }
        let parameter = || match node.parameter {
            Parameter::Nothing => None,
            Parameter::End(end) => end.rank(method).filter(|_| after.is_none()),
            Parameter::Node(child) => below(child, after),
        };
        self.literal(node, segment)
            .and_then(|child| below(child, after))
            .or_else(|| matching(&rest?.mixed, segment).filter_map(|child| below(child, after)).min())
            .or_else(|| match rest {
                None => parameter(),
                // Children of one rank are decided by what follows them: the smallest rank of a pattern among them.
                Some(rest) => matching(&rest.bare, segment)
                    .filter_map(|child| below(child, after))
                    .chain(parameter())
                    .min(),
            })
            .or_else(|| if after.is_none() { optional() } else { None })
    }

    fn literal(&self, node: &Node, segment: &str) -> Option<u32> {
        literal::find(&node.literals, segment, |child| self.names.get(child as usize).map_or("", |name| name))
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
        let Some(node) = self.nodes.get(at as usize) else { return };
        let none = Rest::default();
        let rest = node.rest.as_deref().unwrap_or(&none);
        let Some(path) = path else {
            found.extend(node.end.map(End::leaf));
            found.extend_from_slice(&rest.ends);
            found.extend_from_slice(&rest.optional);
            return;
        };
        let (segment, after) = divide(path);
        if segment.is_empty() {
            return;
        }
        let parameter = match node.parameter {
            Parameter::Node(child) => Some(child),
            Parameter::End(_) | Parameter::Nothing => None,
        };
        let mixed = matching(&rest.mixed, segment).chain(matching(&rest.bare, segment));
        for child in self.literal(node, segment).into_iter().chain(mixed).chain(parameter) {
            self.collect(child, after, found);
        }
        if let (Parameter::End(end), None) = (node.parameter, after) {
            found.push(end.leaf());
        }
        if after.is_none() {
            found.extend_from_slice(&rest.optional);
        }
    }
}

impl Drafts {
    fn insert(&mut self, segments: &[Segment], method: &Method, rank: u32) {
        let mut at = 0;
        for segment in segments {
            let key = match segment {
                Segment::Literal(literal) => literal.clone(),
                // No literal holds a brace: in normal form it is encoded.
                Segment::Mixed { literals, .. } => literals.join("{}"),
                Segment::Parameter(_) => "{}".to_owned(),
                Segment::Optional(_) => {
                    self.nodes[at as usize].rest.optional.push((method.clone(), rank));
                    return;
                }
            };
            let next = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
            let child = *self.known.entry((at, key)).or_insert(next);
            if child == next {
                self.nodes.push(Draft::default());
                let node = &mut self.nodes[at as usize];
                match segment {
                    Segment::Literal(literal) => {
                        node.literals.push((literal.clone(), child));
                        self.nodes[child as usize].name.clone_from(literal);
                    }
                    Segment::Mixed { literals, .. } if segment.rank() == SegmentRank::PartLiteral => {
                        node.rest.mixed.push((literals.clone(), child));
                    }
                    Segment::Mixed { literals, .. } => node.rest.bare.push((literals.clone(), child)),
                    Segment::Parameter(_) | Segment::Optional(_) => node.parameter = Some(child),
                }
            }
            at = child;
        }
        self.nodes[at as usize].ends.push((method.clone(), rank));
    }
}

impl Draft {
    /// Its pattern, if it has one and nothing else.
    fn leaf(&self) -> Option<End> {
        let Self { literals, parameter, ends, rest, .. } = self;
        match &ends[..] {
            [end] if literals.is_empty() && parameter.is_none() && rest.is_empty() => End::of(end),
            _ => None,
        }
    }

    /// `leaves`: what of all nodes is but the end of a pattern.
    fn finish(self, leaves: &[Option<End>]) -> Node {
        let Self { literals, parameter, mut ends, mut rest, .. } = self;
        let end = ends.iter().position(|end| End::of(end).is_some()).map(|first| ends.swap_remove(first));
        rest.ends = ends;
        let rest = (!rest.is_empty()).then(|| Box::new(rest));
        let parameter = parameter.map_or(Parameter::Nothing, |child| {
            leaves.get(child as usize).copied().flatten().map_or(Parameter::Node(child), Parameter::End)
        });
        Node { literals: literal::sorted(literals), parameter, end: end.as_ref().and_then(End::of), rest }
    }
}

impl Rest {
    const fn is_empty(&self) -> bool {
        let Self { mixed, bare, ends, optional } = self;
        mixed.is_empty() && bare.is_empty() && ends.is_empty() && optional.is_empty()
    }
}

impl End {
    /// `None` where the method has no verb.
    fn of((method, rank): &(Method, u32)) -> Option<Self> {
        Some(Self { rank: *rank, verb: Verb::of(method)? })
    }

    fn rank(self, method: &Method) -> Option<u32> {
        (Verb::of(method) == Some(self.verb)).then_some(self.rank)
    }

    const fn leaf(self) -> (Method, u32) {
        (self.verb.method(), self.rank)
    }
}

impl Node {
    fn end(&self, method: &Method) -> Option<u32> {
        let end = self.end.and_then(|end| end.rank(method));
        end.or_else(|| pick(&self.rest.as_ref()?.ends, method))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_one_line_of_a_cache() {
        assert_eq!(size_of::<Node>(), 64);
    }
}
