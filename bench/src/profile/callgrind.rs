//! Reads callgrind's report, with names and positions that are not compressed: what was spent in each crate itself.

use std::collections::BTreeMap;

use super::origin;

/// Instructions by crate.
pub(super) type Costs = BTreeMap<String, u64>;

/// The costs of a whole report; `None` when it is not whole yet.
pub(super) fn costs(report: &str) -> Option<Costs> {
    report.lines().rev().take(10).find(|line| line.starts_with("totals:"))?;
    let mut costs: BTreeMap<(&str, &str, &str), u64> = BTreeMap::new();
    let (mut object, mut file, mut function) = ("", "", "");
    let mut is_call = false;
    for line in report.lines() {
        match line.split_once('=') {
            Some(("ob", name)) => object = name,
            Some(("fl" | "fi" | "fe", name)) => file = name,
            Some(("fn", name)) => function = name,
            // The next line has the cost of what was called: it is counted where it was spent.
            Some(("calls", _)) => is_call = true,
            _ if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) => {
                let cost = line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()?;
                if !std::mem::take(&mut is_call) {
                    *costs.entry((object, file, function)).or_default() += cost;
                }
            }
            _ => {}
        }
    }
    let mut by_crate = Costs::new();
    for ((object, file, function), cost) in costs {
        *by_crate.entry(origin::of(object, file, function)).or_default() += cost;
    }
    Some(by_crate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_counts_for_the_file_it_was_written_in_and_calls_count_where_they_lead() {
        let report = "version: 1\npositions: line\nevents: Ir\n\n\
            ob=/t/mesh\nfl=/r/crates/mesh-gateway/src/door.rs\nfn=mesh_gateway::door::enter\n10 5\n\
            fi=/c/registry/src/x/hyper-1.12.0/src/a.rs\n11 7\nfe=/r/crates/mesh-gateway/src/door.rs\n12 1\n\
            cob=/lib/libc.so.6\ncfi=???\ncfn=memcpy\ncalls=3 0\n12 900\n13 2\n\n\
            ob=/lib/libc.so.6\nfl=???\nfn=memcpy\n0 900\n\ntotals: 915\n";
        let costs = costs(report).unwrap();
        let found: Vec<_> = costs.iter().map(|(name, cost)| (name.as_str(), *cost)).collect();
        assert_eq!(found, [("hyper", 7), ("libc", 900), ("mesh_gateway", 8)]);
    }

    #[test]
    fn half_a_report_is_none() {
        assert_eq!(costs("ob=a\nfl=b\nfn=c\n1 2\n"), None);
    }
}
