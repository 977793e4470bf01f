//! The JSON documents of routes, explanations and health: the same from a running gateway and from a store.
//!
//! Shapes: those of `mesh routes --json`, `mesh explain --json` and `mesh health --json`.

mod explain;
mod health;
mod policies;
mod routes;

pub use explain::{Explanation, explain};
pub use health::{InstanceRow, Verdict, health, report, verdict};
pub use routes::routes;
