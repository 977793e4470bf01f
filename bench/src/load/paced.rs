//! The open loop: a request begins when it should, on whichever connection rests; when none does it waits, and its wait counts.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use mio::{Events, Token, Waker};

use super::connection::{Connection, Progress};
use super::{LAST_ANSWERS, Load, Outcome, SCRATCH};
use crate::clock;

/// Which requests are due, and which connections may take them.
struct Due {
    begun: Instant,
    end: Instant,
    gap: Duration,
    /// How many requests should have begun so far.
    begun_count: u32,
    /// When each of those that wait for a connection should have begun.
    waiting: VecDeque<Instant>,
    resting: VecDeque<usize>,
}

impl Due {
    /// Everything that should have begun by now waits.
    fn collect(&mut self, now: Instant) {
        loop {
            let at = self.begun + self.gap * self.begun_count;
            if at > now || at >= self.end {
                return;
            }
            self.waiting.push_back(at);
            self.begun_count += 1;
        }
    }

    fn next(&mut self) -> Option<(usize, Instant)> {
        let connection = *self.resting.front()?;
        let at = self.waiting.pop_front()?;
        self.resting.pop_front();
        Some((connection, at))
    }
}

impl Load {
    /// Sends `rate` requests a second for as long as `length`.
    ///
    /// # Errors
    ///
    /// When the target cannot be connected to, or epoll fails.
    pub(super) fn send_at_rate(
        &mut self,
        connections: usize,
        length: Duration,
        rate: f64,
    ) -> anyhow::Result<Outcome> {
        ensure!(rate >= 1.0 && rate.is_finite(), "--rate below 1");
        let mut scratch = vec![0; SCRATCH];
        let mut open = self.open(connections)?;
        let waker = Arc::new(Waker::new(self.poll.registry(), Token(connections))?);
        let begun = clock::now();
        let (end, last) = (begun + length, begun + length + LAST_ANSWERS);
        let gap = Duration::from_secs_f64(1.0 / rate);
        let resting = (0..connections).collect();
        let mut due = Due { begun, end, gap, begun_count: 0, waiting: VecDeque::new(), resting };
        // The limit of epoll_wait is in milliseconds: too coarse.
        clock::tick(begun, gap, end, move || waker.wake().is_ok());

        let mut events = Events::with_capacity(1024);
        let mut now = clock::now();
        loop {
            due.collect(now);
            while let Some((number, at)) = due.next() {
                open[number].begin(at, self.take_turn());
                self.go_on(&mut open[number], number, &mut due, &mut scratch)?;
            }
            let all_rest = due.resting.len() == connections && due.waiting.is_empty();
            if now >= last || now >= end && all_rest {
                break;
            }
            match self.poll.poll(&mut events, Some(Duration::from_millis(10))) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => other.context("cannot wait for events")?,
            }
            for event in &events {
                let Token(number) = event.token();
                if let Some(connection) = open.get_mut(number) {
                    self.go_on(connection, number, &mut due, &mut scratch)?;
                }
            }
            now = clock::now();
        }
        self.tally.broken += (connections - due.resting.len() + due.waiting.len()) as u64;
        Ok(self.tally.outcome(now - begun))
    }

    fn go_on(
        &mut self,
        connection: &mut Connection,
        number: usize,
        due: &mut Due,
        scratch: &mut [u8],
    ) -> anyhow::Result<()> {
        if !connection.is_busy() {
            return Ok(());
        }
        let again = match connection.advance(&self.requests, scratch) {
            Progress::Waiting => return Ok(()),
            Progress::Broken => {
                self.tally.broken += 1;
                true
            }
            Progress::Answered { status, body, close } => {
                self.tally.count(status, body, connection.since(clock::now()));
                close
            }
        };
        connection.rest();
        if again {
            *connection = self.connect(number)?;
        }
        due.resting.push_back(number);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_waits_for_a_connection_keeps_the_time_at_which_it_should_have_begun() {
        let begun = clock::now();
        let gap = Duration::from_millis(10);
        let end = begun + gap * 3;
        let mut due =
            Due { begun, end, gap, begun_count: 0, waiting: VecDeque::new(), resting: VecDeque::from([7]) };
        due.collect(begun + gap * 9);
        assert_eq!(due.waiting, [begun, begun + gap, begun + gap * 2]);
        assert_eq!(due.next(), Some((7, begun)));
        assert_eq!(due.next(), None);
        due.resting.push_back(7);
        assert_eq!(due.next(), Some((7, begun + gap)));
    }
}
