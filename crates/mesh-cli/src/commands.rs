//! One file for each command: reads its arguments, asks the crates below, prints.

mod admin;
pub(crate) mod call;
mod client;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod dev;
pub(crate) mod explain;
pub(crate) mod gateway;
pub(crate) mod health;
pub(crate) mod keygen;
mod manifest_file;
mod plain;
mod policies;
pub(crate) mod register;
pub(crate) mod routes;
pub(crate) mod sign;
pub(crate) mod state;
pub(crate) mod verify;

use http::Method;

use crate::exit::Failure;

/// A method as people type it, in any case.
fn method(text: &str) -> Result<Method, Failure> {
    let upper = text.to_ascii_uppercase();
    let is_word = !upper.is_empty() && upper.bytes().all(|byte| byte.is_ascii_uppercase());
    Method::from_bytes(upper.as_bytes())
        .ok()
        .filter(|_| is_word)
        .ok_or_else(|| Failure::usage(format!("{text:?} is no method; e.g. GET, POST")))
}
