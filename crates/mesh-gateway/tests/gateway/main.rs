//! The gateway on real sockets: what goes in on the street and what comes out at the services, and back.
//!
//! It runs by its own server here. embedded.rs runs the same tests with a gateway inside an axum app.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod access_log;
mod answers;
mod bounds;
mod certificates;
mod conformance;
mod connections;
mod ending;
mod events;
mod explaining;
mod failures;
mod forwarding;
mod handlers;
#[path = "harness/served.rs"]
mod harness;
mod http2;
mod http2_floods;
mod http2_instances;
mod http2_listener;
mod layers;
mod limits;
mod listener;
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
mod tls_listener;
mod tracing;
mod tunnels;
mod upstream_refusals;
mod verdicts;
mod watching;
