//! From turns of clients to a table and a verdict.

use serde::Serialize;

use crate::caller::Outcome;
use crate::run::numbers::Range;
use crate::run::report::{MOST_SPREAD, Verdict};
use crate::run::table::{range, table};
use crate::run::targets;

/// Whose costs others are divided by.
pub(super) const REQWEST: &str = "plain reqwest";

/// Ours.
pub(super) const MESH: &str = "mesh-client";

/// What a call through ours may cost, by one of plain reqwest's.
const MUST: f64 = 1.15;

/// What one client did in one turn.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Turn {
    /// Whose turn it was.
    pub(super) client: &'static str,
    /// CPU time of its process for each call, in microseconds: the figure.
    pub(super) cpu_us: f64,
    /// As information.
    calls_per_second: f64,
}

/// A run.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ClientDocument {
    date: String,
    machine: String,
    core: u32,
    seconds: f64,
    /// What the run is worth.
    pub(super) verdict: Verdict,
    /// How often it was made: the last time counts, the others the machine was busy.
    pub(super) attempts: u32,
    clients: Vec<ClientReport>,
    rounds: Vec<Vec<Turn>>,
}

/// One client.
#[derive(Clone, Debug, Serialize)]
struct ClientReport {
    name: &'static str,
    /// Microseconds for each call.
    cpu_us: Range,
    /// Of each round: its cost by plain reqwest's.
    to_reqwest: Range,
    /// As information.
    calls_per_second: Range,
}

impl Turn {
    /// Of what a client said.
    pub(super) fn new(client: &'static str, outcome: &Outcome) -> Self {
        let calls = outcome.calls as f64;
        let cpu_us = outcome.cpu_seconds * 1e6 / calls;
        Self { client, cpu_us, calls_per_second: calls / outcome.seconds }
    }
}

impl ClientDocument {
    /// Of the rounds, in each of which those of these names had their turns.
    pub(super) fn new(
        date: String,
        machine: String,
        core: u32,
        seconds: f64,
        names: &[&'static str],
        rounds: Vec<Vec<Turn>>,
    ) -> Self {
        let clients: Vec<_> = names.iter().filter_map(|name| report(&rounds, name)).collect();
        let reference = clients.iter().find(|client| client.name == REQWEST);
        let verdict = match reference {
            Some(reqwest) if reqwest.cpu_us.spread() <= MOST_SPREAD => Verdict::Measured,
            _ => Verdict::Inconclusive,
        };
        Self { date, machine, core, seconds, verdict, attempts: 1, clients, rounds }
    }

    /// For people.
    pub(super) fn render(&self) -> String {
        let mesh = self.clients.iter().find(|client| client.name == MESH).map(|client| client.to_reqwest);
        let mut target = table(&["target", "must", "aim", "measured", ""]);
        let text = mesh.map(|to| range(to, 2));
        let median = mesh.map(|to| to.median);
        target.add_row(targets::row("mesh-client call ÷ plain reqwest call", MUST, None, "", median, text));
        let mut costs = table(&["client", "CPU µs/call", "÷ plain reqwest", "calls/s"]);
        for client in &self.clients {
            let rate = format!("{:.0}", client.calls_per_second.median);
            costs.add_row([
                client.name.to_owned(),
                range(client.cpu_us, 2),
                range(client.to_reqwest, 2),
                rate,
            ]);
        }
        let Self { date, machine, core, seconds, rounds, .. } = self;
        let mut parts = vec![
            format!("{date}; {machine}. {} rounds, {seconds} s a turn, core {core}.", rounds.len()),
            target.to_string(),
            costs.to_string(),
        ];
        if self.verdict == Verdict::Inconclusive {
            let words =
                "INCONCLUSIVE: plain reqwest's own figures lie more than 15 % apart, the machine was busy";
            parts.push(words.to_owned());
        }
        if self.attempts > 1 {
            let busy = if self.verdict == Verdict::Inconclusive { "each time" } else { "the times before" };
            parts.push(format!("Measured {} times: the machine was busy {busy}.", self.attempts));
        }
        parts.join("\n\n")
    }
}

fn report(rounds: &[Vec<Turn>], name: &'static str) -> Option<ClientReport> {
    let of = |turns: &[Turn], name: &str| turns.iter().find(|turn| turn.client == name).cloned();
    let own: Vec<_> = rounds.iter().filter_map(|turns| of(turns, name)).collect();
    let ratios = rounds.iter().filter_map(|turns| Some(of(turns, name)?.cpu_us / of(turns, REQWEST)?.cpu_us));
    Some(ClientReport {
        name,
        cpu_us: Range::of(own.iter().map(|turn| turn.cpu_us))?,
        to_reqwest: Range::of(ratios)?,
        calls_per_second: Range::of(own.iter().map(|turn| turn.calls_per_second))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(costs: &[(f64, f64)]) -> ClientDocument {
        let turn = |client, cpu_us| Turn { client, cpu_us, calls_per_second: 1.0 };
        let rounds = costs.iter().map(|(reqwest, mesh)| vec![turn(REQWEST, *reqwest), turn(MESH, *mesh)]);
        ClientDocument::new(String::new(), String::new(), 0, 1.0, &[REQWEST, MESH], rounds.collect())
    }

    #[test]
    fn the_ratio_is_taken_within_each_round_and_compared_with_the_target() {
        let reached = document(&[(10.0, 11.0), (10.5, 10.5), (10.0, 12.0)]);
        let to = reached.clients[1].to_reqwest;
        assert!((to.median - 1.1).abs() < 1e-9 && (to.min - 1.0).abs() < 1e-9, "{to:?}");
        assert!(reached.render().contains("1.10 (1.00-1.20) | reached"), "{}", reached.render());
        assert!(document(&[(10.0, 11.6)]).render().contains("MISSED"));
    }

    #[test]
    fn a_spread_of_the_reference_above_15_percent_is_inconclusive() {
        assert_eq!(document(&[(10.0, 10.0), (10.0, 14.0), (11.5, 10.0)]).verdict, Verdict::Measured);
        assert_eq!(document(&[(10.0, 10.0), (10.0, 10.0), (11.6, 10.0)]).verdict, Verdict::Inconclusive);
    }
}
