//! The gateway as a tower service inside an axum app: the tests of the gateway's suite, once more.
//!
//! Left out is what the app's own server answers for (docs/embedding.md):
//!
//! * `listener`: heads that the HTTP parser refuses, slow heads, silent connections, answers to clients that still send,
//!   resets towards HTTP/1.0 clients;
//! * `http2_listener`, `http2_floods`: how HTTP/2 connections begin, wait and end, and what floods them;
//! * `tls_listener`: the server's certificates;
//! * `ending`: when the listener closes, and the last request on a connection. Its counterpart is
//!   `embedding::requests_under_way_finish_while_ready_says_no`.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up has failed")]

mod access_log;
mod answers;
mod bounds;
mod certificates;
mod conformance;
mod connections;
mod embedding;
mod events;
mod explaining;
mod failures;
mod forwarding;
mod handlers;
#[path = "harness/embedded.rs"]
mod harness;
mod http2;
mod http2_instances;
mod layers;
mod limits;
mod multipart;
mod outliving;
mod proxies;
mod refusals;
mod registering;
mod reloading;
mod remembering;
mod repeating;
mod resolving;
mod silence;
mod sizes;
mod streaming;
mod support;
mod tls_instances;
mod tracing;
mod tunnels;
mod upstream_refusals;
mod verdicts;
mod watching;
