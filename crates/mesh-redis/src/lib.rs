//! The mesh's ports on Redis, with the keys and values of the PHP package: a mixed fleet shares them (docs/wire.md, Redis).
//!
//! [`RedisStore`] remembers failures of instances, manifests, and which requests ran. Every fact is one Lua script, so none is lost between
//! processes. No call waits without bound, and after a failure calls fail at once for a moment: a store that is down
//! costs its callers little. Depend on this crate where implementations are chosen; everybody else holds the ports of
//! [`mesh_core::store`].
//!
//! Not here: Redis Cluster (the keys of one script do not share a hash tag) and Sentinel.
//!
//! ```
//! use std::sync::Arc;
//! use mesh_core::store::ManifestStore;
//! use mesh_redis::RedisStore;
//!
//! // Succeeds whether the server is up or not: connections are made when they are needed.
//! let store = RedisStore::connect("redis://127.0.0.1:6379/0", "microservice:")?;
//! let manifests: Arc<dyn ManifestStore> = Arc::new(store);
//! # Ok::<(), mesh_redis::ConnectError>(())
//! ```

mod address;
mod circuit;
mod connect;
mod connector;
mod error;
mod health;
mod idempotency;
mod keys;
mod link;
mod manifest;
mod patience;
mod ttl;
mod warned;

pub use address::ConnectError;
pub use connect::RedisStore;
pub use keys::Keys;
