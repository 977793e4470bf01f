//! A real redis-server for stories that do not await.

use mesh_testkit::redis::{RedisServer, Reply};
use tokio::runtime::Runtime;

/// A server, and the runtime that its commands run on.
#[derive(Debug)]
pub struct Store {
    runtime: Runtime,
    server: RedisServer,
}

impl Store {
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let server = runtime.block_on(RedisServer::start());
        Self { runtime, server }
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    pub fn command(&self, words: &[&str]) -> Reply {
        self.runtime.block_on(self.server.command(words))
    }

    pub fn kill(&mut self) {
        self.server.kill();
    }

    pub fn restart(&mut self) {
        self.runtime.block_on(self.server.restart());
    }

    pub fn freeze(&self) {
        self.server.stop();
    }

    pub fn thaw(&self) {
        self.server.cont();
    }
}
