//! Writes the gateway's events into the log, on a thread of its own: no worker waits for a terminal or a pipe.

mod pace;

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    thread::{self, Builder},
};

use mesh_client::TracingSink;
use mesh_core::{
    clock::{Clock as _, SystemClock},
    event::{ChannelSink, Event, EventSink},
};

use self::pace::{LeftOut, PERIOD, Pace};
use crate::exit::Failure;

/// Events that may wait for the log; further ones are dropped.
const WAITING: usize = 1_024;

/// A sink whose events are logged until it is dropped.
///
/// # Errors
///
/// When the system gives no thread.
pub(super) fn logged() -> Result<Arc<dyn EventSink>, Failure> {
    let (sink, events) = ChannelSink::bounded(WAITING);
    let counted = sink.clone();
    let write = move || write(&events, &counted);
    let spawned: Result<thread::JoinHandle<()>, _> =
        Builder::new().name("mesh-events".to_owned()).spawn(write);
    spawned.map_err(|error| Failure::unreachable(format!("the system gives no thread: {error}")))?;
    Ok(Arc::new(sink))
}

/// Writes `events`, as often as the pace lets it, until nobody sends any.
fn write(events: &Receiver<Event>, sink: &ChannelSink) {
    let (clock, mut pace, mut known) = (SystemClock, Pace::default(), 0);
    loop {
        // Somebody waits for a count only where some were left out.
        let event = match pace.is_owing() {
            false => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            true => events.recv_timeout(PERIOD),
        };
        let now = clock.monotonic();
        for LeftOut { name, service, count, warns } in pace.due(now) {
            let service = service.as_ref().map(tracing::field::display);
            match warns {
                true => tracing::warn!(target: "mesh::event", service, more = count, "{name}"),
                false => tracing::info!(target: "mesh::event", service, more = count, "{name}"),
            }
        }
        match event {
            Ok(event) if pace.admits(&event, now) => TracingSink.emit(event),
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let dropped = sink.dropped();
        if dropped > known {
            tracing::warn!(events = dropped - known, "the log is too slow: events were dropped");
            known = dropped;
        }
    }
}
