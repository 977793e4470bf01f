//! The gates on the binary that the tests are built with: what a GET costs may not grow unseen.
//!
//! Counts, no times. The same on the binary that users get: `cargo xtask bench gates`.

use std::path::{Path, PathBuf};
use std::process::Command;

const BINARY: &str = env!("CARGO_BIN_EXE_mesh-bench");

/// `MESH_BIN`, as `cargo xtask test` sets it, or the binary beside this crate's own.
#[expect(clippy::disallowed_methods, reason = "the one setting of this test")]
fn mesh() -> PathBuf {
    std::env::var_os("MESH_BIN").map_or_else(|| Path::new(BINARY).with_file_name("mesh"), PathBuf::from)
}

#[test]
fn instructions_system_calls_and_allocations_of_a_get_stay_below_the_committed_numbers() {
    let mut command = Command::new(BINARY);
    command.args(["gates", "--profile", "dev", "--numbers"]);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("gates.json")).arg("--mesh").arg(mesh());
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(
        output.status.success(),
        "{said}\nin order? commit what is counted now: cargo xtask bench --profile dev gates --bless"
    );
}
