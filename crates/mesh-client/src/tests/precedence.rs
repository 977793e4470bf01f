//! Which number holds: the call's, else the service's, else the default one.

use std::{sync::Arc, time::Duration};

use mesh_core::{
    name::NameError,
    retry::{Failure, RetryPolicyError},
    service::BaseUrl,
};
use mesh_testkit::{Canned, ManualClock};

use super::{builder, keyring, name, nobody, oms, quick, upstream};
use crate::{
    BuildError, CallError, Defaults, Identity, ServiceClient, ServiceRequest,
    transport::{BodyStream, HttpTransport, Limits, TransportError},
};

fn of_service(url: &str, timeout: Option<u64>, retries: Option<u32>) -> ServiceClient {
    let mut service = oms(&[url.to_owned()]);
    (service.timeout, service.retries) = (timeout.map(Duration::from_millis), retries);
    let defaults = Defaults { timeout: Duration::from_millis(90), retries: 1, ..quick() };
    let client = ServiceClient::builder(Identity::new(name("shop"), keyring()));
    client.services([service]).defaults(defaults).build().unwrap()
}

async fn attempts(request: ServiceRequest) -> Vec<String> {
    let CallError::Unavailable { attempts, .. } = request.send().await.unwrap_err() else { panic!() };
    attempts.into_iter().map(|attempt| attempt.outcome.into_owned()).collect()
}

#[tokio::test]
async fn retries_of_the_call_before_the_service_before_the_default() {
    for (service, call, expected) in
        [(None, None, 2), (Some(3), None, 4), (Some(3), Some(0), 1), (None, Some(2), 3)]
    {
        let upstream = upstream([Canned::status(500)]).await;
        let request = of_service(&upstream.url(), Some(30_000), service).service("oms").get("/o");
        let request = if let Some(retries) = call { request.retries(retries) } else { request };
        assert_eq!(attempts(request).await.len(), expected);
        assert_eq!(upstream.count(), expected);
    }
}

#[tokio::test]
async fn timeout_of_the_call_before_the_service_before_the_default() {
    for (service, call, expected) in
        [(None, None, 90), (Some(40), None, 40), (Some(40), Some(60), 60), (None, Some(30), 30)]
    {
        let upstream = upstream([Canned::silence()]).await;
        let request = of_service(&upstream.url(), service, Some(0)).service("oms").get("/o");
        let request =
            if let Some(timeout) = call { request.timeout(Duration::from_millis(timeout)) } else { request };
        assert_eq!(attempts(request).await, [format!("timeout: no whole answer within {expected} ms")]);
    }
}

#[tokio::test]
async fn deadline_of_the_call_before_the_default_before_three_timeouts() {
    let milliseconds = Duration::from_millis;
    for (default, call, expected) in
        [(None, None, 60), (Some(30), None, 30), (Some(30), Some(50), 50), (None, Some(40), 40)]
    {
        let clock = Arc::new(ManualClock::default());
        // One attempt at each: nothing is waited for in between.
        let instances: Vec<_> = (1..=10).map(|port| format!("http://127.0.0.1:{port}")).collect();
        let mut service = oms(&instances);
        service.timeout = Some(milliseconds(20));
        let defaults = Defaults { timeout: milliseconds(10), deadline: default.map(milliseconds), ..quick() };
        let client = ServiceClient::builder(Identity::new(name("shop"), keyring()))
            .services([service])
            .defaults(defaults)
            .clock(clock.clone())
            .transport(TenMilliseconds(clock))
            .build()
            .unwrap();
        let request = client.service("oms").get("/o").retries(0);
        let request =
            if let Some(deadline) = call { request.deadline(milliseconds(deadline)) } else { request };
        let expected = usize::try_from(expected / 10).unwrap();
        assert_eq!(attempts(request).await.len(), expected, "each attempt takes 10 ms: {default:?} {call:?}");
    }
}

/// Fails each attempt after 10 ms of a clock that is moved by hand.
#[derive(Clone, Debug)]
struct TenMilliseconds(Arc<ManualClock>);

#[async_trait::async_trait]
impl HttpTransport for TenMilliseconds {
    async fn send(
        &self,
        _: http::Request<bytes::Bytes>,
        _: Limits,
    ) -> Result<http::Response<BodyStream>, TransportError> {
        self.0.advance(Duration::from_millis(10));
        Err(TransportError::lost(Failure::Reset, "as told"))
    }
}

#[tokio::test]
async fn no_attempt_begins_after_the_deadline() {
    let upstream = upstream([Canned::silence()]).await;
    let client = of_service(&upstream.url(), None, Some(10));
    let outcomes = attempts(client.service("oms").get("/o").deadline(Duration::from_millis(90))).await;
    assert_eq!(outcomes.len(), 1, "{outcomes:?}");
}

#[tokio::test]
async fn an_attempt_covers_the_body_too() {
    let upstream = upstream([Canned::json("{\"a\":1}").stall_at(3)]).await;
    let outcomes = attempts(of_service(&upstream.url(), None, Some(0)).service("oms").get("/o")).await;
    assert_eq!(outcomes, ["timeout: no whole answer within 90 ms"]);
}

#[tokio::test]
async fn settings_that_make_no_client_are_refused() {
    let second = Duration::from_secs(1);
    let refused = |defaults| builder(&[nobody()]).defaults(defaults).build().unwrap_err();
    let error = refused(Defaults { deadline: Some(second), ..quick() });
    assert!(matches!(error, BuildError::DeadlineBelowTimeout), "{error:?}");
    let error = refused(Defaults { timeout: Duration::ZERO, ..quick() });
    assert!(matches!(error, BuildError::ZeroTimeout), "{error:?}");
    let error = refused(Defaults { retries: 11, ..quick() });
    assert!(matches!(error, BuildError::Retries(RetryPolicyError::TooManyRetries)), "{error:?}");
    let error = builder(&[nobody()]).services([oms(&[])]).build().unwrap_err();
    assert!(matches!(error, BuildError::DoubledService(service) if service.as_str() == "oms"));
    let error = builder(&["http://a/{x}".to_owned()]).build().unwrap_err();
    assert!(matches!(error, BuildError::BaseUrl(url) if url == BaseUrl::parse("http://a/{x}").unwrap()));
    let error = builder(&[nobody()]).manifest_gateway(name("gateway")).build().unwrap_err();
    assert!(matches!(error, BuildError::UnknownGateway(_)), "{error:?}");
    let unspeakable = Identity::new(name("магазин"), keyring());
    let error = ServiceClient::builder(unspeakable).build().unwrap_err();
    assert!(matches!(error, BuildError::Identity(NameError::NotVisibleAscii)), "{error:?}");
}

#[test]
fn a_client_needs_a_runtime() {
    assert!(matches!(builder(&[]).build().unwrap_err(), BuildError::NoRuntime));
}
