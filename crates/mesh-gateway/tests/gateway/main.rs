//! The gateway on real sockets: what goes in on the street and what comes out at the services, and back.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod access_log;
mod answers;
mod bounds;
mod certificates;
mod conformance;
mod connections;
mod embedding;
mod ending;
mod events;
mod explaining;
mod failures;
mod forwarding;
mod handlers;
mod http2;
mod layers;
mod limits;
mod multipart;
mod proxies;
mod refusals;
mod registering;
mod reloading;
mod remembering;
mod repeating;
mod resolving;
mod silence;
mod streaming;
mod support;
mod tls_instances;
mod tls_listener;
mod tracing;
mod tunnels;
mod watching;
