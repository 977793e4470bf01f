//! Calls to other services: signed, retried, failed over, with the call's rules taken from `mesh-core`.
//!
//! Depend on this crate to call services. It does not serve: see `mesh-http`.

pub mod driver;
pub mod report;
