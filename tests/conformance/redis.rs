//! The ports on a real Redis, a server for each test; expiries run on the server's clock.

use std::sync::Arc;

use mesh_redis::{ConnectError, RedisStore};
use mesh_testkit::RedisServer;

const PREFIX: &str = "microservice:";

fn store(server: &RedisServer) -> Result<Arc<RedisStore>, ConnectError> {
    RedisStore::connect(&server.url(), PREFIX).map(Arc::new)
}

mod health {
    use mesh_testkit::{RedisServer, conformance::health::Health};

    async fn under_test() -> Health {
        let server = RedisServer::start().await;
        let store = super::store(&server).expect("the URL of a test server");
        Health::on_system_clock(store).keeping(server)
    }

    mesh_testkit::health_conformance!(under_test().await);

    #[tokio::test]
    async fn what_does_not_parse_is_no_record() {
        let server = RedisServer::start().await;
        let store = super::store(&server).expect("the URL of a test server");
        let health = Health::on_system_clock(store.clone());
        mesh_testkit::conformance::health::what_does_not_parse_is_no_record(
            &health,
            async |instance, bytes| {
                server.command(&[b"SET", store.keys().health(instance).as_bytes(), bytes]).await;
            },
        )
        .await;
    }
}

mod manifest {
    use mesh_testkit::{RedisServer, conformance::manifest::Manifests};

    async fn under_test() -> Manifests {
        let server = RedisServer::start().await;
        let store = super::store(&server).expect("the URL of a test server");
        Manifests::on_system_clock(store).keeping(server)
    }

    mesh_testkit::manifest_conformance!(under_test().await);
}

mod idempotency {
    use mesh_testkit::{RedisServer, conformance::idempotency::Idempotency};

    async fn under_test() -> Idempotency {
        let server = RedisServer::start().await;
        let store = super::store(&server).expect("the URL of a test server");
        Idempotency::on_system_clock(store).keeping(server)
    }

    mesh_testkit::idempotency_conformance!(under_test().await);

    #[tokio::test]
    async fn what_cannot_be_read_is_never_run_again() {
        let server = RedisServer::start().await;
        let store = super::store(&server).expect("the URL of a test server");
        let idempotency = Idempotency::on_system_clock(store.clone());
        mesh_testkit::conformance::idempotency::what_cannot_be_read_is_never_run_again(
            &idempotency,
            async |key, bytes| {
                server.command(&[b"SET", store.keys().idempotency(key).as_bytes(), bytes]).await;
            },
        )
        .await;
    }
}
