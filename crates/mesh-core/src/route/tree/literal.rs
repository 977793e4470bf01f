//! The literals under one node, found by their first bytes: names of eight bytes and less are never looked up elsewhere.

use std::cmp::Ordering;

/// A literal segment, and where it leads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Literal {
    /// The first eight bytes, in the order in which they compare; zeros where there are fewer.
    head: u64,
    length: u32,
    child: u32,
}

/// The bytes that a [`Literal`] holds itself.
const HELD: usize = 8;

impl Literal {
    fn of(text: &str, child: u32) -> Self {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        Self { head: head(text.as_bytes()), length, child }
    }
}

/// By length, then by bytes: most comparisons end at the length.
pub(super) fn sorted(mut literals: Vec<(String, u32)>) -> Box<[Literal]> {
    literals.sort_unstable_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b)));
    literals.iter().map(|(text, child)| Literal::of(text, *child)).collect()
}

/// Where `segment` leads; `name`: the whole literal of a child.
pub(super) fn find<'n>(literals: &[Literal], segment: &str, name: impl Fn(u32) -> &'n str) -> Option<u32> {
    let wanted = Literal::of(segment, 0);
    let order = |literal: &Literal| {
        let held = (literal.length, literal.head).cmp(&(wanted.length, wanted.head));
        match held {
            Ordering::Equal if segment.len() > HELD => name(literal.child).cmp(segment),
            held => held,
        }
    };
    let place = literals.binary_search_by(order).ok()?;
    literals.get(place).map(|literal| literal.child)
}

fn head(text: &[u8]) -> u64 {
    let mut head = [0; HELD];
    let length = text.len().min(HELD);
    head[..length].copy_from_slice(&text[..length]);
    u64::from_be_bytes(head)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_literal_is_found_and_no_other(
            texts in proptest::collection::btree_set("[a-c]{0,3}|products[a-c]{0,2}|[a-z0-9]{1,12}", 0..40),
            others in proptest::collection::vec("[a-c]{0,3}|product.?[a-c]{0,2}", 0..20),
        ) {
            let texts: Vec<String> = texts.into_iter().collect();
            let numbered = texts.iter().cloned().zip(0..).collect();
            let literals = sorted(numbered);
            let name = |child: u32| texts[child as usize].as_str();
            for (text, child) in texts.iter().zip(0..) {
                prop_assert_eq!(find(&literals, text, name), Some(child));
            }
            for other in others.iter().filter(|other| !texts.contains(other)) {
                prop_assert_eq!(find(&literals, other, name), None);
            }
        }
    }
}
