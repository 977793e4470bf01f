//! When a good answer counts as a success of its instance: at its head, or once its body has come.
//!
//! An instance whose bodies always break off would never open if each head forgot the failure of the body before it.

use std::time::Duration;

/// For how long a body may be under way until its instance counts as good all the same.
pub const GOOD_AFTER: Duration = Duration::from_secs(5);

/// Media types whose bodies have no end that anybody waits for.
const ENDLESS: [&[u8]; 2] = [b"text/event-stream", b"multipart/x-mixed-replace"];

/// What is still to come of an answer whose head has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToCome {
    /// Nothing: it has no body, or all of it is there.
    Nothing,
    /// A body that has an end.
    Body,
    /// A body that goes on until somebody has enough of it.
    Endless,
}

impl ToCome {
    /// What is to come of an answer with this `Content-Type`; `is_over`: nothing.
    #[must_use]
    pub fn of(is_over: bool, content_type: Option<&[u8]>) -> Self {
        if is_over {
            return Self::Nothing;
        }
        let media_type = content_type.and_then(|value| value.split(|byte| *byte == b';').next());
        let media_type = media_type.unwrap_or_default().trim_ascii();
        if ENDLESS.iter().any(|endless| media_type.eq_ignore_ascii_case(endless)) {
            Self::Endless
        } else {
            Self::Body
        }
    }

    /// Whether the instance's success waits for the body: only where there are `failures` that it would forget.
    #[must_use]
    pub const fn decides(self, failures: u32) -> bool {
        matches!(self, Self::Body) && failures > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_with_an_end_decides_where_failures_would_be_forgotten() {
        for (is_over, content_type, expected) in [
            (true, None, ToCome::Nothing),
            (true, Some("text/event-stream"), ToCome::Nothing),
            (false, None, ToCome::Body),
            (false, Some(""), ToCome::Body),
            (false, Some("application/json"), ToCome::Body),
            (false, Some("text/event-stream-of-mine"), ToCome::Body),
            (false, Some("text/event-stream"), ToCome::Endless),
            (false, Some("Text/Event-Stream ; charset=utf-8"), ToCome::Endless),
            (false, Some("multipart/x-mixed-replace;boundary=a"), ToCome::Endless),
        ] {
            let to_come = ToCome::of(is_over, content_type.map(str::as_bytes));
            assert_eq!(to_come, expected, "{is_over} {content_type:?}");
            assert!(!to_come.decides(0));
            assert_eq!(to_come.decides(1), expected == ToCome::Body);
        }
    }
}
