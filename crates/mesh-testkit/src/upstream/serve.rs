//! The server under a fake upstream: hyper on each accepted connection.

use std::{future::pending, sync::Arc};

use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::{
    Recorded, Shared,
    canned::{Act, Broken, CannedBody},
};

pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let open = shared.connected();
                    let served = connection(stream, Arc::clone(&shared));
                    connections.spawn(async move {
                        served.await;
                        drop(open);
                    });
                }
                Err(_) => return,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    // A second handle on the socket: closing both with a linger of zero is a reset.
    let Ok((stream, second)) = stream.into_std().and_then(|first| {
        let second = first.try_clone()?;
        Ok((TcpStream::from_std(first)?, TcpStream::from_std(second)?))
    }) else {
        return;
    };
    let service = service_fn(|request| exchange(request, &shared, &second));
    // The connection's end, good or bad, is what the test looks at from the other side.
    let _ended = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn exchange(
    request: Request<Incoming>,
    shared: &Shared,
    socket: &TcpStream,
) -> Result<Response<CannedBody>, Box<dyn std::error::Error + Send + Sync>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let target = head.uri.to_string();
    let canned = shared.answer(Recorded { method: head.method, target, headers: head.headers, body });
    if !canned.delay.is_zero() {
        tokio::time::sleep(canned.delay).await;
    }
    match canned.act {
        Act::Answer => Ok(canned.into_response()?),
        Act::Close => Err(Broken.into()),
        Act::Reset => {
            socket.set_zero_linger()?;
            Err(Broken.into())
        }
        Act::Silence => pending().await,
    }
}
