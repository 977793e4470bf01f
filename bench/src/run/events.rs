//! How late events of a stream (text/event-stream) reach a client: through the gateway, and without it.

mod source;

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde::Serialize;

use super::case::EVENTS;
use super::gateway::{self, Gateway, PLAIN, Routes};
use super::peer::Place;
use super::process::Cores;
use super::proxy::Proxy;
use super::report::Verdict;
use super::table::attempts;
use crate::exchange::connect;
use crate::load::percentile;
use crate::{clock, output};
use source::{PER_STREAM, source};

/// Without a proxy 99 of 100 events come sooner than this, in microseconds, or the machine had other things to do.
const MOST_LATE_US: u32 = 1000;

/// Streams at a time.
const STREAMS: usize = 16;

/// The way without a proxy.
const NOTHING: &str = "nothing";

/// What events took from a service's write to a client's read.
#[derive(Clone, Debug, Serialize)]
pub(super) struct EventDelays {
    /// Through what.
    pub(super) through: &'static str,
    /// Events.
    pub(super) events: usize,
    /// Half of them took no longer, in microseconds.
    pub(super) p50_us: u32,
    /// 99 of 100 took no longer, in microseconds.
    pub(super) p99_us: u32,
    /// None took longer, in microseconds.
    pub(super) most_us: u32,
}

/// What a run found.
#[derive(Clone, Debug, Serialize)]
pub(super) struct EventReport {
    /// What it is worth.
    pub(super) verdict: Verdict,
    /// How often it was measured: the last time counts, the others the machine was busy.
    pub(super) attempts: u32,
    /// Through nothing, and through a gateway.
    pub(super) delays: Vec<EventDelays>,
}

impl EventReport {
    fn new(delays: Vec<EventDelays>) -> Self {
        let was_busy = delays.iter().any(|row| row.through == NOTHING && row.p99_us > MOST_LATE_US);
        let verdict = if was_busy { Verdict::Inconclusive } else { Verdict::Measured };
        Self { verdict, attempts: 1, delays }
    }

    /// What the tables do not say.
    pub(super) fn remarks(&self) -> Option<String> {
        let inconclusive =
            "events: INCONCLUSIVE: they were late without a proxy as well, the machine was busy";
        let busy = (self.verdict == Verdict::Inconclusive).then(|| inconclusive.to_owned());
        let remarks: Vec<_> = busy.into_iter().chain(attempts(EVENTS, self.verdict, self.attempts)).collect();
        (!remarks.is_empty()).then(|| remarks.join("\n\n"))
    }
}

/// Of streams without a proxy, and of streams through a gateway.
///
/// # Errors
///
/// When the gateway does not start, or a stream does not bring all its events.
pub(super) fn measure(cores: &Cores, folder: &Path, mesh: &Path) -> anyhow::Result<EventReport> {
    let begun = clock::now();
    let source = source(begun)?;
    let folder = tempfile::Builder::new().prefix("events-").tempdir_in(folder)?;
    let place = Place { cores, folder: folder.path(), workers: 1, plain: source, checking: source };
    let gateway = Gateway::start(&place, mesh, Routes::Few, &[])?;
    let delays = [(NOTHING, source), (gateway::NAME, gateway.address())].map(|(through, target)| {
        let delays = delays(through, target, begun).with_context(|| format!("void: {EVENTS}: {through}"))?;
        output::progress(&format!("{EVENTS}: through {through}: p99 {} µs", delays.p99_us));
        Ok(delays)
    });
    Ok(EventReport::new(delays.into_iter().collect::<anyhow::Result<_>>()?))
}

fn delays(through: &'static str, target: SocketAddr, begun: Instant) -> anyhow::Result<EventDelays> {
    let readers: Vec<_> = (0..STREAMS).map(|_| thread::spawn(move || read(target, begun))).collect();
    let mut delays = Vec::new();
    for reader in readers {
        delays.extend(reader.join().ok().context("a reader panicked")??);
    }
    delays.sort_unstable();
    Ok(EventDelays {
        through,
        events: delays.len(),
        p50_us: percentile(&delays, 50),
        p99_us: percentile(&delays, 99),
        most_us: percentile(&delays, 100),
    })
}

/// The delays of the events of one stream, in microseconds.
fn read(target: SocketAddr, begun: Instant) -> anyhow::Result<Vec<u32>> {
    let mut stream = connect(target)?;
    write!(stream, "GET {PLAIN} HTTP/1.1\r\nHost: {target}\r\nAccept: text/event-stream\r\n\r\n")?;
    let (mut text, mut scratch, mut delays) = (String::new(), [0; 4096], Vec::new());
    while delays.len() < PER_STREAM {
        let length = stream.read(&mut scratch)?;
        let now = clock::now() - begun;
        ensure!(length > 0, "the stream ended after {} events", delays.len());
        text.push_str(std::str::from_utf8(&scratch[..length])?);
        while let Some(sent) = next_event(&mut text) {
            let took = now.saturating_sub(Duration::from_nanos(sent));
            delays.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
        }
    }
    Ok(delays)
}

/// Takes the first whole event out of what came, whatever stands before it: when it was sent.
fn next_event(text: &mut String) -> Option<u64> {
    let (before, after) = text.split_once("data: ")?;
    let (data, _) = after.split_once("\n\n")?;
    let sent = data.parse().ok();
    text.drain(..before.len() + "data: ".len() + data.len());
    sent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_taken_when_it_is_whole() {
        let mut text = "HTTP/1.1 200 OK\r\n\r\n9\r\ndata: 12\n".to_owned();
        assert_eq!(next_event(&mut text), None);
        text.push_str("\n\r\n9\r\ndata: 345\n\n");
        assert_eq!((next_event(&mut text), next_event(&mut text)), (Some(12), Some(345)));
        assert_eq!(next_event(&mut text), None);
    }

    #[test]
    fn events_that_are_late_without_a_proxy_decide_nothing() {
        let report = |nothing, mesh| {
            let row =
                |(through, p99_us)| EventDelays { through, events: 1, p50_us: 1, p99_us, most_us: p99_us };
            EventReport::new([(NOTHING, nothing), (gateway::NAME, mesh)].map(row).to_vec())
        };
        assert_eq!(report(MOST_LATE_US, 9000).verdict, Verdict::Measured);
        assert_eq!(report(MOST_LATE_US, 9000).remarks(), None);
        let busy = report(MOST_LATE_US + 1, 400);
        assert_eq!(busy.verdict, Verdict::Inconclusive);
        assert!(busy.remarks().unwrap().contains("INCONCLUSIVE"));
    }

    #[test]
    fn each_stream_brings_all_its_events() {
        let begun = clock::now();
        let delays = delays(NOTHING, source(begun).unwrap(), begun).unwrap();
        assert_eq!(delays.events, STREAMS * PER_STREAM);
    }
}
