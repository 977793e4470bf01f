//! An instance that speaks HTTP/2 on a real socket, and does as its test says.

use std::{
    future::Future,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::future::{BoxFuture, FutureExt as _};
use h2::{RecvStream, SendStream, server};
use http::{HeaderMap, HeaderValue, Response, request::Parts};
use mesh_core::{
    clock::{Clock as _, SystemClock},
    signature::{Presented, Verifier},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use crate::support::keyring;

/// A request as it came.
pub(super) struct Asked {
    pub(super) head: Parts,
    pub(super) body: RecvStream,
    pub(super) answer: server::SendResponse<Bytes>,
    /// Which request of the instance it is, from 0.
    pub(super) number: usize,
}

type Answers = dyn Fn(Asked) -> BoxFuture<'static, ()> + Send + Sync;

/// What all connections of an instance share.
pub(super) struct Shared {
    answers: Box<Answers>,
    builder: server::Builder,
    pub(super) connections: AtomicUsize,
    pub(super) requests: AtomicUsize,
}

/// An instance; dropped, it is gone with all its connections.
pub(super) struct Instance {
    address: SocketAddr,
    pub(super) shared: Arc<Shared>,
    leaving: watch::Sender<()>,
    accepting: JoinHandle<()>,
}

impl Instance {
    pub(super) async fn start<F>(answers: impl Fn(Asked) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::built(server::Builder::new(), answers).await
    }

    /// One that says what `builder` says of itself.
    pub(super) async fn built<F>(
        builder: server::Builder,
        answers: impl Fn(Asked) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (leaving, left) = watch::channel(());
        let shared = Arc::new(Shared {
            answers: Box::new(move |asked| answers(asked).boxed()),
            builder,
            connections: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
        });
        let serving = Arc::clone(&shared);
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(Arc::clone(&serving).serve(stream, left.clone()));
            }
        });
        Self { address, shared, leaving, accepting }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    pub(super) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Says GOAWAY on every connection, and finishes what is under way.
    pub(super) fn goes_away(&self) {
        self.leaving.send_replace(());
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    /// What answers so, on connections that its owner accepts.
    pub(super) fn answering<F>(answers: impl Fn(Asked) -> F + Send + Sync + 'static) -> Arc<Self>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let answers = Box::new(move |asked| answers(asked).boxed());
        let (connections, requests) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { answers, builder: server::Builder::new(), connections, requests })
    }

    pub(super) async fn serve(
        self: Arc<Self>,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        mut leaving: watch::Receiver<()>,
    ) {
        self.connections.fetch_add(1, Ordering::SeqCst);
        leaving.mark_unchanged();
        let Ok(mut connection) = self.builder.handshake(stream).await else { return };
        let mut answering = JoinSet::new();
        loop {
            tokio::select! {
                asked = connection.accept() => {
                    let Some(Ok((request, answer))) = asked else { return };
                    let (head, body) = request.into_parts();
                    let number = self.requests.fetch_add(1, Ordering::SeqCst);
                    answering.spawn((self.answers)(Asked { head, body, answer, number }));
                }
                Ok(()) = leaving.changed() => connection.graceful_shutdown(),
            }
        }
    }
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> Vec<&str> {
        self.head.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }

    /// The whole body.
    pub(super) async fn whole(&mut self) -> Bytes {
        let mut whole = BytesMut::new();
        while let Some(Ok(data)) = self.body.data().await {
            self.body.flow_control().release_capacity(data.len()).unwrap();
            whole.extend_from_slice(&data);
        }
        whole.freeze()
    }

    /// Whether the mesh signed the request over `body`.
    pub(super) fn verifies(&self, body: &[u8]) -> bool {
        let values = |name: &str| -> Vec<_> {
            self.head.headers.get_all(name).iter().map(HeaderValue::as_bytes).collect()
        };
        let presented = Presented::parse(&values("x-signature"), &values("x-timestamp")).unwrap();
        let verifier = Verifier::new(keyring(), Duration::from_secs(60));
        let target = self.head.uri.path_and_query().unwrap().as_str();
        let now = SystemClock.unix();
        verifier.verify(&presented, self.head.method.as_str(), target, body, now).is_ok()
    }

    /// Answers 200 with `body`.
    pub(super) async fn answer(mut self, body: impl Into<Bytes>) {
        let mut stream = self.answer.send_response(Response::new(()), false).unwrap();
        send(&mut stream, body.into()).await;
        let _gone = stream.send_data(Bytes::new(), true);
    }

    /// Begins an answer in gRPC.
    pub(super) fn begin(&mut self) -> SendStream<Bytes> {
        let head = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
        self.answer.send_response(head, false).unwrap()
    }

    /// Waits until the gateway takes the request back, and gives its reason.
    pub(super) async fn taken_back(&mut self) -> h2::Reason {
        std::future::poll_fn(|context| self.answer.poll_reset(context)).await.unwrap()
    }
}

/// Sends `body` no faster than it is taken.
pub(super) async fn send(stream: &mut SendStream<Bytes>, mut body: Bytes) {
    while !body.is_empty() {
        stream.reserve_capacity(body.len());
        let Some(Ok(room)) = std::future::poll_fn(|context| stream.poll_capacity(context)).await else {
            return;
        };
        if stream.send_data(body.split_to(room.min(body.len())), false).is_err() {
            return;
        }
    }
}

/// One message of gRPC on the wire: not compressed, its length, its bytes.
pub(super) fn message(bytes: &[u8]) -> Bytes {
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    [&[0][..], &length, bytes].concat().into()
}

/// How a gRPC call ends.
pub(super) fn status(code: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), HeaderValue::from_static(code))])
}
