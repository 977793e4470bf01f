//! The literals under one node, found by their bytes: a table of half lines of a cache, in which names of 16 bytes and
//! less are never looked up elsewhere.

use super::next::Next;

/// Literals and where they lead: open addressing with linear probing (Knuth, The Art of Computer Programming 6.4).
#[derive(Debug, Default)]
pub(super) struct Literals {
    /// A power of two of them, at least one of them free; or none.
    slots: Box<[Slot]>,
    /// The literals that do not fit, in the order in which they came.
    long: Box<[Box<str>]>,
}

/// Room for a literal. Its [`Key`] stands here field by field, which leaves no gap.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    words: [u64; 2],
    length: u32,
    /// Its place among the long ones.
    long: u32,
    /// `None`: it is free.
    next: Option<Next>,
}

/// A literal of up to 16 bytes, or what is seen of a longer one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    /// The first eight bytes and the last eight, which may overlap; shorter ones in the first word alone. Of a longer one the
    /// second word is made of all bytes, so that literals that begin and end alike lie apart as well.
    words: [u64; 2],
    length: u32,
}

/// The bytes that a [`Key`] holds.
const HELD: usize = 16;

impl Key {
    fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let words = if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
            let last = u64::from_be_bytes(*last);
            [u64::from_be_bytes(*first), if bytes.len() > HELD { folded(bytes, last) } else { last }]
        } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
            [u64::from(u32::from_be_bytes(*first)) << 32 | u64::from(u32::from_be_bytes(*last)), 0]
        } else {
            [bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0]
        };
        Self { words, length }
    }

    /// The two halves of a product in one, as wyhash and foldhash mix.
    const fn hash(self) -> u64 {
        let [first, last] = self.words;
        let one = first ^ 0x9e37_79b9_7f4a_7c15;
        let other = (last ^ 0xc2b2_ae3d_27d4_eb4f).wrapping_add((self.length as u64) << 56);
        let product = (one as u128) * (other as u128);
        (product >> 64) as u64 ^ product as u64
    }
}

/// All bytes in one word; `last`: the last eight, which may be no whole chunk.
fn folded(bytes: &[u8], last: u64) -> u64 {
    let (chunks, _) = bytes.as_chunks();
    chunks.iter().fold(last, |word, chunk| {
        (word ^ u64::from_be_bytes(*chunk)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    })
}

impl Slot {
    const fn key(&self) -> Key {
        Key { words: self.words, length: self.length }
    }
}

impl Literals {
    /// `literals`: no two with one text.
    pub(super) fn new(literals: Vec<(String, Next)>) -> Self {
        if literals.is_empty() {
            return Self::default();
        }
        let mut slots = vec![Slot::default(); (literals.len() + literals.len() / 3 + 1).next_power_of_two()];
        let mut long = Vec::new();
        for (text, next) in literals {
            let key = Key::of(&text);
            let place = u32::try_from(long.len()).unwrap_or(u32::MAX);
            let free = probes(key, slots.len()).find(|at| slots[*at].next.is_none());
            if let Some(at) = free {
                let Key { words, length } = key;
                slots[at] = Slot { words, length, long: place, next: Some(next) };
            }
            if text.len() > HELD {
                long.push(text.into());
            }
        }
        Self { slots: slots.into(), long: long.into() }
    }

    /// Where `segment` leads.
    pub(super) fn find(&self, segment: &str) -> Option<Next> {
        let key = Key::of(segment);
        for at in probes(key, self.slots.len()) {
            let slot = self.slots.get(at)?;
            let next = slot.next?;
            if slot.key() == key && (segment.len() <= HELD || self.text(slot) == segment) {
                return Some(next);
            }
        }
        None
    }

    fn text(&self, slot: &Slot) -> &str {
        self.long.get(slot.long as usize).map_or("", |text| text)
    }
}

/// The places in which a literal may stand, in their order; `slots`: how many there are, a power of two.
fn probes(key: Key, slots: usize) -> impl Iterator<Item = usize> {
    let mask = slots.wrapping_sub(1);
    let first = usize::try_from(key.hash() >> 32).unwrap_or(0);
    (0..slots).map(move |step| (first + step) & mask)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_slot_is_half_a_line_of_a_cache() {
        assert_eq!(size_of::<Slot>(), 32);
    }

    fn number(next: Option<Next>) -> Option<u32> {
        match next? {
            Next::Node(number) => Some(number),
            Next::End { .. } | Next::Parameter { .. } => None,
        }
    }

    #[test]
    fn literals_that_begin_alike_lie_apart() {
        for text in [
            |n: u32| format!("r{n}"),
            |n| format!("products-{n:03}"),
            |n| format!("{n:03}-of-the-organisation"),
            |n| format!("organisation-{n:03}-settings"),
        ] {
            let slots = 2_048;
            let mut taken = vec![0; slots];
            for number in 0..1_000 {
                taken[probes(Key::of(&text(number)), slots).next().unwrap()] += 1;
            }
            assert!(taken.iter().all(|number| *number < 10), "{}", text(0));
        }
    }

    proptest! {
        #[test]
        fn each_literal_is_found_and_no_other(
            texts in proptest::collection::btree_set(
                "[a-c]{1,3}|[ab]{3,9}|product-line[a-c]{3,6}|organisa[ab]{0,3}sational|[a-z0-9]{1,18}", 0..60,
            ),
            others in proptest::collection::vec("[a-c]{1,3}|[ab]{3,9}|product-line[a-c]{3,6}|organisa[ab]{0,3}sational", 0..40),
        ) {
            let texts: Vec<String> = texts.into_iter().collect();
            let literals = Literals::new(texts.iter().cloned().zip((0..).map(Next::Node)).collect());
            for (text, child) in texts.iter().zip(0..) {
                prop_assert_eq!(number(literals.find(text)), Some(child));
            }
            for other in others.iter().filter(|other| !texts.contains(other)) {
                prop_assert_eq!(number(literals.find(other)), None);
            }
        }
    }
}
