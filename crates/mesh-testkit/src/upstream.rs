//! An instance on a real socket: answers as it is told, and keeps what it was asked.

mod canned;
mod serve;

use std::{
    collections::VecDeque,
    fmt,
    io::Error,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{HeaderMap, Method};
use tokio::{net::TcpListener, task::JoinHandle};

pub use self::canned::Canned;

/// A request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The method on the wire.
    pub method: Method,
    /// The request target on the wire: path and query, undecoded.
    pub target: String,
    /// Every header line.
    pub headers: HeaderMap,
    /// The body bytes.
    pub body: Bytes,
}

impl Recorded {
    /// The values of a header, in their order; empty when it did not arrive.
    #[must_use]
    pub fn header(&self, name: &str) -> Vec<&[u8]> {
        self.headers.get_all(name).iter().map(http::HeaderValue::as_bytes).collect()
    }
}

/// An HTTP/1.1 server on a port of 127.0.0.1 that the system chose. Dropping it closes the listener and all connections.
pub struct FakeUpstream {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

type Answers = dyn Fn(&Recorded) -> Canned + Send + Sync;

pub(crate) struct Shared {
    answers: Box<Answers>,
    requests: Mutex<Vec<Recorded>>,
    connections: AtomicUsize,
    open: AtomicUsize,
}

impl FakeUpstream {
    /// An upstream that asks `answers` what to answer.
    ///
    /// # Errors
    ///
    /// When no socket can be opened.
    pub async fn answering(
        answers: impl Fn(&Recorded) -> Canned + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            answers: Box::new(answers),
            requests: Mutex::default(),
            connections: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
        });
        let accepting = tokio::spawn(serve::accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, accepting })
    }

    /// An upstream that gives `answers` in their order, and the last one again and again; without any, 200.
    ///
    /// # Errors
    ///
    /// When no socket can be opened.
    pub async fn scripted(answers: impl IntoIterator<Item = Canned>) -> Result<Self, Error> {
        let left = Mutex::new(answers.into_iter().collect::<VecDeque<_>>());
        Self::answering(move |_| {
            let mut left = lock(&left);
            match left.len() {
                0 => Canned::status(200),
                1 => left[0].clone(),
                _ => left.pop_front().unwrap_or_default(),
            }
        })
        .await
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address it listens on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What arrived so far, in the order in which it was read to its end.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        lock(&self.shared.requests).clone()
    }

    /// How many requests arrived so far.
    #[must_use]
    pub fn count(&self) -> usize {
        lock(&self.shared.requests).len()
    }

    /// How many connections were accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How many connections are open now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }
}

struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Shared {
    fn answer(&self, request: Recorded) -> Canned {
        let canned = (self.answers)(&request);
        lock(&self.requests).push(request);
        canned
    }

    /// Counts a connection as open until the result is dropped.
    fn connected(self: &Arc<Self>) -> Open {
        self.connections.fetch_add(1, Ordering::SeqCst);
        self.open.fetch_add(1, Ordering::SeqCst);
        Open(Arc::clone(self))
    }
}

impl Drop for FakeUpstream {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl fmt::Debug for FakeUpstream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FakeUpstream").field("address", &self.address).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
