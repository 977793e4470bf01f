//! Signature v1: who called, proven by a shared secret (docs/wire.md, Signature v1).
//!
//! Covers method, path, timestamp and body. Refuses to cover what v1 does not: query, identity,
//! request id and content type stay unsigned.

mod algorithm;
pub mod diagnosis;
pub mod keyring;
pub mod mac;
pub mod multipart;
pub mod signer;
pub mod verifier;

pub use algorithm::Algorithm;
pub use diagnosis::diagnose;
pub use keyring::Keyring;
pub use multipart::MultipartPolicy;
pub use signer::{Signature, Signer};
pub use verifier::{Presented, SignatureError, Verifier, Verifying};
