//! Which instance is tried first: healthy ones, then one probe, then the rest as a last resort.

use super::BreakerState;

/// What is known of one instance when a call begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceFacts {
    /// Its breaker.
    pub state: BreakerState,
    /// Attempts under way from this process.
    pub outstanding: u32,
    /// Whether a probe of the half-open instance is under way from this process.
    pub probing: bool,
}

/// The indices of `instances` in the order in which a call tries them.
///
/// Healthy ones by fewest outstanding attempts, ties rotated by `rotation`; then one half-open one that
/// nobody probes; then all others (docs/wire.md, Client). Every index stands in the result once.
#[must_use]
pub fn order(instances: &[InstanceFacts], rotation: usize) -> Vec<usize> {
    let _ = (instances, rotation);
    todo!()
}
