//! mesh-http.
