//! A `redis-server` of the test's own: started on a free port, killed, frozen and started again as the test says.
//!
//! Fails loudly when `redis-server` is not installed: a test that needs it never passes without it.

mod reply;

use std::{
    fmt,
    fs::{self, File},
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio::time::{sleep, timeout};

pub use reply::Reply;

/// How long the server may take to do what it was told: far more than it needs on a busy machine.
const CAP: Duration = Duration::from_secs(30);
/// How often a condition is looked at.
const GLANCE: Duration = Duration::from_millis(5);
/// Ports that are tried: another process may take one between its choice and the server's start.
const MAX_PORTS: u32 = 20;

/// A running `redis-server` without persistence. Killed when it is dropped.
pub struct RedisServer {
    folder: TempDir,
    address: SocketAddr,
    process: Option<Child>,
}

impl fmt::Debug for RedisServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RedisServer").field("address", &self.address).finish_non_exhaustive()
    }
}

impl RedisServer {
    /// Starts a server on a free port of 127.0.0.1 and waits until it answers.
    ///
    /// # Panics
    ///
    /// When `redis-server` is not installed or does not answer within 30 s.
    pub async fn start() -> Self {
        let mut last = String::new();
        for _ in 0..MAX_PORTS {
            let folder = TempDir::new().expect("a temporary folder");
            let Ok(address) = free_address() else { continue };
            let mut server = Self { folder, address, process: None };
            match server.launch().await {
                Ok(()) => return server,
                Err(reason) => last = reason,
            }
        }
        panic!("redis-server does not start: {last}");
    }

    /// `redis://127.0.0.1:PORT/0`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}/0", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Kills it with SIGKILL, and waits until it is gone. Nothing survives.
    ///
    /// # Panics
    ///
    /// When the process cannot be waited for.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            // A stopped process is killed as well; one that is gone already is no error here.
            let _gone_already = process.kill();
            process.wait().expect("a killed process ends");
        }
    }

    /// Starts it again, empty, on the same port, after [`RedisServer::kill`].
    ///
    /// # Panics
    ///
    /// When it does not answer within 30 s.
    pub async fn restart(&mut self) {
        self.kill();
        if let Err(reason) = self.launch().await {
            panic!("redis-server does not start again on {}: {reason}", self.address);
        }
    }

    /// Freezes it with SIGSTOP: connections stay open, nothing is answered.
    ///
    /// # Panics
    ///
    /// When the signal cannot be sent.
    pub fn stop(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on with SIGCONT, after [`RedisServer::stop`].
    ///
    /// # Panics
    ///
    /// When the signal cannot be sent.
    pub fn cont(&self) {
        self.signal("-CONT");
    }

    /// Sends one command on a connection of its own and reads the reply.
    ///
    /// # Panics
    ///
    /// When there is no reply within 30 s.
    pub async fn command<A: AsRef<[u8]>>(&self, words: &[A]) -> Reply {
        let reply = timeout(CAP, reply::ask(self.address, words)).await.expect("a reply of redis in time");
        reply.expect("a reply of redis")
    }

    /// Removes every key, functions and scripts included.
    ///
    /// # Panics
    ///
    /// When the server refuses.
    pub async fn flush_all(&self) {
        assert_eq!(self.command(&["FLUSHALL"]).await, Reply::Status("OK".to_owned()));
        assert_eq!(self.command(&["SCRIPT", "FLUSH"]).await, Reply::Status("OK".to_owned()));
    }

    /// `CONFIG SET name value`.
    ///
    /// # Panics
    ///
    /// When the server refuses.
    pub async fn config_set(&self, name: &str, value: &str) {
        assert_eq!(self.command(&["CONFIG", "SET", name, value]).await, Reply::Status("OK".to_owned()));
    }

    async fn launch(&mut self) -> Result<(), String> {
        let log = self.folder.path().join("redis.log");
        let output = File::create(&log).map_err(|error| error.to_string())?;
        let spawned = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &self.address.port().to_string()])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(self.folder.path())
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .stdout(output)
            .spawn();
        self.process = Some(match spawned {
            Ok(process) => process,
            Err(error) if error.kind() == io::ErrorKind::NotFound => panic!(
                "redis-server is missing and this test needs it: run `apt-get install redis-server` (Debian, Ubuntu), \
                 or install Redis 7 so that `redis-server` is on the PATH"
            ),
            Err(error) => return Err(error.to_string()),
        });
        let answered = timeout(CAP, async {
            loop {
                if let Ok(Reply::Status(pong)) = reply::ask(self.address, &["PING"]).await {
                    return pong == "PONG" && self.is_running();
                }
                if !self.is_running() {
                    return false;
                }
                sleep(GLANCE).await;
            }
        });
        if answered.await.unwrap_or(false) {
            return Ok(());
        }
        self.kill();
        Err(fs::read_to_string(log).unwrap_or_default())
    }

    fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| matches!(process.try_wait(), Ok(None)))
    }

    fn signal(&self, signal: &str) {
        let process = self.process.as_ref().expect("a running redis-server");
        let status = Command::new("kill").args([signal, &process.id().to_string()]).status();
        assert!(status.expect("the program kill").success(), "kill {signal} failed");
    }
}

/// A free port below those that systems give to outgoing connections: while the server is down nobody else gets it, and
/// no client that connects to it again and again meets itself.
fn free_address() -> io::Result<SocketAddr> {
    let somewhere = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    TcpListener::bind((Ipv4Addr::LOCALHOST, 16_384 + somewhere % 16_384))?.local_addr()
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _gone_already = process.kill();
            let _reaped = process.wait();
        }
    }
}
