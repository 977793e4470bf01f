//! Whether a server that failed a moment ago is asked again.

use std::time::Duration;

use mesh_core::clock::Tick;

/// How long calls fail at once after a failure.
pub(crate) const PAUSE: Duration = Duration::from_millis(500);

/// Lets every call through until one fails; then none for [`PAUSE`], then one at a time until one succeeds.
#[derive(Debug, Default)]
pub(crate) struct Circuit {
    /// Absent: the last call was answered. Else nobody asks before that tick.
    closed_until: Option<Tick>,
}

impl Circuit {
    /// Whether the server may be asked now. One who is let through after a failure has `limit` to report; then the
    /// next one is, so that a caller who went away does not close the door for good.
    pub(crate) fn admit(&mut self, now: Tick, limit: Duration) -> bool {
        match self.closed_until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                self.closed_until = Some(now.after(limit));
                true
            }
        }
    }

    /// The server did not answer. True when that is news.
    pub(crate) fn failed(&mut self, now: Tick) -> bool {
        self.closed_until.replace(now.after(PAUSE)).is_none()
    }

    /// The server answered. True when that is news.
    pub(crate) const fn answered(&mut self) -> bool {
        self.closed_until.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(2);
    const START: Tick = Tick(1);

    #[test]
    fn while_it_answers_everybody_is_let_through() {
        let mut circuit = Circuit::default();
        assert!(circuit.admit(START, LIMIT));
        assert!(!circuit.answered());
        assert!(circuit.admit(START, LIMIT));
    }

    #[test]
    fn after_a_failure_nobody_is_let_through_for_the_pause_and_then_one() {
        let mut circuit = Circuit::default();
        assert!(circuit.failed(START), "the first failure is news");
        assert!(!circuit.admit(START, LIMIT));
        assert!(!circuit.admit(Tick(START.after(PAUSE).0 - 1), LIMIT));
        let later = START.after(PAUSE);
        assert!(circuit.admit(later, LIMIT));
        assert!(!circuit.admit(later, LIMIT), "one at a time");
        assert!(!circuit.failed(later), "the second failure is no news");
        assert!(!circuit.admit(later, LIMIT));
    }

    #[test]
    fn an_answer_lets_everybody_through_again() {
        let mut circuit = Circuit::default();
        circuit.failed(START);
        assert!(circuit.admit(START.after(PAUSE), LIMIT));
        assert!(circuit.answered(), "the recovery is news");
        assert!(circuit.admit(START, LIMIT) && circuit.admit(START, LIMIT));
    }

    #[test]
    fn one_who_was_let_through_and_never_reported_does_not_close_the_door() {
        let mut circuit = Circuit::default();
        circuit.failed(START);
        let asked = START.after(PAUSE);
        assert!(circuit.admit(asked, LIMIT));
        assert!(!circuit.admit(Tick(asked.after(LIMIT).0 - 1), LIMIT));
        assert!(circuit.admit(asked.after(LIMIT), LIMIT));
    }
}
