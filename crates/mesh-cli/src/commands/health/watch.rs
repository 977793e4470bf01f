//! `mesh health --watch`: the same every second, until the process is told to end.
//!
//! On a terminal the table is drawn anew; elsewhere what changed is appended, with the time. Who does not answer for a
//! while is told once, and asked again.

use std::{pin::pin, time::Duration};

use jiff::Timestamp;
use mesh_core::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};
use tokio::time::MissedTickBehavior;

use super::{judge, table};
use crate::{
    args::FailOn,
    commands::{
        gateway::told_to_end,
        state::{Document, State},
    },
    exit::{Exit, Failure},
    output::Output,
};

const PERIOD: Duration = Duration::from_secs(1);

/// What the watch knows.
#[derive(Debug, Default)]
struct Seen {
    instances: Option<Vec<Value>>,
    /// Whether the last question had no answer.
    is_away: bool,
}

/// Watches. Ends with the exit code of the last answer: 3 when the last question had none.
///
/// # Errors
///
/// When the first question has no answer: then an address is more likely wrong than somebody away.
pub(crate) async fn run(state: &State<'_>, fail_on: FailOn, output: &Output) -> Result<Exit, Failure> {
    let mut told = pin!(told_to_end()?);
    let mut turns = tokio::time::interval(PERIOD);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut seen, mut exit) = (Seen::default(), Exit::Ok);
    loop {
        let answer = async {
            turns.tick().await;
            state.document(&Document::Instances).await
        };
        let answer = tokio::select! {
            () = &mut told => return Ok(exit),
            answer = answer => answer,
        };
        exit = match answer {
            Ok(document) => {
                let instances = document["services"].as_array().cloned().unwrap_or_default();
                let exit = judge(&instances, fail_on);
                seen.show(instances, output);
                exit
            }
            Err(failure) if seen.instances.is_none() => return Err(failure),
            Err(failure) => {
                seen.miss(&failure, output);
                Exit::Unreachable
            }
        };
        if output.is_over() {
            return Ok(exit);
        }
    }
}

impl Seen {
    fn show(&mut self, instances: Vec<Value>, output: &Output) {
        if self.is_away {
            output.message(format_args!("{} it answers again", stamp()));
            self.is_away = false;
        }
        let now = SystemClock.unix().seconds();
        if output.json {
            if self.instances.as_ref() != Some(&instances) {
                output.line(json!({ "time": now, "services": instances }));
            }
        } else if output.clear_screen() {
            output.line(stamp());
            table(&instances, output);
        } else {
            let changed = self.changed(&instances);
            if self.instances.is_none() || !changed.is_empty() {
                output.line(stamp());
                table(&changed, output);
            }
        }
        self.instances = Some(instances);
    }

    fn miss(&mut self, failure: &Failure, output: &Output) {
        if !self.is_away {
            output.message(format_args!(
                "{} {}; it is asked again every second",
                stamp(),
                failure.lines.join("; ")
            ));
            self.is_away = true;
        }
    }

    /// The rows that are new or differ from what was seen; those that are no more, with the status `gone`.
    fn changed(&self, instances: &[Value]) -> Vec<Value> {
        let before = self.instances.as_deref().unwrap_or_default();
        let mut changed: Vec<Value> = instances.iter().filter(|row| !before.contains(row)).cloned().collect();
        let is_there = |gone: &Value| {
            instances.iter().any(|row| row["service"] == gone["service"] && row["url"] == gone["url"])
        };
        changed.extend(before.iter().filter(|row| !is_there(row)).cloned().map(|mut row| {
            row["status"] = "gone".into();
            row
        }));
        changed
    }
}

/// The time, e.g. `2026-11-21 00:19:32 UTC`.
fn stamp() -> String {
    let seconds = i64::try_from(SystemClock.unix().seconds()).unwrap_or_default();
    Timestamp::from_second(seconds).unwrap_or_default().strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rows_that_changed_are_told_and_those_that_are_no_more() {
        let row = |url: &str, status: &str| json!({ "service": "a", "url": url, "status": status });
        let mut seen = Seen::default();
        let first = vec![row("1", "healthy"), row("2", "healthy"), row("3", "healthy")];
        assert_eq!(seen.changed(&first), first);
        seen.instances = Some(first.clone());
        assert_eq!(seen.changed(&first), Vec::<Value>::new());
        let then = [row("1", "healthy"), row("2", "unhealthy"), row("4", "healthy")];
        assert_eq!(seen.changed(&then), [row("2", "unhealthy"), row("4", "healthy"), row("3", "gone")]);
    }
}
