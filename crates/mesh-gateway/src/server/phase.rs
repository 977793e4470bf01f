//! For how long a connection may wait.

use std::time::Duration;

use crate::settings::Limits;

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It was opened, and has said nothing.
    Fresh,
    /// It waits for its next request.
    Idle,
    /// A request's head is arriving.
    Head,
}

/// How long a connection may linger after the gateway's last word.
pub(super) const LINGER: Duration = Duration::from_secs(2);

/// How long a connection without a request is kept after the gateway began to end.
pub(super) const LAST_CALL: Duration = Duration::from_millis(500);

/// What the alarm finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    /// Nothing; look again after this long.
    Not(Duration),
    /// It waited for a request for too long.
    Idle,
    /// The head did not end in time.
    Head,
}

impl Phase {
    /// What is overdue after `waited`; `is_stopped`: the gateway takes the last requests.
    pub(super) fn overdue(self, waited: Duration, limits: &Limits, is_stopped: bool) -> Overdue {
        let longest = if is_stopped { LAST_CALL } else { Duration::MAX };
        let (limit, overdue) = match self {
            Self::Fresh => (limits.head_timeout.min(longest), Overdue::Idle),
            Self::Idle => (limits.idle_timeout.min(longest), Overdue::Idle),
            Self::Head => (limits.head_timeout, Overdue::Head),
        };
        if waited >= limit { overdue } else { Overdue::Not(limit.saturating_sub(waited)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(phase: Phase, waited: u64, is_stopped: bool, expected: Overdue) {
        let limits = Limits {
            head_timeout: Duration::from_millis(1_000),
            idle_timeout: Duration::from_millis(9_000),
            ..Limits::default()
        };
        assert_eq!(phase.overdue(Duration::from_millis(waited), &limits, is_stopped), expected);
    }

    const fn not(millis: u64) -> Overdue {
        Overdue::Not(Duration::from_millis(millis))
    }

    #[test]
    fn each_wait_has_its_limit() {
        check(Phase::Fresh, 999, false, not(1));
        check(Phase::Fresh, 1_000, false, Overdue::Idle);
        check(Phase::Idle, 8_000, false, not(1_000));
        check(Phase::Idle, 9_000, false, Overdue::Idle);
        check(Phase::Head, 1, false, not(999));
        check(Phase::Head, 1_000, false, Overdue::Head);
    }

    #[test]
    fn at_the_end_only_a_head_that_has_begun_keeps_its_time() {
        check(Phase::Fresh, 100, true, not(400));
        check(Phase::Idle, 500, true, Overdue::Idle);
        check(Phase::Head, 500, true, not(500));
    }
}
