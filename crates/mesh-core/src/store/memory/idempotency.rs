//! The idempotency port in memory.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;

use super::{MemoryStore, expiring::Expiring};
use crate::{
    clock::Tick,
    idempotency::{Answer, AnswerBody, Fingerprint, IdempotencyKey},
    store::{Begin, IdempotencyStore, Lease, StoreError},
};

/// What answers that are kept may weigh together. One that finds no room is remembered as done without its body, so that
/// whoever sends many keys fills no memory, and no request runs twice.
const ROOM: usize = 64 * 1024 * 1024;
/// How often ended entries are looked for when there is no room.
const BETWEEN_SWEEPS: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct IdempotencyMemory {
    entries: Mutex<Expiring<IdempotencyKey, Entry>>,
    held: Arc<AtomicUsize>,
    room: usize,
}

#[derive(Debug)]
enum Entry {
    Leased { owner: [u8; 16] },
    Answered { fingerprint: Option<Fingerprint>, answer: Answer, _weight: Weight },
}

/// The bytes of one answer, counted as held until it is dropped.
#[derive(Debug)]
struct Weight {
    bytes: usize,
    held: Arc<AtomicUsize>,
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Entry {
    fn is_leased_to(&self, by: &[u8; 16]) -> bool {
        matches!(self, Self::Leased { owner } if owner == by)
    }
}

impl Default for IdempotencyMemory {
    fn default() -> Self {
        Self::with_room(ROOM)
    }
}

impl IdempotencyMemory {
    fn with_room(room: usize) -> Self {
        Self { entries: Mutex::default(), held: Arc::default(), room }
    }

    fn lock(&self) -> MutexGuard<'_, Expiring<IdempotencyKey, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, key: &IdempotencyKey, owner: [u8; 16], now: Tick, lease_for: Duration) -> Begin {
        let mut entries = self.lock();
        match entries.get(key, now) {
            Some((Entry::Leased { .. }, _)) => Begin::InFlight,
            Some((Entry::Answered { fingerprint, answer, .. }, _)) => {
                Begin::Answered(*fingerprint, answer.clone())
            }
            None => {
                entries.insert(key.clone(), Entry::Leased { owner }, now, lease_for);
                Begin::Fresh(Lease { key: key.clone(), owner })
            }
        }
    }

    fn complete(
        &self,
        lease: &Lease,
        fingerprint: Fingerprint,
        answer: &Answer,
        now: Tick,
        ttl: Duration,
    ) -> bool {
        let mut entries = self.lock();
        let current = entries.get(&lease.key, now).is_some_and(|(entry, _)| entry.is_leased_to(&lease.owner));
        if current {
            let mut bytes = weight(answer);
            if self.held.load(Ordering::Relaxed).saturating_add(bytes) > self.room {
                entries.sweep(now, BETWEEN_SWEEPS);
            }
            let answer = if self.held.load(Ordering::Relaxed).saturating_add(bytes) <= self.room {
                answer.clone()
            } else {
                bytes = 0;
                Answer { status: answer.status, headers: Vec::new(), body: AnswerBody::NotKept }
            };
            self.held.fetch_add(bytes, Ordering::Relaxed);
            let _weight = Weight { bytes, held: Arc::clone(&self.held) };
            let fingerprint = (!lease.key.is_compat()).then_some(fingerprint);
            entries.insert(lease.key.clone(), Entry::Answered { fingerprint, answer, _weight }, now, ttl);
        }
        current
    }
}

/// The bytes of an answer's headers and body.
fn weight(answer: &Answer) -> usize {
    let body = match &answer.body {
        AnswerBody::Whole(body) => body.len(),
        AnswerBody::NotKept => 0,
    };
    answer.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>() + body
}

#[async_trait]
impl IdempotencyStore for MemoryStore {
    async fn begin(
        &self,
        key: &IdempotencyKey,
        owner: [u8; 16],
        lease_for: Duration,
    ) -> Result<Begin, StoreError> {
        Ok(self.idempotency.begin(key, owner, self.clock.monotonic(), lease_for))
    }

    async fn renew(&self, lease: &Lease, lease_for: Duration) -> Result<bool, StoreError> {
        let now = self.clock.monotonic();
        Ok(self
            .idempotency
            .lock()
            .renew(&lease.key, now, lease_for, |entry| entry.is_leased_to(&lease.owner)))
    }

    async fn complete(
        &self,
        lease: &Lease,
        fingerprint: &Fingerprint,
        answer: &Answer,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        Ok(self.idempotency.complete(lease, *fingerprint, answer, self.clock.monotonic(), ttl))
    }

    async fn release(&self, lease: &Lease) -> Result<bool, StoreError> {
        let now = self.clock.monotonic();
        let mut entries = self.idempotency.lock();
        let current = entries.get(&lease.key, now).is_some_and(|(entry, _)| entry.is_leased_to(&lease.owner));
        if current {
            entries.remove(&lease.key, now);
        }
        Ok(current)
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::*;
    use crate::{idempotency::RequestKey, name::ServiceName};

    const TTL: Duration = Duration::from_secs(60);
    const MINE: Fingerprint = Fingerprint([1; 32]);

    #[track_caller]
    fn run(memory: &IdempotencyMemory, key: &'static str, now: Tick) -> IdempotencyKey {
        let headers = HeaderMap::from_iter([(crate::header::IDEMPOTENCY_KEY, HeaderValue::from_static(key))]);
        let sent = RequestKey::from_headers(&headers).unwrap().unwrap();
        let key = IdempotencyKey::scoped("shop", &ServiceName::default(), &sent);
        let Begin::Fresh(lease) = memory.begin(&key, [7; 16], now, TTL) else { panic!("not fresh") };
        let answer = Answer { status: 201, headers: Vec::new(), body: AnswerBody::Whole("123456".into()) };
        assert!(memory.complete(&lease, MINE, &answer, now, TTL));
        key
    }

    fn is_kept(memory: &IdempotencyMemory, key: &IdempotencyKey, now: Tick) -> Option<bool> {
        match memory.begin(key, [8; 16], now, TTL) {
            Begin::Answered(_, answer) => Some(answer.body != AnswerBody::NotKept),
            _ => None,
        }
    }

    #[test]
    fn an_answer_without_room_is_remembered_as_done_without_its_body() {
        let memory = IdempotencyMemory::with_room(10);
        let (first, second) = (run(&memory, "a", Tick(0)), run(&memory, "b", Tick(0)));
        assert_eq!(is_kept(&memory, &first, Tick(0)), Some(true));
        assert_eq!(is_kept(&memory, &second, Tick(0)), Some(false));
        assert_eq!(memory.held.load(Ordering::Relaxed), 6);
    }

    #[test]
    fn answers_that_ended_give_their_room_back() {
        let memory = IdempotencyMemory::with_room(10);
        run(&memory, "a", Tick(0));
        let later = Tick(0).after(2 * TTL);
        let next = run(&memory, "b", later);
        assert_eq!(is_kept(&memory, &next, later), Some(true));
    }
}
