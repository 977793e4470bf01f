//! Several services at once, by one caller.

use std::time::Duration;

use mesh_client::{Identity, ServiceClient};
use mesh_core::{
    name::ServiceName,
    secret::Secret,
    service::{BaseUrl, Service},
    signature::Keyring,
};
use tempfile::TempDir;

use crate::house::{SECRET, python_service};

/// The services tell on one clock, the system's, when each began and ended.
#[tokio::test]
async fn a_pool_over_three_services_of_100_ms_each_takes_as_long_as_one() {
    let names = ["users", "orders", "stock"];
    let started = names.map(|name| (ServiceName::parse(name).unwrap(), python_service(name)));
    let services = started.iter().map(|(name, (_, port))| {
        Service::new(name.clone(), vec![BaseUrl::parse(&format!("http://127.0.0.1:{port}")).unwrap()])
    });
    let keyring = Keyring::new(Secret::try_new(SECRET).unwrap());
    let identity = Identity::new(ServiceName::parse("page").unwrap(), keyring);
    let client = ServiceClient::builder(identity).services(services).build().unwrap();

    let folder = TempDir::new().unwrap();
    let folder = folder.path().to_str().unwrap();
    let mut pool = client.pool();
    for name in names {
        let request =
            client.service(name).get("/api/together").with_query([("count", "3"), ("folder", folder)]);
        pool = pool.add(name, request.timeout(Duration::from_secs(30)));
    }
    let answers = pool.send().await;

    let (mut begun, mut ended) = (Vec::new(), Vec::new());
    for (name, (answered, result)) in names.into_iter().zip(answers) {
        assert_eq!(name, answered);
        let answer = result.unwrap().throw().unwrap();
        let moment = |key| answer.get(key).and_then(|value| value.as_f64()).unwrap();
        assert!(moment("ended") - moment("begun") >= 0.1, "{name} took its 100 ms");
        begun.push(moment("begun"));
        ended.push(moment("ended"));
    }
    let last_began = begun.into_iter().fold(f64::MIN, f64::max);
    let first_ended = ended.into_iter().fold(f64::MAX, f64::min);
    assert!(last_began < first_ended, "all had begun before any ended: {last_began} {first_ended}");
}
