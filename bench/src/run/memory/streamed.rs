//! A service that speaks HTTP/2 and takes large bodies as they come, on a thread of its own.

use std::net::SocketAddr;
use std::thread;

use anyhow::Context;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::runtime;

/// Starts it, for as long as this process lives; says where it listens. Of a POST it takes so many bytes and no other
/// number (400).
pub(super) fn start(bytes: u64) -> anyhow::Result<SocketAddr> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    thread::spawn(move || runtime.block_on(serve(listener, bytes)));
    Ok(address)
}

async fn serve(listener: TcpListener, bytes: u64) {
    while let Ok((stream, _)) = listener.accept().await {
        let service = service_fn(move |request| answer(request, bytes));
        let connection =
            http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service);
        // A connection that breaks is its other side's to tell.
        tokio::spawn(async move { drop(connection.await) });
    }
}

async fn answer(request: Request<Incoming>, bytes: u64) -> hyper::Result<Response<Full<Bytes>>> {
    let expected = if request.method() == Method::POST { bytes } else { 0 };
    let (mut body, mut taken) = (request.into_body(), 0);
    while let Some(frame) = body.frame().await {
        taken += frame?.data_ref().map_or(0, |data| data.len() as u64);
    }
    let mut response = Response::new(Full::from("ok"));
    if taken != expected {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    Ok(response)
}
