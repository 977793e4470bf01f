//! What tests of the mesh, and of services on it, stand on: a clock moved by hand, a sink that keeps events.
//!
//! Only ever a development dependency.

pub mod clock;
pub mod sink;

pub use clock::ManualClock;
pub use sink::RecordingSink;
