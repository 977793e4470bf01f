//! Whole-house stories: real processes, real sockets, a real redis-server, real signals.

mod access_log;
mod cli;
mod events;
mod failover;
mod files;
mod forwarding;
mod house;
mod idempotency;
mod manifests;
mod migration;
mod php;
mod pool;
mod redis_faults;
mod refusals;
mod store;
mod wire;
