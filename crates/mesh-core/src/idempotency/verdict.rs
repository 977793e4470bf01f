//! What a layer does with a request, given what the store says of its key.

use super::{Answer, AnswerBody, Fingerprint};
use crate::{
    error::Code,
    store::{Begin, Lease},
};

/// What the layer does.
#[derive(Debug)]
pub enum Verdict {
    /// Run the handler under the lease.
    Run(Lease),
    /// Answer with the stored answer, marked as a hit.
    Replay(Answer),
    /// Refuse with this code.
    Refuse(Code),
}

/// Judges what the store said of a request with `fingerprint`.
#[must_use]
pub fn judge(begin: Begin, fingerprint: &Fingerprint) -> Verdict {
    match begin {
        Begin::Fresh(lease) => Verdict::Run(lease),
        Begin::InFlight => Verdict::Refuse(Code::IdempotencyInFlight),
        Begin::Answered(Some(stored), _) if stored != *fingerprint => {
            Verdict::Refuse(Code::IdempotencyKeyReused)
        }
        Begin::Answered(_, Answer { body: AnswerBody::NotKept, .. }) => {
            Verdict::Refuse(Code::IdempotencyNotReplayable)
        }
        Begin::Answered(_, answer) => Verdict::Replay(answer),
        Begin::Unreadable => Verdict::Refuse(Code::IdempotencyUnreadable),
    }
}

/// Whether an answer with this status is stored: only 2xx.
#[must_use]
pub const fn is_stored(status: u16) -> bool {
    matches!(status, 200..=299)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINE: Fingerprint = Fingerprint([1; 32]);

    fn answer(body: AnswerBody) -> Answer {
        Answer { status: 201, headers: Vec::new(), body }
    }

    #[track_caller]
    fn refused(begin: Begin, expected: Code) {
        assert!(matches!(judge(begin, &MINE), Verdict::Refuse(code) if code == expected));
    }

    #[test]
    fn the_same_request_is_answered_with_the_stored_answer() {
        let stored = answer(AnswerBody::Whole("{}".into()));
        let verdict = judge(Begin::Answered(Some(MINE), stored.clone()), &MINE);
        assert!(matches!(verdict, Verdict::Replay(replayed) if replayed == stored));
    }

    #[test]
    fn an_entry_without_a_fingerprint_answers_any_request() {
        let stored = answer(AnswerBody::Whole("{}".into()));
        let verdict = judge(Begin::Answered(None, stored.clone()), &MINE);
        assert!(matches!(verdict, Verdict::Replay(replayed) if replayed == stored));
    }

    #[test]
    fn what_cannot_be_replayed_is_refused_and_never_run_again() {
        refused(Begin::InFlight, Code::IdempotencyInFlight);
        refused(Begin::Unreadable, Code::IdempotencyUnreadable);
        refused(Begin::Answered(Some(MINE), answer(AnswerBody::NotKept)), Code::IdempotencyNotReplayable);
        for body in [AnswerBody::NotKept, AnswerBody::Whole("{}".into())] {
            refused(Begin::Answered(Some(Fingerprint([2; 32])), answer(body)), Code::IdempotencyKeyReused);
        }
    }

    #[test]
    fn only_success_is_stored() {
        let stored: Vec<_> = (100..600).filter(|status| is_stored(*status)).collect();
        assert_eq!((stored.first(), stored.last(), stored.len()), (Some(&200), Some(&299), 100));
    }
}
