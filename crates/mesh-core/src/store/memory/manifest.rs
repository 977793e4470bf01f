//! The manifest port in memory.

#[derive(Debug, Default)]
pub(super) struct ManifestMemory;
