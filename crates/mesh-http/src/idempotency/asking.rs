//! Duplicates that come together ask the store once: a storm of one key costs a process one call at a time.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use mesh_core::{
    idempotency::IdempotencyKey,
    store::{Begin, IdempotencyStore, StoreError},
};

type Begun = Shared<BoxFuture<'static, Result<Begin, StoreError>>>;

/// Which keys the store is being asked about.
#[derive(Clone, Default)]
pub(super) struct Asking(Arc<Mutex<HashMap<IdempotencyKey, Begun>>>);

impl fmt::Debug for Asking {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Asking").field("keys", &self.lock().len()).finish()
    }
}

impl Asking {
    fn lock(&self) -> MutexGuard<'_, HashMap<IdempotencyKey, Begun>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `store` says of `key`. Whoever joins a call under way is told what it says; the claim is its caller's alone.
    pub(super) async fn begin(
        &self,
        store: &Arc<dyn IdempotencyStore>,
        key: &IdempotencyKey,
        owner: [u8; 16],
        lease_for: Duration,
    ) -> Result<Begin, StoreError> {
        let (call, joined) = {
            let mut calls = self.lock();
            match calls.get(key) {
                Some(call) => (call.clone(), true),
                None => {
                    let (calls_later, store, key) = (self.clone(), Arc::clone(store), key.clone());
                    let asked = key.clone();
                    let call = async move {
                        let begun = store.begin(&asked, owner, lease_for).await;
                        calls_later.lock().remove(&asked);
                        begun
                    };
                    let call = call.boxed().shared();
                    calls.insert(key, call.clone());
                    (call, false)
                }
            }
        };
        match call.await {
            Ok(Begin::Fresh(_)) if joined => Ok(Begin::InFlight),
            begun => begun,
        }
    }
}
