//! Calls to other services: signed, retried, failed over, with the call's rules taken from `mesh-core`.
//!
//! Depend on this crate to call services. It does not serve: see `mesh-http`. Without the default feature `reqwest` it
//! brings no HTTP library; a [`transport::HttpTransport`] or a [`driver::Transport`] of yours carries the calls then.
//!
//! ```
//! use mesh_client::{Identity, ServiceClient};
//! use mesh_core::{
//!     name::ServiceName,
//!     secret::Secret,
//!     service::{BaseUrl, Service},
//!     signature::Keyring,
//! };
//!
//! # async fn call() -> Result<(), Box<dyn std::error::Error>> {
//! let secret = Secret::try_new("a secret of at least 16 bytes")?;
//! let identity = Identity::new(ServiceName::parse("shop")?, Keyring::new(secret));
//! let urls = vec![BaseUrl::parse("http://127.0.0.1:8001")?, BaseUrl::parse("http://127.0.0.1:8002")?];
//! let client = ServiceClient::builder(identity)
//!     .services([Service::new(ServiceName::parse("oms")?, urls)])
//!     .build()?;
//!
//! let order: serde_json::Value = client.service("oms").get("/api/orders/123").send().await?.throw()?.json()?;
//! # drop(order);
//! # Ok(())
//! # }
//! ```

mod attempt;
pub mod builder;
mod client;
pub mod driver;
pub mod error;
mod identity;
pub mod pool;
pub mod register;
pub mod report;
pub mod request;
pub mod response;
#[cfg(test)]
#[cfg(feature = "reqwest")]
mod tests;
mod tracing_sink;
pub mod transport;

pub use builder::{BuildError, Defaults, ServiceClientBuilder};
pub use client::ServiceClient;
pub use error::{CallError, InvalidCall};
pub use identity::Identity;
pub use pool::{CallPool, PoolAnswers};
pub use request::{ServiceCalls, ServiceRequest};
pub use response::{ServiceResponse, StreamingResponse};
pub use tracing_sink::TracingSink;
