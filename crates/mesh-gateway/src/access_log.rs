//! One line for each request, written by a thread of its own. Refuses to make a request wait: a line that finds no room
//! is dropped and counted.

mod entry;
mod writer;

use std::{
    io,
    sync::{
        Arc,
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};

use mesh_core::entropy::Entropy;

use entry::Entry;
pub(crate) use entry::{Pending, Request};

/// Lines that may wait to be written.
const WAITING: usize = 8_192;
/// How long the end of a gateway waits for the last lines.
const PATIENCE: Duration = Duration::from_secs(2);

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessLogFormat {
    /// One JSON object.
    Json,
    /// Words for people, each of which but the first few says its name.
    Text,
}

/// Where requests are written down. Cheap to clone; clones share the writer.
///
/// A line says when the request came (UTC), its ids, who sent it, method, path, what became of it and how long that took;
/// never a query, a header or a body, which may hold secrets. Shape: docs/settings.md names the settings, docs/metrics.md the fields.
#[derive(Clone, Debug)]
pub struct AccessLog {
    sender: SyncSender<Message>,
    sample: f64,
}

/// What goes to the writer.
#[derive(Debug)]
enum Message {
    Line(Box<Entry>),
    /// Tell when everything before this was written.
    Flush(SyncSender<()>),
}

impl AccessLog {
    /// A log that writes the share `sample` (0 to 1) of all requests to `out`. Its thread ends with the last clone.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn start(
        format: AccessLogFormat,
        sample: f64,
        out: impl io::Write + Send + 'static,
    ) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(WAITING);
        thread::Builder::new()
            .name("mesh-access-log".to_owned())
            .spawn(move || writer::run(&receiver, format, out))?;
        Ok(Self { sender, sample })
    }

    /// Whether this request is one of the sample.
    pub(crate) fn takes(&self, entropy: &Arc<dyn Entropy>) -> bool {
        let drawn =
            || f64::from(u32::try_from(entropy.next_u64() >> 32).unwrap_or(u32::MAX)) / 4_294_967_296.0;
        self.sample >= 1.0 || drawn() < self.sample
    }

    /// Hands a line over; answers whether there was room.
    fn write(&self, entry: Entry) -> bool {
        self.sender.try_send(Message::Line(Box::new(entry))).is_ok()
    }

    /// Waits until the lines so far were written, no longer than two seconds.
    pub(crate) fn flush(&self) {
        let (done, written) = sync_channel(1);
        let mut message = Message::Flush(done);
        // A full channel has room as soon as the writer goes on.
        for _ in 0..20 {
            match self.sender.try_send(message) {
                Ok(()) => {
                    let _in_time = written.recv_timeout(PATIENCE);
                    return;
                }
                Err(TrySendError::Full(back)) => {
                    message = back;
                    let _nobody_answers = written.recv_timeout(PATIENCE / 20);
                }
                Err(TrySendError::Disconnected(_)) => return,
            }
        }
    }
}
