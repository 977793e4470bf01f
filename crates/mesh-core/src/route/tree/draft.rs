//! The tree while it is built: from patterns to nodes, without those that need none.

use std::collections::HashMap;

use http::Method;

use super::{
    Leaves, Node, Rest, Tree,
    literal::Literals,
    next::{End, Next},
};
use crate::route::pattern::{Segment, SegmentRank};

/// A node that is not finished.
#[derive(Debug, Default)]
struct Draft {
    literals: Vec<(String, usize)>,
    parameter: Option<usize>,
    ends: Leaves,
    mixed: Vec<(Vec<String>, usize)>,
    bare: Vec<(Vec<String>, usize)>,
    optional: Leaves,
}

/// The drafts of a tree, the root first.
#[derive(Debug)]
pub(super) struct Drafts {
    nodes: Vec<Draft>,
    known: HashMap<(usize, String), usize>,
}

impl Drafts {
    pub(super) fn new() -> Self {
        Self { nodes: vec![Draft::default()], known: HashMap::new() }
    }

    pub(super) fn insert(&mut self, segments: &[Segment], method: &Method, rank: u32) {
        let mut at = 0;
        for segment in segments {
            let key = match segment {
                Segment::Literal(literal) => literal.clone(),
                // No literal holds a brace: in normal form it is encoded.
                Segment::Mixed { literals, .. } => literals.join("{}"),
                Segment::Parameter(_) => "{}".to_owned(),
                Segment::Optional(_) => {
                    self.nodes[at].optional.push((method.clone(), rank));
                    return;
                }
            };
            let next = self.nodes.len();
            let child = *self.known.entry((at, key)).or_insert(next);
            if child == next {
                self.nodes.push(Draft::default());
                let node = &mut self.nodes[at];
                match segment {
                    Segment::Literal(literal) => node.literals.push((literal.clone(), child)),
                    Segment::Mixed { literals, .. } if segment.rank() == SegmentRank::PartLiteral => {
                        node.mixed.push((literals.clone(), child));
                    }
                    Segment::Mixed { literals, .. } => node.bare.push((literals.clone(), child)),
                    Segment::Parameter(_) | Segment::Optional(_) => node.parameter = Some(child),
                }
            }
            at = child;
        }
        self.nodes[at].ends.push((method.clone(), rank));
    }

    pub(super) fn finish(self) -> Tree {
        let mut tree = Tree { root: Next::Node(0), nodes: Vec::new(), literals: Literals::default() };
        let mut places = vec![tree.root; self.nodes.len()];
        // Backwards, as what follows stands behind: each finds what its children have become.
        for (number, draft) in self.nodes.into_iter().enumerate().rev() {
            places[number] = draft.place(&mut tree, &places);
        }
        tree.root = places[0];
        tree
    }
}

impl Draft {
    /// Puts it into the tree: a node, if it takes one. `places`: what the drafts behind it have become.
    fn place(self, tree: &mut Tree, places: &[Next]) -> Next {
        let Self { literals, parameter, mut ends, mixed, bare, optional } = self;
        let literals = literals.into_iter().map(|(text, child)| (text, places[child])).collect();
        let literals = tree.literals.add(literals);
        let parameter = parameter.map(|child| places[child]);
        let first = ends.iter().position(|end| End::of(end).is_some());
        let end = first.and_then(|first| End::of(&ends.swap_remove(first)));
        let placed = |children: Vec<(Vec<String>, usize)>| {
            children.into_iter().map(|(literals, child)| (literals, places[child])).collect()
        };
        let rest = Rest { mixed: placed(mixed), bare: placed(bare), ends, optional };
        match (literals, parameter, end, rest.is_empty()) {
            (Some(literals), None, None, true) => Next::Literals(literals),
            (None, None, Some(End { rank, verb }), true) => Next::End { rank, verb },
            (None, Some(Next::End { rank, verb }), None, true) => Next::Parameter { rank, verb },
            (literals, parameter, end, is_empty) => {
                let number = u32::try_from(tree.nodes.len()).unwrap_or(u32::MAX);
                let rest = (!is_empty).then(|| Box::new(rest));
                tree.nodes.push(Node { literals, parameter, end, rest });
                Next::Node(number)
            }
        }
    }
}
