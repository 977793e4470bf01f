//! What a proxy must change on a request and on an answer, and what it must refuse.

pub mod location;
pub mod request;
pub mod response;
pub mod target;

pub use request::{ClientFacts, RequestError};
pub use target::{Target, TargetError};
