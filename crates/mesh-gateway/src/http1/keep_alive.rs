//! How long an instance says that it keeps an idle connection: `Keep-Alive: timeout=5, max=100` (RFC 2068 §19.7.1.1, as
//! servers still send it).

use std::time::Duration;

/// What is left to a request that is on its way when the instance's time is over.
const MARGIN: Duration = Duration::from_secs(1);

/// How long a connection may wait for its next request: the time that the value names, a second less, or half of it where
/// that is more. None: it names no time.
pub(super) fn idle_limit(value: &[u8]) -> Option<Duration> {
    let timeout = value.split(|byte| *byte == b',').find_map(|parameter| {
        let (name, value) = parameter.split_at_checked(parameter.iter().position(|byte| *byte == b'=')?)?;
        name.trim_ascii().eq_ignore_ascii_case(b"timeout").then(|| value[1..].trim_ascii())
    })?;
    if timeout.is_empty() || timeout.len() > 9 || !timeout.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let seconds = timeout.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
    let kept = Duration::from_secs(seconds);
    Some(kept.saturating_sub(MARGIN).max(kept / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, millis: Option<u64>) {
        assert_eq!(idle_limit(value.as_bytes()), millis.map(Duration::from_millis), "{value}");
    }

    #[test]
    fn a_connection_is_left_a_little_before_the_instance_leaves_it() {
        check("timeout=5", Some(4_000));
        check("timeout=5, max=100", Some(4_000));
        check("max=100 , Timeout = 60", Some(59_000));
        check("timeout=2", Some(1_000));
        check("timeout=1", Some(500));
        check("timeout=0", Some(0));
    }

    #[test]
    fn what_names_no_time_says_nothing() {
        for value in
            ["", "5", "max=100", "timeout", "timeout=", "timeout=-1", "timeout=1.5", "timeout=9999999999"]
        {
            check(value, None);
        }
    }
}
