//! Which connection a request goes over: one that has room, else a new one, which is opened once for all who wait for it.

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mesh_core::{clock::Tick, service::BaseUrl};
use tokio::{sync::watch, task::yield_now};

pub(in crate::transport) use super::connection::Slot;
use super::{connection::Connection, opening::open};
use crate::{
    tls::UpstreamTls,
    transport::{
        attempt::Outgoing,
        connect::NoConnection,
        pool::{COUNTED, PoolFigures},
    },
};

/// How long a connection without a stream is kept.
const IDLE_LIMIT: Duration = Duration::from_secs(60);
/// Connections to one instance. When none of them has room, streams wait for room.
const MAX_CONNECTIONS: usize = 16;

/// The connections of one worker, by origin.
#[derive(Debug, Default)]
pub(in crate::transport) struct Connections {
    instances: Mutex<HashMap<Arc<str>, Instance>>,
}

#[derive(Debug, Default)]
struct Instance {
    open: Vec<Arc<Connection>>,
    /// One that is being opened.
    opening: Option<Opening>,
    figures: PoolFigures,
    opened_last: Tick,
}

/// What becomes of a connection that is being opened.
type Opening = watch::Receiver<Option<Result<(), NoConnection>>>;

/// What there is for a request.
enum Found {
    Slot(Slot),
    Opening(Opening),
    /// Nothing: whoever asked opens a connection, and tells those who come meanwhile.
    Nothing(watch::Sender<Option<Result<(), NoConnection>>>, Opening),
}

/// Room for a stream to the instance at `url`.
pub(super) async fn slot(outgoing: &Outgoing<'_>, url: &BaseUrl) -> Result<Slot, NoConnection> {
    let origin = url.origin();
    let mut is_fresh = false;
    loop {
        let mut opening = match outgoing.pool.http2.find(origin, outgoing.tls, is_fresh) {
            Found::Slot(slot) if is_fresh || outgoing.may_repeat => return Ok(slot),
            Found::Slot(slot) => {
                if slot.is_alone() {
                    // Lets the connection notice its end, if it has one: what is lost with it cannot be repeated.
                    yield_now().await;
                }
                if slot.is_open() {
                    return Ok(slot);
                }
                continue;
            }
            Found::Opening(opening) => opening,
            Found::Nothing(told, opening) => {
                begin(outgoing, url, told);
                opening
            }
        };
        let gone = || NoConnection::Unreachable("nobody opens the connection any more".to_owned());
        let opened = opening.wait_for(Option::is_some).await.map_err(|_| gone())?;
        opened.as_ref().map_or_else(|| Err(gone()), Clone::clone)?;
        is_fresh = true;
    }
}

/// Opens a connection in a task of its own: it is there for those who come later, even if who asked for it goes.
fn begin(outgoing: &Outgoing<'_>, url: &BaseUrl, told: watch::Sender<Option<Result<(), NoConnection>>>) {
    let (pool, clock) = (Arc::clone(outgoing.pool), Arc::clone(outgoing.clock));
    let (url, tls, limit) = (url.clone(), outgoing.tls.clone(), outgoing.connect_timeout);
    tokio::spawn(async move {
        let opened = open(&url, limit, &tls).await;
        let opened = opened.map(|opened| Connection::begin(opened, url.is_https().then_some(tls)));
        pool.http2.with(url.origin(), |instance| {
            instance.opening = None;
            if let Ok(connection) = &opened {
                instance.open.push(Arc::clone(connection));
                instance.figures.opened += 1;
                instance.opened_last = clock.monotonic();
            }
        });
        told.send_replace(Some(opened.map(|_| ())));
    });
}

impl Connections {
    fn with<T>(&self, origin: &str, act: impl FnOnce(&mut Instance) -> T) -> T {
        let mut instances = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        match instances.get_mut(origin) {
            Some(instance) => act(instance),
            None => act(instances.entry(origin.into()).or_default()),
        }
    }

    /// `is_fresh`: the request has just waited for a connection to be opened.
    fn find(&self, origin: &str, tls: &UpstreamTls, is_fresh: bool) -> Found {
        self.with(origin, |instance| {
            instance.open.retain(|connection| connection.takes_requests(tls));
            let has_most = instance.open.len() >= MAX_CONNECTIONS;
            let found = instance.open.iter().find(|connection| connection.has_room()).or_else(|| {
                instance.open.iter().filter(|_| has_most).min_by_key(|connection| connection.streams())
            });
            match (found, &instance.opening) {
                (Some(connection), _) => {
                    instance.figures.reused += u64::from(!is_fresh);
                    Found::Slot(Slot::of(connection))
                }
                (None, Some(opening)) => Found::Opening(opening.clone()),
                (None, None) => {
                    let (told, opening) = watch::channel(None);
                    instance.opening = Some(opening.clone());
                    Found::Nothing(told, opening)
                }
            }
        })
    }

    /// The figures of each instance, by origin.
    pub(in crate::transport) fn figures(&self) -> Vec<(Arc<str>, PoolFigures)> {
        let instances = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        let figures = |instance: &Instance| {
            let idle = instance.open.iter().filter(|connection| connection.streams() == 0).count();
            PoolFigures { idle: i64::try_from(idle).unwrap_or(i64::MAX), ..instance.figures }
        };
        instances.iter().map(|(origin, instance)| (Arc::clone(origin), figures(instance))).collect()
    }

    /// Lets go of connections that had no stream for too long, or have ended.
    pub(in crate::transport) fn sweep(&self, now: Tick) {
        let mut instances = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        instances.retain(|_, instance| {
            instance.open.retain(|connection| {
                let idle = connection.idle_since(now);
                connection.is_open() && idle.is_none_or(|since| now.since(since) < IDLE_LIMIT)
            });
            !instance.open.is_empty()
                || instance.opening.is_some()
                || now.since(instance.opened_last) < COUNTED
        });
    }
}
