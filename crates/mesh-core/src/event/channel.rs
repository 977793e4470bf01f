//! A sink that hands events to another thread through a bounded channel. Refuses to wait: what finds no room is counted.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
    mpsc::{Receiver, SyncSender, sync_channel},
};

use super::{Event, EventSink};

/// Hands events to whoever holds the receiver. Cheap to clone; clones share the channel.
///
/// What finds the channel full, or nobody at its other end, is dropped and counted.
#[derive(Clone, Debug)]
pub struct ChannelSink {
    sender: SyncSender<Event>,
    dropped: Arc<AtomicU64>,
}

impl ChannelSink {
    /// A sink with room for `capacity` events (at least one) that were not received yet, and its other end. The receiver
    /// ends when the last clone of the sink is dropped.
    #[must_use]
    pub fn bounded(capacity: usize) -> (Self, Receiver<Event>) {
        let (sender, receiver) = sync_channel(capacity.max(1));
        (Self { sender, dropped: Arc::default() }, receiver)
    }

    /// How many events were dropped so far.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl EventSink for ChannelSink {
    fn emit(&self, event: Event) {
        if self.sender.try_send(event).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::registered, *};

    #[test]
    fn events_are_received_in_their_order() {
        let (sink, receiver) = ChannelSink::bounded(8);
        sink.emit(registered(1));
        sink.clone().emit(registered(2));
        drop(sink);
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [registered(1), registered(2)]);
    }

    #[test]
    fn what_finds_no_room_is_dropped_and_counted() {
        for (capacity, kept) in [(0, 1), (1, 1), (3, 3)] {
            let (sink, receiver) = ChannelSink::bounded(capacity);
            (0..5).for_each(|routes| sink.emit(registered(routes)));
            assert_eq!(sink.dropped(), 5 - kept as u64);
            assert_eq!(receiver.try_iter().count(), kept);
            sink.emit(registered(9));
            assert_eq!(receiver.try_recv(), Ok(registered(9)), "there is room again");
        }
    }

    #[test]
    fn a_sink_that_nobody_listens_to_counts() {
        let (sink, receiver) = ChannelSink::bounded(8);
        drop(receiver);
        sink.emit(registered(1));
        assert_eq!(sink.dropped(), 1);
    }
}
