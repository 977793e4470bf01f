//! What tests of the mesh, and of services on it, stand on: a clock moved by hand, a sink that keeps events, an
//! instance on a real socket that answers as it is told, a redis-server of one's own, and what every implementation
//! of a port must do.
//!
//! Only ever a development dependency.

pub mod clock;
pub mod conformance;
pub mod redis;
pub mod sink;
pub mod upstream;

pub use clock::ManualClock;
pub use redis::RedisServer;
pub use sink::RecordingSink;
pub use upstream::{Canned, FakeUpstream, Recorded};
