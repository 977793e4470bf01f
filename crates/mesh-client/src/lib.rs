//! mesh-client.
