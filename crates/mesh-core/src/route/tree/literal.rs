//! The literals of a tree, found by their bytes: tables of half lines of a cache, in which names of 16 bytes and less are
//! never looked up elsewhere.

use super::next::Next;

/// Literals and where they lead: a table for each place in the tree that has some, all in one piece of memory. Buckets of
/// two, with linear probing (Knuth, The Art of Computer Programming 6.4).
#[derive(Debug, Default)]
pub(super) struct Literals {
    lines: Vec<Line>,
    /// The literals that do not fit, in the order in which they came.
    long: Vec<Box<str>>,
}

/// A table: its first line, and how many there are, as a power of two, in the five lowest bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table(u32);

/// A line of a cache.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Line([Slot; 2]);

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

impl Table {
    /// The bits that hold a power of two.
    const BITS: u32 = 5;

    /// One for so many literals, behind so many lines: half of its places or more stay free.
    fn new(behind: usize, literals: usize) -> Self {
        let first = u32::try_from(behind).unwrap_or(u32::MAX);
        Self(first << Self::BITS | literals.next_power_of_two().ilog2())
    }

    const fn first(self) -> usize {
        (self.0 >> Self::BITS) as usize
    }

    const fn lines(self) -> usize {
        1 << (self.0 & ((1 << Self::BITS) - 1))
    }

    /// The lines in which a literal may stand, in their order.
    fn probes(self, key: Key) -> impl Iterator<Item = usize> {
        let (first, mask) = (self.first(), self.lines() - 1);
        let begin = usize::try_from(key.hash() >> 32).unwrap_or(0);
        (0..=mask).map(move |step| first + ((begin + step) & mask))
    }
}

impl Literals {
    /// Adds a table of `literals`, no two of them with one text; `None` of none.
    pub(super) fn add(&mut self, literals: Vec<(String, Next)>) -> Option<Table> {
        if literals.is_empty() {
            return None;
        }
        let table = Table::new(self.lines.len(), literals.len());
        self.lines.resize(table.first() + table.lines(), Line::default());
        for (text, next) in literals {
            let key = Key::of(&text);
            let Key { words, length } = key;
            let long = u32::try_from(self.long.len()).unwrap_or(u32::MAX);
            let free = |at: usize| {
                let place = self.lines.get(at)?.0.iter().position(|slot| slot.next.is_none())?;
                Some((at, place))
            };
            if let Some((at, place)) = table.probes(key).find_map(free) {
                self.lines[at].0[place] = Slot { words, length, long, next: Some(next) };
            }
            if text.len() > HELD {
                self.long.push(text.into());
            }
        }
        Some(table)
    }

    /// Where `segment` leads.
    pub(super) fn find(&self, table: Table, segment: &str) -> Option<Next> {
        let key = Key::of(segment);
        for at in table.probes(key) {
            for slot in &self.lines.get(at)?.0 {
                let next = slot.next?;
                if slot.key() == key && (segment.len() <= HELD || self.text(slot) == segment) {
                    return Some(next);
                }
            }
        }
        None
    }

    fn text(&self, slot: &Slot) -> &str {
        self.long.get(slot.long as usize).map_or("", |text| text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_slot_is_half_a_line_of_a_cache() {
        assert_eq!((size_of::<Slot>(), size_of::<Line>()), (32, 64));
    }

    fn number(next: Option<Next>) -> Option<u32> {
        match next? {
            Next::Node(number) => Some(number),
            Next::Literals(_) | Next::End { .. } | Next::Parameter { .. } => None,
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
            let table = Table::new(0, 1_000);
            let mut taken = vec![0; table.lines()];
            for number in 0..1_000 {
                taken[table.probes(Key::of(&text(number))).next().unwrap()] += 1;
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
            let mut literals = Literals::default();
            let before = literals.add(vec![("a".to_owned(), Next::Node(1_000)), ("organisational-chart".to_owned(), Next::Node(1_001))]).unwrap();
            let Some(table) = literals.add(texts.iter().cloned().zip((0..).map(Next::Node)).collect()) else {
                return Ok(());
            };
            prop_assert_eq!(number(literals.find(before, "a")), Some(1_000));
            prop_assert_eq!(number(literals.find(before, "organisational-chart")), Some(1_001));
            for (text, child) in texts.iter().zip(0..) {
                prop_assert_eq!(number(literals.find(table, text)), Some(child));
            }
            for other in others.iter().filter(|other| !texts.contains(other)) {
                prop_assert_eq!(number(literals.find(table, other)), None);
            }
        }
    }
}
