//! The second training: a laid out gateway is the optimized one with its code moved (LLVM's BOLT), so that what runs together
//! stands together over the bounds of functions as well, and what never ran stands apart.
//!
//! Functions that the loads never ran stay what and where they are; so does assembly, whose compiler nobody is.

use std::path::{Path, PathBuf};
use std::process::Command;

/// For the linker: with what it resolved left in the binary, functions can be moved.
pub(super) const FLAG: &str = "-Clink-arg=-Wl,--emit-relocs";

/// Written by people, with paths for processors that the training does not have.
const ASSEMBLY: &str = "-skip-funcs=ring_core.*";

/// Where everything lies.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    /// The tool.
    pub(super) bolt: &'a Path,
    /// The optimized gateway.
    pub(super) built: &'a Path,
    /// The same, which counts every branch.
    pub(super) counting: PathBuf,
    /// What that one writes at its end. Each process writes the file anew: `mesh register` too, which ends before the gateway.
    pub(super) branches: PathBuf,
    /// The gateway with its code moved.
    pub(super) mesh: &'a Path,
}

impl Layout<'_> {
    /// Makes the gateway that counts.
    pub(super) fn instrument(&self) -> Command {
        let mut instrument = self.bolt(&self.counting);
        instrument.args(["-instrument", ASSEMBLY, "--instrumentation-sleep-time=0"]);
        instrument.arg("--instrumentation-wait-forks=0");
        instrument.arg(format!("--instrumentation-file={}", self.branches.display()));
        instrument
    }

    /// Moves the code; fails without counts. No `-use-gnu-stack`: without that header the stacks of threads are executable.
    pub(super) fn optimize(&self) -> Command {
        let mut optimize = self.bolt(self.mesh);
        optimize.arg(format!("-data={}", self.branches.display()));
        optimize.args([ASSEMBLY, "-reorder-blocks=ext-tsp", "-reorder-functions=cdsort"]);
        optimize.args(["-split-functions", "-split-all-cold", "-split-eh", "-no-huge-pages", "-dyno-stats"]);
        optimize
    }

    fn bolt(&self, output: &Path) -> Command {
        let mut bolt = Command::new(self.bolt);
        bolt.arg(self.built).arg("-o").arg(output);
        bolt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_optimized_gateway_is_counted_and_laid_out_by_that() {
        let (bolt, built, mesh) = (Path::new("bolt"), Path::new("/b/mesh"), Path::new("/p/mesh"));
        let (counting, branches) = ("/p/mesh-counting".into(), "/p/mesh.fdata".into());
        let layout = Layout { bolt, built, counting, branches, mesh };
        let words = |command: Command| -> Vec<_> {
            assert_eq!(command.get_program(), "bolt");
            command.get_args().map(|word| word.to_string_lossy().into_owned()).collect()
        };
        let counting = words(layout.instrument());
        assert_eq!(counting[..4], ["/b/mesh", "-o", "/p/mesh-counting", "-instrument"]);
        assert!(counting.contains(&"--instrumentation-file=/p/mesh.fdata".to_owned()));
        let optimized = words(layout.optimize());
        assert_eq!(optimized[..4], ["/b/mesh", "-o", "/p/mesh", "-data=/p/mesh.fdata"]);
        assert!([counting, optimized].iter().all(|words| words.contains(&ASSEMBLY.to_owned())));
    }
}
