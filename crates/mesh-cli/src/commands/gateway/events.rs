//! Writes the gateway's events into the log, on a thread of its own: no worker waits for a terminal or a pipe.

use std::{
    sync::Arc,
    thread::{self, Builder},
};

use mesh_client::TracingSink;
use mesh_core::event::{ChannelSink, EventSink};

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
    let write = move || {
        let mut known = 0;
        for event in events {
            TracingSink.emit(event);
            let dropped = counted.dropped();
            if dropped > known {
                tracing::warn!(events = dropped - known, "the log is too slow: events were dropped");
                known = dropped;
            }
        }
    };
    let spawned: Result<thread::JoinHandle<()>, _> =
        Builder::new().name("mesh-events".to_owned()).spawn(write);
    spawned.map_err(|error| Failure::unreachable(format!("the system gives no thread: {error}")))?;
    Ok(Arc::new(sink))
}
