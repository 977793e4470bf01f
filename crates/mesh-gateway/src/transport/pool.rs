//! Connections to instances that wait for their next request: the one used last goes first.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use mesh_core::clock::Tick;

/// Shorter than the idle timeouts of common servers is not possible; shorter than most is enough, because a
/// connection that its server closed is seen as closed before it is used.
const IDLE_LIMIT: Duration = Duration::from_secs(30);
/// Idle connections that are kept for one instance.
const MAX_IDLE: usize = 256;

/// A connection that can carry a request.
pub(super) type Connection = SendRequest<Full<Bytes>>;

/// The idle connections of one worker.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    idle: Mutex<HashMap<Arc<str>, Vec<Idle>>>,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    since: Tick,
}

impl Pool {
    /// The connection to `authority` that was used last and is still open.
    pub(super) fn take(&self, authority: &str, now: Tick) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = idle.get_mut(authority)?;
        while let Some(candidate) = waiting.pop() {
            if now.since(candidate.since) >= IDLE_LIMIT {
                waiting.clear();
                return None;
            }
            if !candidate.connection.is_closed() {
                return Some(candidate.connection);
            }
        }
        None
    }

    /// Takes a connection back after its answer was read to the end.
    pub(super) fn give_back(&self, authority: &Arc<str>, connection: Connection, now: Tick) {
        if connection.is_closed() {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = match idle.get_mut(authority) {
            Some(waiting) => waiting,
            None => idle.entry(Arc::clone(authority)).or_default(),
        };
        if waiting.len() < MAX_IDLE {
            waiting.push(Idle { connection, since: now });
        }
    }

    /// Closes connections that waited too long. Called now and then, so that instances that are gone leave nothing.
    pub(crate) fn sweep(&self, now: Tick) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|_, waiting| {
            waiting.retain(|idle| now.since(idle.since) < IDLE_LIMIT && !idle.connection.is_closed());
            !waiting.is_empty()
        });
    }
}
