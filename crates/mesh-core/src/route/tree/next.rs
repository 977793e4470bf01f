//! Where a segment of a pattern leads: to a node, or straight to the literals or the one pattern that follow.

use http::Method;

use super::{literal::Table, verb::Verb};

/// What follows a segment. Small enough to stand where the segment does: what needs no node is no further look at memory.
#[derive(Clone, Copy, Debug)]
pub(super) enum Next {
    Node(u32),
    /// Literals and nothing else.
    Literals(Table),
    /// One pattern, which ends with the segment.
    End {
        rank: u32,
        verb: Verb,
    },
    /// One pattern, which ends with a parameter behind the segment.
    Parameter {
        rank: u32,
        verb: Verb,
    },
}

/// A pattern that ends at a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) rank: u32,
    pub(super) verb: Verb,
}

impl End {
    /// `None` where the method has no verb.
    pub(super) fn of((method, rank): &(Method, u32)) -> Option<Self> {
        Some(Self { rank: *rank, verb: Verb::of(method)? })
    }

    pub(super) fn rank(self, method: &Method) -> Option<u32> {
        (Verb::of(method) == Some(self.verb)).then_some(self.rank)
    }

    pub(super) const fn leaf(self) -> (Method, u32) {
        (self.verb.method(), self.rank)
    }
}

impl Next {
    /// The pattern that ends where `after` ends, if this leads to no node.
    pub(super) fn end(self, after: Option<&str>) -> Option<End> {
        match (self, after) {
            (Self::End { rank, verb }, None) => Some(End { rank, verb }),
            (Self::Parameter { rank, verb }, Some(last)) if !last.is_empty() && !last.contains('/') => {
                Some(End { rank, verb })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_eight_bytes() {
        assert_eq!(size_of::<Option<Next>>(), 8);
    }
}
