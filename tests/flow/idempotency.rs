//! Requests that are sent twice run once: real services and gateways that share a real Redis.

mod answers;
mod compat;
mod faults;
mod gateway;
mod stage;
mod storm;
