//! One connection with HTTP/2: how many streams it has room for, and whether it takes more.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

use bytes::Bytes;
use h2::client::SendRequest;
use mesh_core::clock::Tick;

use super::opening::Opened;
use crate::tls::UpstreamTls;

/// Streams at once on one connection, even if its instance takes more: the windows are made for so many.
const STREAMS: usize = 100;

/// A connection whose streams are shared out. It ends when nobody holds it and its last stream is over.
#[derive(Debug)]
pub(super) struct Connection {
    requests: SendRequest<Bytes>,
    /// What the instance was trusted by, where it is encrypted.
    trusted_by: Option<UpstreamTls>,
    streams: AtomicUsize,
    /// Counts what came from the instance.
    heard: AtomicU64,
    is_leaving: AtomicBool,
    /// When it was first seen without a stream, and is so since; tick 0: it is not.
    idle_since: AtomicU64,
}

impl Connection {
    /// The connection, which is driven by a task of its own from now on.
    pub(super) fn begin((requests, driven): Opened, trusted_by: Option<UpstreamTls>) -> Arc<Self> {
        let connection = Arc::new(Self {
            requests,
            trusted_by,
            streams: AtomicUsize::new(0),
            heard: AtomicU64::new(0),
            is_leaving: AtomicBool::new(false),
            idle_since: AtomicU64::new(0),
        });
        let watched = Arc::downgrade(&connection);
        tokio::spawn(async move {
            if let Err(error) = driven.await {
                tracing::debug!(%error, "a connection to an instance broke");
            }
            if let Some(connection) = watched.upgrade() {
                connection.leave();
            }
        });
        connection
    }

    /// No request goes over it any more; those under way stay.
    pub(super) fn leave(&self) {
        self.is_leaving.store(true, Ordering::Relaxed);
    }

    /// Whether requests may go over it, to an instance that is trusted by `tls` today.
    pub(super) fn takes_requests(&self, tls: &UpstreamTls) -> bool {
        self.is_open() && self.trusted_by.as_ref().is_none_or(|by| by.is(tls))
    }

    pub(super) fn is_open(&self) -> bool {
        !self.is_leaving.load(Ordering::Relaxed)
    }

    pub(super) fn streams(&self) -> usize {
        self.streams.load(Ordering::Relaxed)
    }

    pub(super) fn has_room(&self) -> bool {
        self.streams() < STREAMS.min(self.requests.current_max_send_streams())
    }

    /// Since when it was seen without a stream; `now`, when it is so for the first time.
    pub(super) fn idle_since(&self, now: Tick) -> Option<Tick> {
        if self.streams() > 0 {
            return None;
        }
        match self.idle_since.load(Ordering::Relaxed) {
            0 => self.idle_since.store(now.0.max(1), Ordering::Relaxed),
            since => return Some(Tick(since)),
        }
        Some(now)
    }
}

/// Room for one stream, until it is dropped.
#[derive(Debug)]
pub(in crate::transport) struct Slot(Arc<Connection>);

impl Slot {
    pub(super) fn of(connection: &Arc<Connection>) -> Self {
        connection.streams.fetch_add(1, Ordering::Relaxed);
        connection.idle_since.store(0, Ordering::Relaxed);
        Self(Arc::clone(connection))
    }

    pub(super) fn requests(&self) -> SendRequest<Bytes> {
        self.0.requests.clone()
    }

    pub(super) fn leave(&self) {
        self.0.leave();
    }

    pub(super) fn is_open(&self) -> bool {
        self.0.is_open()
    }

    /// Whether the connection has no other stream.
    pub(super) fn is_alone(&self) -> bool {
        self.0.streams() == 1
    }

    /// Something came from the instance.
    pub(in crate::transport) fn hear(&self) {
        self.0.heard.fetch_add(1, Ordering::Relaxed);
    }

    /// How often something came from the instance, on any stream.
    pub(super) fn heard(&self) -> u64 {
        self.0.heard.load(Ordering::Relaxed)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}
