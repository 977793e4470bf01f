//! Registering routes, once and again and again.

use std::{sync::Arc, time::Duration};

use mesh_core::{
    clock::{SystemClock, UnixMillis},
    event::Event,
    route::{Manifest, Pattern, Route},
    service::{BaseUrl, Service},
    store::{ManifestStore as _, MemoryStore},
};
use mesh_testkit::{Canned, FakeUpstream};

use super::{assert_verifies, builder, name, recording, until, upstream};
use crate::{
    CallError, ServiceClientBuilder,
    register::{RegisterError, Registered, RegistrationTarget},
};

fn manifest() -> Manifest {
    let uri = Pattern::parse("/api/products/{product}").unwrap();
    Manifest::new(name("shop"), vec![Route::new(http::Method::GET, uri)], UnixMillis::from_seconds(1))
}

fn towards(gateway: &FakeUpstream) -> ServiceClientBuilder {
    let service = Service::new(name("gateway"), vec![BaseUrl::parse(&gateway.url()).unwrap()]);
    builder(&[]).services([service]).manifest_gateway(name("gateway"))
}

#[tokio::test]
async fn a_manifest_is_pushed_to_the_gateway_that_is_set() {
    let (gateway, sink) = (upstream([Canned::json(r#"{"status":"registered"}"#)]).await, recording());
    let client = towards(&gateway).event_sink(sink.clone()).build().unwrap();
    let registered = client.register(&manifest()).await.unwrap();
    let target = RegistrationTarget::Gateway(name("gateway"));
    assert_eq!(registered, Registered { service: name("shop"), routes: 1, target });
    let request = gateway.requests().remove(0);
    assert_verifies(&request);
    assert_eq!((request.method.as_str(), &request.target[..]), ("POST", "/microservice/manifest"));
    assert_eq!(Manifest::parse(&request.body).unwrap(), manifest());
    assert_eq!(sink.events(), [Event::RoutesRegistered { service: name("shop"), routes: 1 }]);
}

#[tokio::test]
async fn a_refusal_of_the_gateway_is_carried() {
    let (gateway, sink) = (upstream([Canned::status(409).body("owner")]).await, recording());
    let client = towards(&gateway).event_sink(sink.clone()).build().unwrap();
    let error = client.register(&manifest()).await.unwrap_err();
    let RegisterError::Gateway(CallError::Request { response }) = error else { panic!("{error:?}") };
    assert_eq!((response.status().as_u16(), response.text()), (409, "owner".into()));
    assert_eq!(sink.events(), []);
}

#[tokio::test]
async fn without_a_gateway_a_manifest_is_stored_for_its_time_to_live() {
    let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    let client = builder(&[]).manifest_store(store.clone()).build().unwrap();
    let registered = client.register(&manifest()).await.unwrap();
    assert_eq!(registered.target.to_string(), "store");
    let stored = store.get(&name("shop")).await.unwrap().unwrap();
    assert_eq!(Manifest::parse(&stored.document).unwrap(), manifest());
    let left = stored.expires_in.unwrap();
    assert!(left <= Duration::from_secs(300) && left > Duration::from_secs(200), "{left:?}");
}

#[tokio::test]
async fn with_neither_there_is_nobody_to_register_at() {
    let error = builder(&[]).build().unwrap().register(&manifest()).await.unwrap_err();
    assert!(matches!(error, RegisterError::NoTarget), "{error:?}");
}

#[tokio::test]
async fn routes_stay_registered_until_the_handle_is_dropped() {
    let gateway = upstream([]).await;
    let client = towards(&gateway).build().unwrap();
    let kept = client.keep_registered(manifest(), Duration::from_millis(5));
    until("five registrations", || gateway.count() >= 5).await;
    let sent = Manifest::parse(&gateway.requests().remove(0).body).unwrap();
    assert_eq!(sent.routes, manifest().routes);
    assert_ne!(sent.timestamp, manifest().timestamp, "each registration is as new as it is");
    kept.stop();
    drop(client);
    until("the connections are closed", || gateway.open() == 0).await;
}

#[tokio::test]
async fn a_failed_registration_is_tried_again_before_its_time() {
    let gateway = upstream([Canned::status(409), Canned::json("{}")]).await;
    let client = towards(&gateway).build().unwrap();
    let _kept = client.keep_registered(manifest(), Duration::from_secs(3_600));
    until("the second try", || gateway.count() == 2).await;
}
