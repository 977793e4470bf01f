//! Carries one attempt to an instance over HTTP/1.1 or HTTP/2, signed afresh, and brings its answer back unread.

mod attempt;
mod body;
mod classify;
mod connect;
mod exchange;
mod frames;
mod http2;
mod pool;
mod tunnel;

pub(crate) use attempt::Outgoing;
pub(crate) use body::{Broken, UpstreamBody};
pub(crate) use http2::Streamed;
pub(crate) use pool::{Pool, PoolFigures};
pub(crate) use tunnel::Tunnel;
