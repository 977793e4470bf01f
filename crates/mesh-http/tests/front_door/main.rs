//! A service's front door as its callers see it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod health;
mod idempotency;
mod manifest;
mod nesting;
mod request_id;
mod support;
mod trace;
mod verify;
