//! mesh-gateway.
