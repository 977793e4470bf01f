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
        Begin::Answered(stored, _) if stored != *fingerprint => Verdict::Refuse(Code::IdempotencyKeyReused),
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
