//! The caller, against instances on real sockets that answer as the test says.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

use std::sync::{Arc, mpsc::channel};

use mesh_client::{CallError, Identity, ServiceClient, ServiceClientBuilder};
use mesh_core::{
    event::Event,
    health::HealthRecord,
    name::ServiceName,
    secret::Secret,
    service::{BaseUrl, Service},
    signature::Keyring,
    store::MockHealthStore,
};
use mesh_testkit::{Canned, FakeUpstream, RecordingSink};
use testing::Shop;

/// A client that calls `orders` at these instances.
fn client(instances: &[&FakeUpstream]) -> ServiceClientBuilder {
    let keyring = Keyring::new(Secret::try_new("a secret that tests share").unwrap());
    let urls = instances.iter().map(|instance| BaseUrl::parse(&instance.url()).unwrap()).collect();
    ServiceClient::builder(Identity::new(ServiceName::parse("shop").unwrap(), keyring))
        .services([Service::new(ServiceName::parse("orders").unwrap(), urls)])
}

async fn instance(answer: Canned) -> FakeUpstream {
    FakeUpstream::scripted([answer]).await.unwrap()
}

#[tokio::test]
async fn the_shop_takes_the_number_that_the_service_gives() {
    let orders = instance(Canned::json(r#"{"order":7}"#)).await;
    let shop = Shop::new(client(&[&orders]).build().unwrap());
    assert_eq!(shop.order("a").await.unwrap(), 7);
    let asked = &orders.requests()[0];
    assert_eq!((asked.method.as_str(), &asked.target[..]), ("POST", "/api/orders"));
    assert_eq!(asked.header("idempotency-key"), [b"a"]);
}

#[tokio::test]
async fn a_refusal_is_an_error_that_carries_the_answer() {
    let orders = instance(Canned::status(409).body("sold out")).await;
    let error = Shop::new(client(&[&orders]).build().unwrap()).order("a").await.unwrap_err();
    let CallError::Request { response } = error else { panic!("{error:?}") };
    assert_eq!((response.status().as_u16(), response.text()), (409, "sold out".into()));
}

/// The shop gave a key, so the order may be sent again; the store hears once of the instance that failed.
#[tokio::test]
async fn when_an_instance_is_reset_the_next_one_takes_the_order() {
    let (broken, good) = (instance(Canned::reset()).await, instance(Canned::json(r#"{"order":7}"#)).await);
    let mut store = MockHealthStore::new();
    store.expect_read().returning(|instances| Ok(vec![None; instances.len()]));
    let (told, heard) = channel();
    store.expect_add_failure().returning(move |instance, now, _| {
        told.send(instance.url.to_string()).unwrap();
        Ok(HealthRecord { failures: 1, last_failure: now.seconds() })
    });
    let sink = Arc::new(RecordingSink::new());
    let client = client(&[&broken, &good]).health_store(Arc::new(store)).event_sink(sink.clone());
    let client = client.build().unwrap();
    assert_eq!(Shop::new(client.clone()).order("a").await.unwrap(), 7);
    client.finish().await;
    assert_eq!(heard.try_iter().collect::<Vec<_>>(), [broken.url()]);
    assert!(matches!(&sink.take()[..], [Event::ServiceRequestFailed { .. }]));
}
