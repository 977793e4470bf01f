//! mesh-testkit.
