//! Durations and sizes as people write them: `500ms`, `2m`, `64KiB`.
//!
//! Refuses what is negative, not finite, without a unit, or with an unknown one.

use std::time::Duration;

use serde_json::Value;

/// A text that is no duration or no size. The fault of who wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnitError {
    /// Not a number with one of `ms`, `s`, `m`, `h`.
    #[error("a duration is a number with ms, s, m or h, such as 500ms or 2m")]
    Duration,
    /// Not a whole number, alone or with a unit.
    #[error("a size is a whole number of bytes, or one with B, KB, MB, GB, KiB, MiB or GiB, such as 64KiB")]
    Size,
}

/// Reads a duration: a decimal number and `ms`, `s`, `m` or `h`, e.g. `500ms`, `1.5s`.
///
/// # Errors
///
/// [`UnitError::Duration`].
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let (number, unit) = divide(text);
    let scale = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(UnitError::Duration),
    };
    // Whole milliseconds stay exact: a double holds a third of them only nearly.
    if unit == "ms"
        && let Ok(whole) = number.parse()
    {
        return Ok(Duration::from_millis(whole));
    }
    let plain = number.bytes().filter(|byte| *byte == b'.').count() <= 1
        && number.ends_with(|c: char| c.is_ascii_digit());
    let number: f64 = number.parse().ok().filter(|_| plain).ok_or(UnitError::Duration)?;
    Duration::try_from_secs_f64(number * scale).map_err(|_| UnitError::Duration)
}

/// Reads a size in bytes: a whole number alone, or with `B`, `KB`, `MB`, `GB` (powers of 1,000) or `KiB`, `MiB`, `GiB`
/// (powers of 1,024), e.g. `64KiB`.
///
/// # Errors
///
/// [`UnitError::Size`].
pub fn parse_size(text: &str) -> Result<u64, UnitError> {
    let (number, unit) = divide(text);
    let scale: u64 = match unit {
        "" | "B" => 1,
        "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(UnitError::Size),
    };
    number.parse::<u64>().ok().and_then(|number| number.checked_mul(scale)).ok_or(UnitError::Size)
}

/// A JSON value as a duration: a number of seconds, or a text with a unit; `None` when it is none, or zero.
pub(crate) fn seconds(value: &Value) -> Option<Duration> {
    let duration = match value {
        Value::Number(number) => Duration::try_from_secs_f64(number.as_f64()?).ok()?,
        Value::String(text) => parse_duration(text).ok()?,
        _ => return None,
    };
    (!duration.is_zero()).then_some(duration)
}

/// A JSON value as a size: a number of bytes, or a text; `None` when it is none.
pub(crate) fn bytes(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| parse_size(value.as_str()?).ok())
}

/// Number and unit; one blank between them is allowed.
fn divide(text: &str) -> (&str, &str) {
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    (number, unit.strip_prefix(' ').unwrap_or(unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_with_a_unit() {
        for (text, millis) in [
            ("500ms", 500),
            ("2s", 2_000),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("1.5s", 1_500),
            ("0s", 0),
            ("5 s", 5_000),
            ("0.5ms", 0),
        ] {
            assert_eq!(parse_duration(text).map(|duration| duration.as_millis()), Ok(millis), "{text}");
        }
        for text in [
            "",
            "5",
            "s",
            "-1s",
            "+1s",
            "1e3s",
            "1.s",
            "1..2s",
            "infs",
            "NaNs",
            "2 m ",
            "2M",
            "2sec",
            "5  s",
            "99999999999999999999999h",
        ] {
            assert_eq!(parse_duration(text), Err(UnitError::Duration), "{text}");
        }
    }

    #[test]
    fn a_size_is_a_whole_number_of_bytes_or_one_with_a_unit() {
        for (text, expected) in [
            ("0", 0),
            ("1024", 1024),
            ("16MiB", 16 << 20),
            ("64KiB", 64 << 10),
            ("1GB", 1_000_000_000),
            ("10 B", 10),
            ("2GiB", 2 << 30),
            ("3KB", 3_000),
            ("3MB", 3_000_000),
        ] {
            assert_eq!(parse_size(text), Ok(expected), "{text}");
        }
        for text in ["", "MiB", "1.5MiB", "-1", "1kb", "1K", "1 TiB", "99999999999GiB", "0x10"] {
            assert_eq!(parse_size(text), Err(UnitError::Size), "{text}");
        }
    }
}
