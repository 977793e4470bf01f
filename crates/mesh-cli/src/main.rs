//! The binary mesh.
fn main() {}
