//! Manifests that are in no set: the package's first version found them with SCAN, and so must we.
//!
//! A read makes a bounded number of steps; in a large database the next read goes on where it stopped.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use deadpool_redis::redis::{RedisResult, aio::MultiplexedConnection, cmd};
use mesh_core::{
    clock::{Clock, SystemClock},
    name::ServiceName,
};

/// Keys that the server looks at in one step, about 0.2 ms of its time.
const KEYS_PER_STEP: u32 = 1_000;
const STEPS_PER_READ: u32 = 100;
/// A read also stops here, after the step that it is in: a slow server is no reason to fail.
const LONGEST: Duration = Duration::from_secs(1);

/// How far the scan came, and what it found before.
#[derive(Debug, Default)]
pub(super) struct Scan(Mutex<Progress>);

#[derive(Debug, Default)]
struct Progress {
    cursor: u64,
    found: BTreeSet<ServiceName>,
}

impl Scan {
    pub(super) fn cursor(&self) -> u64 {
        self.lock().cursor
    }

    /// Remembers what the last steps found and where they stopped; answers all that was found and not forgotten.
    pub(super) fn found(&self, cursor: u64, found: BTreeSet<ServiceName>) -> BTreeSet<ServiceName> {
        let mut progress = self.lock();
        progress.cursor = cursor;
        progress.found.extend(found);
        progress.found.clone()
    }

    /// Forgets services that have no manifest any more.
    pub(super) fn forget(&self, gone: &[ServiceName]) {
        let mut progress = self.lock();
        for service in gone {
            progress.found.remove(service);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Scans on from `cursor`: where the next read goes on (0: at the start), and the keys found.
pub(super) async fn steps(
    mut redis: MultiplexedConnection,
    glob: String,
    mut cursor: u64,
) -> RedisResult<(u64, Vec<Vec<u8>>)> {
    let (mut keys, started) = (Vec::new(), SystemClock.monotonic());
    for _ in 0..STEPS_PER_READ {
        let mut scan = cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(&glob).arg("COUNT").arg(KEYS_PER_STEP);
        let (next, found): (u64, Vec<Vec<u8>>) = scan.query_async(&mut redis).await?;
        keys.extend(found);
        cursor = next;
        if cursor == 0 || SystemClock.monotonic().since(started) >= LONGEST {
            break;
        }
    }
    Ok((cursor, keys))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_remembered_until_it_is_gone() {
        let [a, b] = ["a", "b"].map(|name| ServiceName::parse(name).unwrap());
        let scan = Scan::default();
        assert_eq!(scan.cursor(), 0);
        scan.found(7, BTreeSet::from([a.clone()]));
        assert_eq!(scan.cursor(), 7, "the next read goes on there");
        assert_eq!(scan.found(0, BTreeSet::from([b.clone()])), BTreeSet::from([a.clone(), b.clone()]));
        scan.forget(&[a]);
        assert_eq!(scan.found(0, BTreeSet::new()), BTreeSet::from([b]));
    }
}
