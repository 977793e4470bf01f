//! The thread that writes: as many lines at once as there are.

use std::{
    io::{BufWriter, Write},
    sync::mpsc::Receiver,
};

use super::{AccessLogFormat, Message};

/// What is held before it is written.
const HELD: usize = 64 * 1024;

/// Writes until the last sender is gone.
pub(super) fn run(messages: &Receiver<Message>, format: AccessLogFormat, out: impl Write) {
    let mut out = BufWriter::with_capacity(HELD, out);
    let mut is_broken = false;
    while let Ok(first) = messages.recv() {
        let mut waiting = Vec::new();
        let mut written = Ok(());
        for message in [first].into_iter().chain(messages.try_iter()) {
            match message {
                Message::Line(entry) => written = written.and(entry.write(format, &mut out)),
                Message::Flush(done) => {
                    waiting.push(done);
                    break;
                }
            }
        }
        let written = written.and_then(|()| out.flush());
        match written {
            Err(error) if !is_broken => {
                tracing::warn!(%error, "the access log cannot be written");
                is_broken = true;
            }
            Err(_) => {}
            Ok(()) => is_broken = false,
        }
        for done in waiting {
            let _whoever_waits = done.try_send(());
        }
    }
}
