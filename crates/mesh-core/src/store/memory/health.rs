//! The health port in memory.

#[derive(Debug, Default)]
pub(super) struct HealthMemory;
