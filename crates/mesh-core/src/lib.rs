//! What the mesh decides.
//!
//! Every rule is a function of its arguments: nothing here opens a socket, reads a clock (but for
//! [`clock::SystemClock`] and [`entropy::SystemEntropy`], which no rule calls) or logs. Shells
//! (`mesh-client`, `mesh-http`, `mesh-gateway`) carry decisions out; stores (`mesh-redis`, and the
//! in-memory [`store::memory`]) remember facts.
//!
//! Depend on this crate to write a store, a transport or a test; a service depends on `mesh-http`,
//! a caller on `mesh-client`, an edge node on `mesh-gateway`.
//!
//! ```
//! use mesh_core::route::pattern::Pattern;
//!
//! let pattern = Pattern::parse("/api/products/{product}")?;
//! assert!(pattern.matches("/api/products/42"));
//! # Ok::<(), mesh_core::route::pattern::PatternError>(())
//! ```

pub mod call;
pub mod clock;
mod crypto;
pub mod entropy;
pub mod error;
pub mod event;
pub mod forward;
pub mod header;
pub mod health;
pub mod idempotency;
pub mod name;
pub mod percent;
pub mod retry;
pub mod route;
pub mod secret;
pub mod service;
pub mod signature;
pub mod store;
pub mod trace;
pub mod units;
