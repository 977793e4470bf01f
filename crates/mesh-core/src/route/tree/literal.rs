//! The literals of a tree, found by their bytes: in tables of four bytes a place, which lead to half a line of a cache. Names
//! of 16 bytes and less are never looked up elsewhere.

use super::next::Next;

/// Literals and where they lead: a table for each place in the tree that has some, all in one piece of memory. Open
/// addressing with linear probing (Knuth, The Art of Computer Programming 6.4).
///
/// The literals themselves lie without gaps and in the order in which they came: what one request looks at brings its
/// neighbour along.
#[derive(Debug, Default)]
pub(super) struct Literals {
    places: Vec<Place>,
    slots: Vec<Slot>,
    /// The literals that do not fit, in the order in which they came.
    long: Vec<Box<str>>,
}

/// A table: its first place, and how many there are, as a power of two, in the five lowest bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table(u32);

/// Eight bits of a literal's hash above the number of its slot; 0: it is free.
#[derive(Clone, Copy, Debug, Default)]
struct Place(u32);

/// Room for a literal. Its [`Key`] stands here field by field, which leaves no gap.
#[derive(Clone, Copy, Debug)]
struct Slot {
    words: [u64; 2],
    length: u32,
    /// Its place among the long ones.
    long: u32,
    next: Next,
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

impl Place {
    /// The bits that hold a slot's number, from 1.
    const BITS: u32 = 24;

    fn of(key: Key, slot: usize) -> Option<Self> {
        let number = u32::try_from(slot + 1).ok().filter(|number| *number < 1 << Self::BITS)?;
        Some(Self(Self::tag(key) << Self::BITS | number))
    }

    /// `None`: it is free.
    fn slot(self) -> Option<usize> {
        usize::try_from(self.0 & ((1 << Self::BITS) - 1)).ok()?.checked_sub(1)
    }

    /// Whether the literal with this key may be meant.
    const fn may_be(self, key: Key) -> bool {
        self.0 >> Self::BITS == Self::tag(key)
    }

    #[expect(clippy::cast_possible_truncation, reason = "the eight lowest bits are meant")]
    const fn tag(key: Key) -> u32 {
        key.hash() as u8 as u32
    }
}

impl Table {
    /// The bits that hold a power of two.
    const BITS: u32 = 5;

    /// One for so many literals, behind so many places: a quarter of its own or more stay free.
    fn new(behind: usize, literals: usize) -> Self {
        let first = u32::try_from(behind).unwrap_or(u32::MAX);
        Self(first << Self::BITS | (literals + literals / 3 + 1).next_power_of_two().ilog2())
    }

    const fn first(self) -> usize {
        (self.0 >> Self::BITS) as usize
    }

    const fn places(self) -> usize {
        1 << (self.0 & ((1 << Self::BITS) - 1))
    }

    /// The places in which a literal may stand, in their order.
    fn probes(self, key: Key) -> impl Iterator<Item = usize> {
        let (first, mask) = (self.first(), self.places() - 1);
        let begin = usize::try_from(key.hash() >> 32).unwrap_or(0);
        (0..=mask).map(move |step| first + ((begin + step) & mask))
    }
}

impl Literals {
    /// Adds a table of `literals`, no two of them with one text; `None` of none. Those beyond 2^24 - 1 in all are not
    /// found.
    pub(super) fn add(&mut self, literals: Vec<(String, Next)>) -> Option<Table> {
        if literals.is_empty() {
            return None;
        }
        let table = Table::new(self.places.len(), literals.len());
        self.places.resize(table.first() + table.places(), Place::default());
        for (text, next) in literals {
            let key = Key::of(&text);
            let free = table.probes(key).find(|at| self.places[*at].slot().is_none());
            if let Some((at, place)) = free.zip(Place::of(key, self.slots.len())) {
                self.places[at] = place;
            }
            let long = u32::try_from(self.long.len()).unwrap_or(u32::MAX);
            let Key { words, length } = key;
            self.slots.push(Slot { words, length, long, next });
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
            let place = self.places.get(at)?;
            let slot = place.slot()?;
            if !place.may_be(key) {
                continue;
            }
            let slot = self.slots.get(slot)?;
            if slot.key() == key && (segment.len() <= HELD || self.text(slot) == segment) {
                return Some(slot.next);
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
        assert_eq!((size_of::<Slot>(), size_of::<Place>()), (32, 4));
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
            let mut taken = vec![0; table.places()];
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
