//! The connections to one Redis: few, shared by all calls at once, and every wait bounded.
//!
//! A connection is pinged before use only after it idled: a ping on each checkout costs four fifths of the throughput.

use std::{
    fmt,
    future::Future,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use deadpool::managed::{Pool, QueueMode};
use deadpool_redis::redis::{Client, RedisResult, aio::MultiplexedConnection};
use mesh_core::{
    clock::{Clock, SystemClock},
    store::StoreError,
};
use tokio::sync::Semaphore;

use crate::{circuit::Circuit, connector::Connector, error::Failure, patience::within};

/// How long one call may take in all: wait for a connection, make one, send, be answered.
pub(crate) const CALL_LIMIT: Duration = Duration::from_secs(2);
const CONNECTIONS: usize = 4;
/// More calls than this at a time wait for their turn: the last of them still is answered in time.
const MAX_CALLS: usize = 4_096;

pub(crate) struct Link {
    address: String,
    pool: Pool<Connector>,
    calls: Semaphore,
    circuit: Mutex<Circuit>,
}

impl fmt::Debug for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Link").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Link {
    pub(crate) fn new(client: Client) -> Self {
        let address = client.get_connection_info().addr().to_string();
        let pool =
            Pool::builder(Connector::new(client)).max_size(CONNECTIONS).queue_mode(QueueMode::Lifo).build();
        let pool =
            pool.unwrap_or_else(|error| unreachable!("a pool without timeouts needs no runtime: {error}"));
        Self { address, pool, calls: Semaphore::new(MAX_CALLS), circuit: Mutex::default() }
    }

    /// Host and port, or the path of the socket: never a password.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Carries out `work` on a connection, within `limit`. Fails at once when the server failed a moment ago.
    pub(crate) async fn run<T, F, W>(&self, limit: Duration, work: F) -> Result<T, StoreError>
    where
        F: FnOnce(MultiplexedConnection) -> W,
        W: Future<Output = RedisResult<T>>,
    {
        let outcome = within(limit, async {
            let Ok(_permit) = self.calls.acquire().await else {
                return Err(Failure::busy("the calls to redis have ended"));
            };
            if !self.circuit().admit(SystemClock.monotonic(), limit) {
                let reason =
                    format!("redis at {} failed a moment ago and is not asked again yet", self.address);
                return Err(Failure::busy(&reason));
            }
            self.attempt(work).await
        });
        let outcome = outcome.await.unwrap_or_else(|| Err(Failure::silence(&self.address)));
        match outcome {
            Ok(value) => {
                self.answered();
                Ok(value)
            }
            Err(failure) => {
                if failure.connection {
                    // Connections die together: whoever comes next shall not find another dead one.
                    drop(self.pool.retain(|_, _| false));
                }
                if failure.server {
                    self.failed(&failure.error);
                } else if matches!(failure.error, StoreError::Refused(_)) {
                    self.answered();
                }
                Err(failure.error)
            }
        }
    }

    async fn attempt<T, F, W>(&self, work: F) -> Result<T, Failure>
    where
        F: FnOnce(MultiplexedConnection) -> W,
        W: Future<Output = RedisResult<T>>,
    {
        let pooled = self.pool.get().await.map_err(|error| Failure::of_pool(&error, &self.address))?;
        // A clone speaks on the same connection, and the next caller need not wait for ours to be done.
        let connection = pooled.clone();
        drop(pooled);
        work(connection).await.map_err(|error| {
            let mut failure = Failure::of(&error, &self.address);
            // The server may have been started again since: whether it is there, the next connection will show.
            failure.server &= !error.is_connection_dropped();
            failure
        })
    }

    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answered(&self) {
        if self.circuit().answered() {
            tracing::info!(redis = %self.address, "redis answers again");
        }
    }

    fn failed(&self, error: &StoreError) {
        if self.circuit().failed(SystemClock.monotonic()) {
            tracing::warn!(redis = %self.address, %error, "redis does not answer");
        }
    }
}
