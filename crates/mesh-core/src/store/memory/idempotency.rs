//! The idempotency port in memory.

#[derive(Debug, Default)]
pub(super) struct IdempotencyMemory;
