//! mesh-core.
