//! What was held, as a table.

use serde::Serialize;

use crate::run::table::table;

/// In bytes.
pub(super) const MIB: u64 = 1024 * 1024;

/// A run.
#[derive(Clone, Debug, Serialize)]
pub(super) struct MemoryDocument {
    /// When, UTC.
    pub(super) date: String,
    /// Processor, cores and kernel.
    pub(super) machine: String,
    /// How the gateway was built.
    pub(super) built: String,
    /// One for each thing that a gateway went through.
    pub(super) rows: Vec<Row>,
}

/// One gateway.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    /// What it went through.
    pub(super) name: String,
    /// VmRSS with its routes, before that, in KiB.
    pub(super) before_kib: u64,
    /// VmHWM, the most meanwhile, in KiB.
    pub(super) peak_kib: u64,
    /// VmRSS when it was done, or while it lasts, in KiB.
    pub(super) after_kib: u64,
    /// Pss at the same time, in KiB.
    pub(super) after_pss_kib: u64,
    /// What the most may be, in MiB.
    pub(super) bound_mib: u64,
}

impl Row {
    const fn is_bounded(&self) -> bool {
        self.peak_kib <= self.bound_mib * 1024
    }
}

impl MemoryDocument {
    /// Whether every gateway stayed in its bound.
    pub(super) fn is_bounded(&self) -> bool {
        self.rows.iter().all(Row::is_bounded)
    }

    /// For people.
    pub(super) fn render(&self) -> String {
        let mut rows =
            table(&["a gateway with one worker", "must", "RSS at most", "before", "then", "then PSS", ""]);
        for row in &self.rows {
            let mib = |kib: u64| format!("{:.1} MiB", kib as f64 / 1024.0);
            rows.add_row([
                row.name.clone(),
                format!("≤ {} MiB", row.bound_mib),
                mib(row.peak_kib),
                mib(row.before_kib),
                mib(row.after_kib),
                mib(row.after_pss_kib),
                if row.is_bounded() { "reached" } else { "MISSED" }.to_owned(),
            ]);
        }
        format!("{}; {}; mesh: {}.\n\n{rows}", self.date, self.machine, self.built)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_missed_above_its_bound() {
        let row = |peak_kib| Row {
            name: "a".to_owned(),
            before_kib: 1,
            peak_kib,
            after_kib: 2,
            after_pss_kib: 2,
            bound_mib: 1,
        };
        let document = |peak| {
            let built = "plain".to_owned();
            MemoryDocument { date: String::new(), machine: String::new(), built, rows: vec![row(peak)] }
        };
        assert!(document(1).render().contains("mesh: plain."));
        assert!(document(1024).is_bounded() && document(1024).render().contains("| reached"));
        assert!(!document(1025).is_bounded() && document(1025).render().contains("| MISSED"));
    }
}
