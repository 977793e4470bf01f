//! The ports in memory, on a clock that is moved by hand.

use std::sync::Arc;

use mesh_core::store::MemoryStore;
use mesh_testkit::ManualClock;

fn memory() -> (Arc<MemoryStore>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::default());
    (Arc::new(MemoryStore::new(clock.clone())), clock)
}

mod health {
    use mesh_testkit::conformance::health::Health;

    fn under_test() -> Health {
        let (store, clock) = super::memory();
        Health::on_manual_clock(store, clock)
    }

    mesh_testkit::health_conformance!(under_test());
}

mod manifest {
    use mesh_testkit::conformance::manifest::Manifests;

    fn under_test() -> Manifests {
        let (store, clock) = super::memory();
        Manifests::on_manual_clock(store, clock)
    }

    mesh_testkit::manifest_conformance!(under_test());
}

mod idempotency {
    use mesh_testkit::conformance::idempotency::Idempotency;

    fn under_test() -> Idempotency {
        let (store, clock) = super::memory();
        Idempotency::on_manual_clock(store, clock)
    }

    mesh_testkit::idempotency_conformance!(under_test());
}
