//! Hears of changed manifests: a subscription on a connection of its own, made anew whenever it is lost.
//!
//! A message that was missed while the connection was down is never waited for: each new connection counts as a change.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use deadpool_redis::redis::{Client, ErrorKind, RedisError, RedisResult, Value, aio::PubSub};
use futures_util::StreamExt;
use mesh_core::{
    clock::{Clock, SystemClock},
    store::Revision,
};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};

/// How long a connection may take to be made and subscribed.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);
/// A connection that hears nothing is pinged this often: a frozen or vanished server says nothing either.
const PING_EVERY: Duration = Duration::from_secs(5);
const PING_LIMIT: Duration = Duration::from_secs(1);
/// The pause before a new connection, doubled up to the longest each time one does not last.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A connection that held this long has lasted.
const LASTING: Duration = Duration::from_secs(5);

pub(super) struct Changes {
    client: Client,
    channel: String,
    revision: watch::Sender<u64>,
    listener: Mutex<Option<JoinHandle<()>>>,
}

impl fmt::Debug for Changes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Changes").field("channel", &self.channel).finish_non_exhaustive()
    }
}

impl Changes {
    pub(super) fn new(client: Client, channel: String) -> Self {
        Self { client, channel, revision: watch::Sender::new(0), listener: Mutex::default() }
    }

    /// Something changed.
    pub(super) fn tell(&self) {
        tell(&self.revision);
    }

    /// Waits until the revision is not `seen`. The first call subscribes, on the runtime that it runs on.
    pub(super) async fn after(&self, seen: Revision) -> Revision {
        self.listen();
        let mut revision = self.revision.subscribe();
        // The sender is ours: it lives as long as we wait.
        revision.wait_for(|now| *now != seen.0).await.map_or(seen, |now| Revision(*now))
    }

    fn listen(&self) {
        let mut listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        // It ends with the runtime that it was started on.
        if listener.as_ref().is_none_or(JoinHandle::is_finished) {
            let task = listen(self.client.clone(), self.channel.clone(), self.revision.clone());
            *listener = Some(tokio::spawn(task));
        }
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        let listener = self.listener.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(listener) = listener.take() {
            listener.abort();
        }
    }
}

fn tell(revision: &watch::Sender<u64>) {
    revision.send_modify(|revision| *revision += 1);
}

async fn listen(client: Client, channel: String, revision: watch::Sender<u64>) {
    let address = client.get_connection_info().addr().to_string();
    let (mut pause, mut warned) = (SHORTEST_PAUSE, false);
    loop {
        let started = SystemClock.monotonic();
        let lost = match subscribe(&client, &channel).await {
            Ok(subscription) => {
                if std::mem::take(&mut warned) {
                    tracing::info!(redis = %address, "hears of changed manifests again");
                }
                tell(&revision);
                follow(subscription, &revision).await
            }
            Err(error) => error,
        };
        if !std::mem::replace(&mut warned, true) {
            tracing::warn!(redis = %address, error = %lost, "does not hear of changed manifests");
        }
        if SystemClock.monotonic().since(started) >= LASTING {
            pause = SHORTEST_PAUSE;
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn subscribe(client: &Client, channel: &str) -> RedisResult<PubSub> {
    let subscribed = timeout(CONNECT_LIMIT, async {
        let mut subscription = client.get_async_pubsub().await?;
        subscription.subscribe(channel).await?;
        Ok(subscription)
    });
    subscribed.await.unwrap_or_else(|_| Err(RedisError::from((ErrorKind::Io, "no subscription in time"))))
}

/// Tells of every message until the connection is lost.
async fn follow(subscription: PubSub, revision: &watch::Sender<u64>) -> RedisError {
    let (mut sink, mut messages) = subscription.split();
    loop {
        match timeout(PING_EVERY, messages.next()).await {
            Ok(Some(_)) => tell(revision),
            Ok(None) => return RedisError::from((ErrorKind::Io, "the connection was closed")),
            Err(_) => match timeout(PING_LIMIT, sink.ping::<Value>()).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return error,
                Err(_) => return RedisError::from((ErrorKind::Io, "a ping is not answered")),
            },
        }
    }
}
