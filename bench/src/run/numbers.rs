//! The arithmetic of the report.

use serde::Serialize;

/// The middle of several figures, and how far they lie apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Range {
    /// The middle one, or the mean of the middle two.
    pub(super) median: f64,
    /// The smallest.
    pub(super) min: f64,
    /// The greatest.
    pub(super) max: f64,
}

impl Range {
    /// `None` of nothing.
    pub(super) fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<_> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let (min, max) = (*figures.first()?, *figures.last()?);
        let middle = figures.len() / 2;
        let median = match figures.len() % 2 {
            0 => f64::midpoint(figures[middle - 1], figures[middle]),
            _ => figures[middle],
        };
        Some(Self { median, min, max })
    }

    /// From the smallest to the greatest, as a part of the median.
    pub(super) fn spread(&self) -> f64 {
        (self.max - self.min) / self.median
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_figure_or_the_mean_of_the_middle_two() {
        assert_eq!(Range::of([3.0, 1.0, 2.0]), Some(Range { median: 2.0, min: 1.0, max: 3.0 }));
        assert_eq!(Range::of([4.0, 1.0, 2.0, 3.0]), Some(Range { median: 2.5, min: 1.0, max: 4.0 }));
        assert_eq!(Range::of([7.0]), Some(Range { median: 7.0, min: 7.0, max: 7.0 }));
        assert_eq!(Range::of([]), None);
    }

    #[test]
    fn a_spread_is_a_part_of_the_median() {
        let range = Range { median: 8.0, min: 7.0, max: 9.0 };
        assert!((range.spread() - 0.25).abs() < 1e-12);
    }
}
