//! Counts the frames of an HTTP/2 client that ask for nothing and cost an answer or a look: PING, SETTINGS, PRIORITY, and
//! kinds that nobody knows. The h2 crate counts the other floods (resets, CONTINUATION, small DATA), but not these.
//!
//! WINDOW_UPDATE is not among them: a client that takes a large answer sends many.

use std::time::Duration;

use mesh_core::clock::Tick;

use super::waiting::PREFACE;

/// So many of them at once are no flood, nor so many in [`PERIOD`].
const FREE: u64 = 1_000;
const PERIOD: Duration = Duration::from_secs(60);
/// Beyond that, one for so many bytes that went to the client: an answer to a PING has 17, an answer with data more.
const BYTES_EACH: u64 = 64;

/// Of frames: length, kind, flags, stream (RFC 9113 §4.1).
const HEAD: usize = 9;

/// GOAWAY with ENHANCE_YOUR_CALM: whatever was asked may have been done.
pub(super) const CALM: [u8; 17] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0x0b];

/// The frames of one connection, as far as they are counted.
#[derive(Debug)]
pub(super) struct Frames {
    /// Bytes up to the next frame's head.
    skip: usize,
    head: [u8; HEAD],
    /// How much of it is there.
    filled: usize,
    counted: u64,
    /// Bytes that went out since the count began.
    sent: u64,
    since: Tick,
}

impl Frames {
    /// Of a connection that begins with its preface.
    pub(super) const fn new(now: Tick) -> Self {
        Self { skip: PREFACE.len(), head: [0; HEAD], filled: 0, counted: 0, sent: 0, since: now }
    }

    /// So many bytes went to the client.
    pub(super) const fn sent(&mut self, bytes: usize) {
        self.sent = self.sent.saturating_add(bytes as u64);
    }

    /// Looks at what came; whether it is a flood.
    pub(super) fn are_a_flood(&mut self, mut bytes: &[u8], now: impl FnOnce() -> Tick) -> bool {
        let before = self.counted;
        while !bytes.is_empty() {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            let wanted = (HEAD - self.filled).min(bytes.len() - skipped);
            let part = &bytes[skipped..skipped + wanted];
            self.head[self.filled..self.filled + wanted].copy_from_slice(part);
            self.filled += wanted;
            bytes = &bytes[skipped + wanted..];
            if self.filled == HEAD {
                let [a, b, c, kind, ..] = self.head;
                self.skip = u32::from_be_bytes([0, a, b, c]) as usize;
                self.filled = 0;
                self.counted += u64::from(is_counted(kind));
            }
        }
        if self.counted == before || self.counted <= FREE + self.sent / BYTES_EACH {
            return false;
        }
        let now = now();
        let is_flood = now.since(self.since) < PERIOD;
        (self.counted, self.sent, self.since) = (0, 0, now);
        is_flood
    }
}

/// PRIORITY, SETTINGS, PING, and what is not known; not DATA, HEADERS, RST_STREAM, PUSH_PROMISE, GOAWAY, WINDOW_UPDATE,
/// CONTINUATION.
const fn is_counted(kind: u8) -> bool {
    matches!(kind, 2 | 4 | 6 | 10..)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: [u8; 17] = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

    fn connection() -> Frames {
        let mut frames = Frames::new(Tick(0));
        assert!(!frames.are_a_flood(PREFACE, || Tick(0)));
        frames
    }

    fn pings(frames: &mut Frames, number: usize, now: Tick) -> bool {
        frames.are_a_flood(&PING.repeat(number), || now)
    }

    #[test]
    fn a_thousand_at_once_are_no_flood_and_one_more_is() {
        let mut frames = connection();
        assert!(!pings(&mut frames, 1_000, Tick(0)));
        assert!(pings(&mut frames, 1, Tick(0)));
    }

    #[test]
    fn frames_are_counted_however_they_are_cut() {
        let mut frames = connection();
        let flood = PING.repeat(1_001);
        let found = flood.chunks(7).filter(|cut| frames.are_a_flood(cut, || Tick(0))).count();
        assert_eq!(found, 1);
    }

    #[test]
    fn who_is_sent_something_may_send_more_and_an_answered_ping_pays_for_none() {
        let mut frames = connection();
        for _ in 0..10 {
            frames.sent(1_000 * 64);
            assert!(!pings(&mut frames, 1_000, Tick(0)));
        }
        let mut frames = connection();
        let caught = (0..2_000).find(|_| {
            frames.sent(PING.len());
            pings(&mut frames, 1, Tick(0))
        });
        assert!(caught.is_some());
    }

    #[test]
    fn what_comes_slowly_is_no_flood() {
        let mut frames = connection();
        for minute in 1..100 {
            assert!(!pings(&mut frames, 1_001, Tick(0).after(PERIOD * minute)));
        }
    }

    #[test]
    fn requests_data_and_windows_are_not_counted() {
        let mut frames = connection();
        for kind in [0, 1, 3, 5, 7, 8, 9] {
            assert!(
                !frames.are_a_flood(&[0, 0, 1, kind, 0, 0, 0, 0, 1, 0].repeat(2_000), || Tick(0)),
                "{kind}"
            );
        }
    }
}
