//! The client against upstreams on real sockets.

mod answers;
mod attempts;
mod health;
mod pool;
mod precedence;
mod register;
mod stale;
mod streaming;
mod tracing_sink;
mod wire;

use std::{sync::Arc, time::Duration};

use mesh_core::{
    clock::{Clock as _, SystemClock},
    name::ServiceName,
    secret::Secret,
    service::{BaseUrl, Service},
    signature::{Keyring, Presented, Verifier},
};
use mesh_testkit::{Canned, FakeUpstream, Recorded, RecordingSink};

use crate::{Defaults, Identity, ServiceClient, ServiceClientBuilder};

fn name(text: &str) -> ServiceName {
    ServiceName::parse(text).unwrap()
}

fn keyring() -> Keyring {
    Keyring::new(Secret::try_new("a secret of at least 16 bytes").unwrap())
}

/// The service `oms` at these base URLs.
fn oms(urls: &[String]) -> Service {
    Service::new(name("oms"), urls.iter().map(|url| BaseUrl::parse(url).unwrap()).collect())
}

/// Quick defaults: two retries, delays of at most 4 ms.
fn quick() -> Defaults {
    Defaults { retry_delay: Duration::from_millis(1), ..Defaults::default() }
}

/// A client that gives a connect as much time as a busy machine may need: what is tested comes after it.
fn builder(urls: &[String]) -> ServiceClientBuilder {
    ServiceClient::builder(Identity::new(name("shop"), keyring()))
        .services([oms(urls)])
        .defaults(quick())
        .connect_timeout(Duration::from_secs(30))
}

fn client(urls: &[String]) -> ServiceClient {
    builder(urls).build().unwrap()
}

async fn upstream(answers: impl IntoIterator<Item = Canned>) -> FakeUpstream {
    FakeUpstream::scripted(answers).await.unwrap()
}

/// A URL that nobody listens on: the port was given out and given back.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// Whether a receiver would take the request.
#[track_caller]
fn assert_verifies(request: &Recorded) {
    let presented = Presented::parse(&request.header("x-signature"), &request.header("x-timestamp")).unwrap();
    let verifier = Verifier::new(keyring(), Duration::from_secs(60));
    let now = SystemClock.unix();
    verifier.verify(&presented, request.method.as_str(), &request.target, &request.body, now).unwrap();
}

fn recording() -> Arc<RecordingSink> {
    Arc::new(RecordingSink::new())
}

/// Waits for a condition, at most 30 s.
async fn until(what: &'static str, condition: impl Fn() -> bool) {
    let waited = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(30), waited).await.is_ok(), "never: {what}");
}
