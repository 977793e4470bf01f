//! The clients before the proxies: a loop over connections that are kept, on one thread.
//!
//! Closed: each connection sends its next request when it has its answer. Under a proxy that is slow it sends less, so its
//! latencies say little and are reported as information; what a request costs the proxy does not depend on it.
//! With `--rate` open: requests begin when they should, whatever the answers do (paced.rs).
//! With `--sliced` closed, and in slices that somebody else begins (sliced.rs).

mod answer;
mod connection;
mod paced;
mod sliced;
mod tally;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context;
use mio::{Events, Poll, Token};

pub(crate) use answer::head;
pub(crate) use sliced::{READY, RESTS, in_slices};
pub(crate) use tally::{Outcome, percentile};

use crate::{clock, output, payload};
use connection::{Connection, Progress};
use tally::Tally;

/// The most that is read at once.
const SCRATCH: usize = 64 * 1024;

/// How long answers to the last requests are waited for.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// The same where a number of requests was asked for: under a tool that counts, a gateway is slow.
const LAST_REQUESTS: Duration = Duration::from_secs(300);

/// What the load is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the proxy listens.
    #[arg(long)]
    target: SocketAddr,
    /// What is asked for; of several each has its turn.
    #[arg(long = "path", required = true)]
    paths: Vec<String>,
    /// Connections that are kept.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
    /// How long requests are begun; all of them are then waited for.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// POST so many bytes instead of GET.
    #[arg(long)]
    post: Option<usize>,
    /// Begin at least so many requests, however long it takes.
    #[arg(long, default_value_t = 0)]
    requests: u64,
    /// So many requests a second, whatever the answers do; latencies count from when a request should have begun.
    #[arg(long)]
    rate: Option<f64>,
    /// Send only when a line of stdin says for how many seconds; the outcome of all these slices is printed when stdin ends.
    #[arg(long, conflicts_with_all = ["rate", "requests"])]
    sliced: bool,
    /// The length of a good answer's body.
    #[arg(long, default_value_t = payload::ANSWER.len())]
    answer: usize,
}

/// Sends, and prints an [`Outcome`] as one line of JSON.
///
/// # Errors
///
/// When the target cannot be connected to, at first or again, or epoll fails. Answers that are wrong are counted.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let length = Duration::try_from_secs_f64(arguments.seconds).context("--seconds is no length of time")?;
    let host = arguments.target.to_string();
    let mut load = Load {
        poll: Poll::new()?,
        target: arguments.target,
        requests: arguments.paths.iter().map(|path| payload::request(&host, path, arguments.post)).collect(),
        turn: 0,
        at_least: arguments.requests,
        tally: Tally::new(arguments.answer),
    };
    let connections = usize::from(arguments.connections);
    let outcome = match arguments.rate {
        None if arguments.sliced => load.send_in_slices(connections)?,
        None => {
            let mut open = load.open(connections)?;
            let took = load.send(&mut open, length)?;
            load.tally.outcome(took)
        }
        Some(rate) => load.send_at_rate(connections, length, rate)?,
    };
    output::line(&serde_json::to_string(&outcome)?)?;
    Ok(0)
}

struct Load {
    poll: Poll,
    target: SocketAddr,
    requests: Vec<Vec<u8>>,
    /// Of the requests, the one whose turn it is.
    turn: usize,
    at_least: u64,
    tally: Tally,
}

impl Load {
    fn open(&self, connections: usize) -> anyhow::Result<Vec<Connection>> {
        (0..connections).map(|number| self.connect(number)).collect()
    }

    /// Sends for as long as `length`, waits for the last answers, and says how long all of it took.
    fn send(&mut self, open: &mut [Connection], length: Duration) -> anyhow::Result<Duration> {
        let mut scratch = vec![0; SCRATCH];
        let begun = clock::now();
        let patience = if self.at_least > 0 { LAST_REQUESTS } else { LAST_ANSWERS };
        let (end, last) = (begun + length, begun + length + patience);
        let mut waiting = 0;
        for connection in &mut *open {
            connection.begin(clock::now(), self.take_turn());
            connection.advance(&self.requests, &mut scratch);
            waiting += 1;
        }
        let mut events = Events::with_capacity(1024);
        let mut now = clock::now();
        while waiting > 0 && now < last {
            let limit = if now < end { end - now } else { last - now };
            match self.poll.poll(&mut events, Some(limit)) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => other.context("cannot wait for events")?,
            }
            for event in &events {
                let Token(number) = event.token();
                waiting -= self.drive(&mut open[number], number, end, &mut scratch)?;
            }
            now = clock::now();
        }
        self.tally.broken += waiting;
        Ok(now - begun)
    }

    /// Lets a connection go on for as long as answers come at once; 1 when it has ended its work, else 0.
    fn drive(
        &mut self,
        connection: &mut Connection,
        number: usize,
        end: Instant,
        scratch: &mut [u8],
    ) -> anyhow::Result<u64> {
        while connection.is_busy() {
            let progress = connection.advance(&self.requests, scratch);
            let now = clock::now();
            let again = match progress {
                Progress::Waiting => return Ok(0),
                Progress::Broken => {
                    self.tally.broken += 1;
                    true
                }
                Progress::Answered { status, body, close } => {
                    self.tally.count(status, body, connection.since(now));
                    close
                }
            };
            if again {
                *connection = self.connect(number)?;
            }
            if now >= end && self.tally.ended() >= self.at_least {
                connection.rest();
                return Ok(1);
            }
            connection.begin(now, self.take_turn());
        }
        Ok(0)
    }

    fn take_turn(&mut self) -> usize {
        let turn = self.turn;
        self.turn = (turn + 1) % self.requests.len();
        turn
    }

    fn connect(&self, number: usize) -> anyhow::Result<Connection> {
        Connection::open(self.target, self.poll.registry(), Token(number))
            .with_context(|| format!("cannot connect to {}", self.target))
    }
}
