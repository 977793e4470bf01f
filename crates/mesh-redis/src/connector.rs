//! Makes connections for the pool, and looks at those that come back.
//!
//! Connections live on a thread of their own: what a busy process has to do never keeps an answer of the server waiting in a
//! socket, and they outlive the runtime of whoever asked first.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use deadpool_redis::redis::{
    AsyncConnectionConfig, Client, ErrorKind, RedisError, RedisResult, aio::MultiplexedConnection, cmd,
};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::patience::within;

/// How long making a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);
/// How long a ping of an idle connection may take; a new one is made then.
const PING_LIMIT: Duration = Duration::from_millis(500);
/// A connection that was used within this time is taken to be alive.
const IDLE: Duration = Duration::from_secs(1);

pub(crate) struct Connector {
    client: Client,
    config: AsyncConnectionConfig,
    /// Begun with the first connection.
    runtime: Mutex<Option<Runtime>>,
}

impl Connector {
    pub(crate) fn new(client: Client) -> Self {
        // Every wait is bounded where it is waited for.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        Self { client, config, runtime: Mutex::default() }
    }

    fn handle(&self) -> RedisResult<Handle> {
        let mut runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = &*runtime {
            return Ok(runtime.handle().clone());
        }
        let begun =
            Builder::new_multi_thread().worker_threads(1).thread_name("mesh-redis").enable_all().build()?;
        let handle = begun.handle().clone();
        *runtime = Some(begun);
        Ok(handle)
    }
}

impl Drop for Connector {
    fn drop(&mut self) {
        // Also from within a runtime, where none may be waited for.
        if let Some(runtime) = self.runtime.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            runtime.shutdown_background();
        }
    }
}

fn late(what: &'static str) -> RedisError {
    RedisError::from((ErrorKind::Io, what))
}

impl Manager for Connector {
    type Type = MultiplexedConnection;
    type Error = RedisError;

    async fn create(&self) -> RedisResult<MultiplexedConnection> {
        let (client, config) = (self.client.clone(), self.config.clone());
        let making = self.handle()?.spawn(async move {
            within(CONNECT_LIMIT, client.get_multiplexed_async_connection_with_config(&config)).await
        });
        match making.await {
            Ok(Some(made)) => made,
            Ok(None) => Err(late("no connection in time")),
            Err(_) => Err(late("the thread of the connections has ended")),
        }
    }

    async fn recycle(
        &self,
        connection: &mut MultiplexedConnection,
        metrics: &Metrics,
    ) -> RecycleResult<RedisError> {
        if metrics.last_used() < IDLE {
            return Ok(());
        }
        let ping = cmd("PING");
        let pong = within(PING_LIMIT, ping.exec_async(connection)).await;
        pong.unwrap_or_else(|| Err(late("a ping is not answered"))).map_err(RecycleError::Backend)
    }
}
