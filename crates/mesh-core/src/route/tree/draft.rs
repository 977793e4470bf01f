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
        let mut count = 0;
        let mut places = Vec::with_capacity(self.nodes.len());
        for (number, draft) in self.nodes.iter().enumerate() {
            // The root is a node whatever it holds: a search begins there.
            let folded = if number == 0 { None } else { self.folded(draft) };
            places.push(folded.unwrap_or_else(|| {
                count += 1;
                Next::Node(count - 1)
            }));
        }
        let drafts = self.nodes.into_iter().zip(&places);
        let nodes = drafts.filter(|(_, place)| matches!(place, Next::Node(_)));
        Tree { nodes: nodes.map(|(draft, _)| draft.finish(&places)).collect() }
    }

    /// What stands for a draft where one pattern is all that follows.
    fn folded(&self, draft: &Draft) -> Option<Next> {
        if let Some(End { rank, verb }) = draft.leaf() {
            return Some(Next::End { rank, verb });
        }
        let End { rank, verb } = self.nodes.get(draft.only_parameter()?)?.leaf()?;
        Some(Next::Parameter { rank, verb })
    }
}

impl Draft {
    /// Its pattern, if it has one and nothing else.
    fn leaf(&self) -> Option<End> {
        match self {
            Self { literals, parameter: None, ends, mixed, bare, optional }
                if literals.is_empty() && mixed.is_empty() && bare.is_empty() && optional.is_empty() =>
            {
                if let [end] = &ends[..] {
                    End::of(end)
                } else {
                    None
                }
            }
            _ => None,
        }
    }

    /// Its parameter, if it has one and nothing else.
    fn only_parameter(&self) -> Option<usize> {
        let Self { literals, parameter, ends, mixed, bare, optional } = self;
        let is_alone = literals.is_empty()
            && ends.is_empty()
            && mixed.is_empty()
            && bare.is_empty()
            && optional.is_empty();
        parameter.filter(|_| is_alone)
    }

    /// `places`: what each draft has become.
    fn finish(self, places: &[Next]) -> Node {
        let Self { literals, parameter, mut ends, mixed, bare, optional } = self;
        let end = ends.iter().position(|end| End::of(end).is_some()).map(|first| ends.swap_remove(first));
        let placed = |children: Vec<(Vec<String>, usize)>| {
            children.into_iter().map(|(literals, child)| (literals, places[child])).collect()
        };
        let rest = Rest { mixed: placed(mixed), bare: placed(bare), ends, optional };
        Node {
            literals: Literals::new(
                literals.into_iter().map(|(text, child)| (text, places[child])).collect(),
            ),
            parameter: parameter.map(|child| places[child]),
            end: end.as_ref().and_then(End::of),
            rest: (!rest.is_empty()).then(|| Box::new(rest)),
        }
    }
}
