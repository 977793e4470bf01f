//! Turns in slices: those who have them keep their connections while others have theirs.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::load::{READY, RESTS};

/// How long a slice of a turn is, of turns that are as long: long enough for caches to be the turn's own, and hundreds of
/// requests.
const SLICE: Duration = Duration::from_millis(200);

/// A program that goes on when it is told to. It ends when this value goes: its stdin ends then.
#[derive(Debug)]
pub(super) struct Sliced {
    /// As the rest of the run calls it.
    pub(super) name: &'static str,
    program: Child,
    tell: ChildStdin,
    said: BufReader<ChildStdout>,
}

/// Lets all of `turns` have their slices in turn, until each has had `length`. It goes round, to and fro: none
/// ever has two slices in a row, and each comes about as often after one of its neighbours as after the other, over rounds
/// of which every second one is reversed. Who comes after whom made some percent of a difference.
///
/// # Errors
///
/// The first one of `slice`.
pub(super) fn side_by_side<T>(
    turns: &mut [T],
    round: u16,
    length: Duration,
    mut slice: impl FnMut(&mut T, Duration) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let slices = (length.as_millis() / SLICE.as_millis()).max(1);
    let each = length.div_f64(slices as f64);
    if round % 2 == 1 {
        turns.reverse();
    }
    for number in 0..slices {
        if number % 2 == 0 {
            turns.iter_mut().try_for_each(|turn| slice(turn, each))?;
        } else {
            turns.iter_mut().rev().try_for_each(|turn| slice(turn, each))?;
        }
        turns.rotate_left(1);
    }
    Ok(())
}

impl Sliced {
    /// Starts `program`, and waits until it can begin.
    ///
    /// # Errors
    ///
    /// When it does not start, or cannot begin.
    pub(super) fn begin(name: &'static str, mut program: Command) -> anyhow::Result<Self> {
        program.arg("--sliced").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut program = program.spawn().with_context(|| format!("cannot start what measures {name}"))?;
        let pipes = program.stdin.take().zip(program.stdout.take());
        let (tell, said) = pipes.with_context(|| format!("what measures {name} has no pipes"))?;
        let mut sliced = Self { name, program, tell, said: BufReader::new(said) };
        sliced.wait_for(READY)?;
        Ok(sliced)
    }

    /// Lets it go on for as long as `length`.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub(super) fn slice(&mut self, length: Duration) -> anyhow::Result<()> {
        writeln!(self.tell, "{}", length.as_secs_f64())
            .with_context(|| format!("what measures {} has ended", self.name))?;
        self.wait_for(RESTS)
    }

    /// What it says of all slices.
    ///
    /// # Errors
    ///
    /// When it failed: the turn, and the run with it, is void.
    pub(super) fn end(self) -> anyhow::Result<Vec<u8>> {
        let Self { name, mut program, tell, mut said } = self;
        drop(tell);
        let mut outcome = Vec::new();
        said.read_to_end(&mut outcome)?;
        let status = program.wait()?;
        ensure!(status.success(), "void: what measures {name} ended with {status}");
        Ok(outcome)
    }

    fn wait_for(&mut self, word: &str) -> anyhow::Result<()> {
        let mut line = String::new();
        self.said.read_line(&mut line)?;
        ensure!(line.trim() == word, "void: what measures {} said {line:?} instead of {word:?}", self.name);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who had a slice, in order.
    fn order(round: u16, length: Duration) -> String {
        let mut had = String::new();
        let note = |turn: &mut char, _| {
            had.push(*turn);
            Ok(())
        };
        side_by_side(&mut ['a', 'b', 'c'], round, length, note).unwrap();
        had
    }

    #[test]
    fn slices_go_round_to_and_fro() {
        assert_eq!(order(0, SLICE * 4), "abcacbcabcba");
        assert_eq!(order(1, SLICE * 2), "cbacab");
        assert_eq!(order(0, SLICE / 2), "abc", "a short turn is one slice");
    }

    #[test]
    fn slices_are_as_long_as_the_turn_together() {
        let mut sum = Duration::ZERO;
        let length = Duration::from_millis(1_500);
        side_by_side(&mut [()], 0, length, |(), slice| {
            sum += slice;
            Ok(())
        })
        .unwrap();
        assert!(sum.abs_diff(length) < Duration::from_micros(1), "{sum:?}");
    }
}
