//! Every port on every store: the suites of `mesh_testkit::conformance`.

mod memory;
mod redis;
