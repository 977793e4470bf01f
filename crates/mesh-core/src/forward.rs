//! What a proxy must change on a request and on an answer, and what it must refuse.

pub(crate) mod host;
pub mod location;
mod nomination;
pub mod request;
pub mod response;
mod survey;
pub mod target;
pub mod upgrade;

pub use request::{ClientFacts, RequestError};
pub use survey::Survey;
pub use target::{Target, TargetError};
