//! RFC 3339 timestamps, as manifests carry them.

use crate::clock::UnixMillis;

const DAY: u64 = 86_400;

/// The moment in UTC, whole seconds: `2026-02-10T12:00:00+00:00`.
pub(super) fn format(now: UnixMillis) -> String {
    let seconds = now.seconds();
    let (year, month, day) = civil(seconds / DAY);
    let rest = seconds % DAY;
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}+00:00", rest / 3600, rest / 60 % 60, rest % 60)
}

/// Milliseconds since the Unix epoch of an RFC 3339 timestamp with any offset; `None` when it is none.
pub(super) fn parse(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if !text.is_ascii() || bytes.len() < 20 {
        return None;
    }
    let marks = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    if marks.iter().any(|(at, mark)| bytes[*at] != *mark) || !matches!(bytes[10], b'T' | b't' | b' ') {
        return None;
    }
    let (year, month, day) = (digits(&text[..4])?, digits(&text[5..7])?, digits(&text[8..10])?);
    let (hour, minute, second) = (digits(&text[11..13])?, digits(&text[14..16])?, digits(&text[17..19])?);
    // 60 is a leap second.
    if !(1..=12).contains(&month)
        || day < 1
        || day > month_days(year, month)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    let (millis, offset) = fraction(&text[19..])?;
    let seconds =
        days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset_seconds(offset)?;
    Some(seconds * 1000 + millis)
}

fn digits(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// The milliseconds of `.123456…`, where there are any, and what follows.
fn fraction(rest: &str) -> Option<(i64, &str)> {
    let Some(after) = rest.strip_prefix('.') else { return Some((0, rest)) };
    let end = after.find(|c: char| !c.is_ascii_digit()).filter(|end| *end > 0)?;
    let millis: String = after[..end].chars().chain("00".chars()).take(3).collect();
    Some((digits(&millis)?, &after[end..]))
}

/// Seconds east of UTC.
fn offset_seconds(offset: &str) -> Option<i64> {
    if matches!(offset, "Z" | "z") {
        return Some(0);
    }
    let sign = match offset.as_bytes() {
        [b'+', _, _, b':', _, _] => 1,
        [b'-', _, _, b':', _, _] => -1,
        _ => return None,
    };
    let (hours, minutes) = (digits(&offset[1..3])?, digits(&offset[4..6])?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

const fn month_days(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date of the Gregorian calendar. Source: Howard Hinnant, "chrono-compatible low-level date
/// algorithms", `days_from_civil`.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The date `days` after 1970-01-01. Source: the same, `civil_from_days`.
const fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_moment_is_written_in_utc_with_an_offset_as_the_package_does() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00+00:00"),
            (951_782_400, "2000-02-29T00:00:00+00:00"),
            (1_770_724_800, "2026-02-10T12:00:00+00:00"),
            (1_795_221_172, "2026-11-21T00:32:52+00:00"),
            (4_102_444_799, "2099-12-31T23:59:59+00:00"),
        ] {
            assert_eq!(format(UnixMillis::from_seconds(seconds)), expected);
        }
    }

    #[test]
    fn offsets_and_fractions_are_read() {
        let noon = Some(1_770_724_800_000);
        for text in [
            "2026-02-10T12:00:00+00:00",
            "2026-02-10T12:00:00Z",
            "2026-02-10t12:00:00z",
            "2026-02-10 12:00:00Z",
            "2026-02-10T14:30:00+02:30",
            "2026-02-09T23:00:00-13:00",
            "2026-02-10T11:59:60Z",
        ] {
            assert_eq!(parse(text), noon, "{text}");
        }
        assert_eq!(parse("2026-02-10T12:00:00.5Z"), Some(1_770_724_800_500));
        assert_eq!(parse("2026-02-10T12:00:00.123456789+00:00"), Some(1_770_724_800_123));
        assert_eq!(parse("1969-12-31T23:59:59Z"), Some(-1_000));
    }

    #[test]
    fn what_is_no_rfc_3339_timestamp_is_none() {
        for text in [
            "",
            "now",
            "2026-02-10",
            "2026-02-10T12:00:00",
            "2026-13-10T12:00:00Z",
            "2026-00-10T12:00:00Z",
            "2026-02-30T12:00:00Z",
            "2025-02-29T12:00:00Z",
            "1900-02-29T12:00:00Z",
            "2026-02-10T24:00:00Z",
            "2026-02-10T12:60:00Z",
            "2026-02-10T12:00:61Z",
            "2026-02-10T12:00:00.Z",
            "2026-02-10T12:00:00+0000",
            "2026-02-10T12:00:00+24:00",
            "2026-02-10T12:00:00Zx",
            "+026-02-10T12:00:00Z",
            "2026-02-10T12:00:00ü",
            "2026/02/10T12:00:00Z",
            "1770724800",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(seconds in 0_u64..250_000_000_000) {
            let text = format(UnixMillis::from_seconds(seconds));
            prop_assert_eq!(parse(&text), i64::try_from(seconds * 1000).ok());
        }
    }
}
