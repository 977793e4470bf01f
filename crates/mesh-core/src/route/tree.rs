//! The search tree behind the table: segment by segment, most specific first.
//!
//! Every node is visited at most once per path, so that a search costs at most the size of the tree whatever the path
//! is; a search that finds its route on the first way down costs the path's length.

mod draft;
mod literal;
mod next;
mod verb;

use http::Method;

use super::pattern::{Segment, normal::normalise, segment::match_mixed};
use draft::Drafts;
use literal::{Literals, Table};
use next::{End, Next};

/// Patterns with methods, each with its rank: the smaller wins among those that match.
#[derive(Debug)]
pub(super) struct Tree {
    root: Next,
    nodes: Vec<Node>,
    literals: Literals,
}

type Leaves = Vec<(Method, u32)>;

/// Where more than one way goes on. Half a line of a cache: a search through many routes waits for memory and for little
/// else.
#[derive(Debug)]
#[repr(align(32))]
struct Node {
    literals: Option<Table>,
    parameter: Option<Next>,
    /// The first pattern with a verb that ends here.
    end: Option<End>,
    rest: Option<Box<Rest>>,
}

/// What few nodes have.
#[derive(Debug, Default)]
struct Rest {
    /// Part-literals, `{x}.json`.
    mixed: Vec<(Vec<String>, Next)>,
    /// Several parameters and no literal, `{x}{y}`: of one rank with the parameter.
    bare: Vec<(Vec<String>, Next)>,
    /// Further patterns that end here.
    ends: Leaves,
    /// Patterns that end here or after one more segment.
    optional: Leaves,
}

impl Default for Tree {
    fn default() -> Self {
        Drafts::new().finish()
    }
}

impl Tree {
    /// Builds the tree of `entries`: segments, method, rank.
    pub(super) fn build<'e>(entries: impl Iterator<Item = (&'e [Segment], &'e Method, u32)>) -> Self {
        let mut drafts = Drafts::new();
        for (segments, method, rank) in entries {
            drafts.insert(segments, method, rank);
        }
        drafts.finish()
    }

    /// The smallest rank among the patterns that match `path` with `method`.
    pub(super) fn find(&self, method: &Method, path: &str) -> Option<u32> {
        let path = path.strip_prefix('/')?.trim_end_matches('/');
        let normal = normalise(path);
        self.descend(self.root, (!normal.is_empty()).then_some(&*normal), method)
    }

    fn descend(&self, from: Next, path: Option<&str>, method: &Method) -> Option<u32> {
        let (next, path) = self.along_literals(from, path)?;
        let Next::Node(number) = next else { return next.end(path)?.rank(method) };
        let node = self.nodes.get(number as usize)?;
        let rest = node.rest.as_deref();
        let optional = || pick(&rest?.optional, method);
        let Some(path) = path else {
            return node.end(method).or_else(optional);
        };
        let (segment, after) = divide(path);
        if segment.is_empty() {
            return None;
        }
        let below = |next: Next| self.descend(next, after, method);
        let parameter = || node.parameter.and_then(below);
        self.literal(node, segment)
            .and_then(below)
            .or_else(|| matching(&rest?.mixed, segment).filter_map(below).min())
            .or_else(|| match rest {
                None => parameter(),
                // Children of one rank are decided by what follows them: the smallest rank of a pattern among them.
                Some(rest) => matching(&rest.bare, segment).filter_map(below).chain(parameter()).min(),
            })
            .or_else(|| if after.is_none() { optional() } else { None })
    }

    /// As far as literals are all there is, and what is left of the path there; `None`: it leads nowhere.
    fn along_literals<'p>(
        &self,
        mut next: Next,
        mut path: Option<&'p str>,
    ) -> Option<(Next, Option<&'p str>)> {
        while let Next::Literals(table) = next {
            let (segment, after) = divide(path?);
            (next, path) = (self.literals.find(table, segment)?, after);
        }
        Some((next, path))
    }

    fn literal(&self, node: &Node, segment: &str) -> Option<Next> {
        self.literals.find(node.literals?, segment)
    }

    /// Every pattern that matches `path`: method and rank, in no order.
    pub(super) fn all(&self, path: &str) -> Leaves {
        let mut found = Leaves::new();
        let Some(path) = path.strip_prefix('/') else { return found };
        let normal = normalise(path.trim_end_matches('/'));
        self.collect(self.root, (!normal.is_empty()).then_some(&*normal), &mut found);
        found
    }

    fn collect(&self, from: Next, path: Option<&str>, found: &mut Leaves) {
        let Some((next, path)) = self.along_literals(from, path) else { return };
        let Next::Node(number) = next else {
            return found.extend(next.end(path).map(End::leaf));
        };
        let Some(node) = self.nodes.get(number as usize) else { return };
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
        let mixed = matching(&rest.mixed, segment).chain(matching(&rest.bare, segment));
        for next in self.literal(node, segment).into_iter().chain(mixed).chain(node.parameter) {
            self.collect(next, after, found);
        }
        if after.is_none() {
            found.extend_from_slice(&rest.optional);
        }
    }
}

impl Rest {
    const fn is_empty(&self) -> bool {
        let Self { mixed, bare, ends, optional } = self;
        mixed.is_empty() && bare.is_empty() && ends.is_empty() && optional.is_empty()
    }
}

impl Node {
    fn end(&self, method: &Method) -> Option<u32> {
        let end = self.end.and_then(|end| end.rank(method));
        end.or_else(|| pick(&self.rest.as_ref()?.ends, method))
    }
}

fn matching<'n>(children: &'n [(Vec<String>, Next)], segment: &'n str) -> impl Iterator<Item = Next> {
    children.iter().filter(move |(literals, _)| match_mixed(literals, segment, |_| {})).map(|(_, next)| *next)
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
    fn a_node_is_half_a_line_of_a_cache() {
        assert_eq!(size_of::<Node>(), 32);
    }
}
