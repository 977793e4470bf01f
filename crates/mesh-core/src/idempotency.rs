//! How a request that is sent twice runs once (docs/wire.md, Idempotency).

pub mod answer;
pub mod fingerprint;
pub mod key;
pub mod verdict;
pub mod wire;

pub use answer::{Answer, AnswerBody};
pub use fingerprint::Fingerprint;
pub use key::{IdempotencyKey, KeyError, RequestKey};
