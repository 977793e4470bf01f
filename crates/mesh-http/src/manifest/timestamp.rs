//! The moment that a manifest carries, as the package writes it: RFC 3339, UTC, whole seconds.

use mesh_core::clock::UnixMillis;

const SECONDS_PER_DAY: u64 = 86_400;

/// `at` as `2026-02-10T12:00:00+00:00`.
pub(super) fn rfc3339(at: UnixMillis) -> String {
    let seconds = at.seconds();
    let (year, month, day) = date(seconds / SECONDS_PER_DAY);
    let of_day = seconds % SECONDS_PER_DAY;
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}+00:00")
}

/// The date `days` after 1970-01-01, in the Gregorian calendar.
///
/// Source: Howard Hinnant, chrono-Compatible Low-Level Date Algorithms, `civil_from_days`.
const fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seconds: u64, expected: &str) {
        assert_eq!(rfc3339(UnixMillis::from_seconds(seconds)), expected);
    }

    #[test]
    fn a_moment_is_written_in_utc_with_its_offset() {
        check(0, "1970-01-01T00:00:00+00:00");
        check(951_782_399, "2000-02-28T23:59:59+00:00");
        check(951_782_400, "2000-02-29T00:00:00+00:00");
        check(1_709_251_199, "2024-02-29T23:59:59+00:00");
        check(1_770_724_800, "2026-02-10T12:00:00+00:00");
        check(1_798_761_599, "2026-12-31T23:59:59+00:00");
        check(4_107_542_400, "2100-03-01T00:00:00+00:00");
    }
}
