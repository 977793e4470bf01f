//! Rows that are added and never taken out, found by their number without a lock.

use std::sync::OnceLock;

/// Rows of the first block; each further one is twice as large as the one before.
const FIRST: usize = 32;
/// Room for more routes than memory has.
const BLOCKS: usize = 24;

/// Rows by number. A row that was never asked for costs nothing, but for its neighbours in the block.
#[derive(Debug)]
pub(super) struct Rows<T> {
    blocks: [OnceLock<Box<[T]>>; BLOCKS],
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { blocks: [const { OnceLock::new() }; BLOCKS] }
    }
}

impl<T: Default> Rows<T> {
    /// The row of this number, made when it is asked for; `None` beyond what memory holds.
    pub(super) fn get(&self, number: usize) -> Option<&T> {
        let (block, offset) = place(number)?;
        let rows =
            self.blocks.get(block)?.get_or_init(|| (0..FIRST << block).map(|_| T::default()).collect());
        rows.get(offset)
    }

    /// The row of this number if somebody asked for it.
    pub(super) fn known(&self, number: usize) -> Option<&T> {
        let (block, offset) = place(number)?;
        self.blocks.get(block)?.get()?.get(offset)
    }
}

fn place(number: usize) -> Option<(usize, usize)> {
    let shifted = number.checked_add(FIRST)?;
    let block = (shifted.ilog2() - FIRST.ilog2()) as usize;
    Some((block, shifted - (FIRST << block)))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn every_number_has_a_row_of_its_own() {
        let rows = Rows::<AtomicUsize>::default();
        assert!(rows.known(0).is_none());
        for number in 0..1_000 {
            rows.get(number).unwrap().store(number + 1, Ordering::Relaxed);
        }
        for number in 0..1_000 {
            assert_eq!(rows.known(number).unwrap().load(Ordering::Relaxed), number + 1);
        }
        assert!(rows.get(usize::MAX).is_none());
    }
}
