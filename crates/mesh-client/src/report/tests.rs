//! The reporter and the synchronizer over stores that hang, fail and come back, with time that moves by itself.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use mesh_core::{
    clock::{SystemClock, UnixMillis},
    event::NoEvents,
    health::{BreakerState, view::ServiceView},
    name::ServiceName,
    service::{BaseUrl, Instance},
};
use tokio::time::{Instant, sleep};

use super::*;

/// What the store does until further notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Fine,
    Hangs,
    Fails,
}

#[derive(Debug)]
struct MoodyStore {
    mood: Mutex<Mood>,
    failures: AtomicU32,
    asked: AtomicU32,
    told: AtomicBool,
}

impl MoodyStore {
    fn new(mood: Mood) -> Arc<Self> {
        let (failures, asked, told) = Default::default();
        Arc::new(Self { mood: Mutex::new(mood), failures, asked, told })
    }

    fn turn(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    async fn ask(&self) -> Result<(), StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Fine => Ok(()),
            Mood::Hangs => std::future::pending().await,
            Mood::Fails => Err(StoreError::Unreachable("gone".to_owned())),
        }
    }

    fn record(&self) -> HealthRecord {
        let last_failure = SystemClock.unix().seconds();
        HealthRecord { failures: self.failures.load(Ordering::SeqCst), last_failure }
    }
}

#[async_trait]
impl HealthStore for MoodyStore {
    async fn add_failure(
        &self,
        _: &Instance,
        _: UnixMillis,
        _: Duration,
    ) -> Result<HealthRecord, StoreError> {
        self.ask().await?;
        self.failures.fetch_add(1, Ordering::SeqCst);
        Ok(self.record())
    }

    async fn clear(&self, _: &Instance) -> Result<bool, StoreError> {
        self.ask().await?;
        self.told.store(true, Ordering::SeqCst);
        Ok(self.failures.swap(0, Ordering::SeqCst) > 0)
    }

    async fn read(&self, instances: &[Instance]) -> Result<Vec<Option<HealthRecord>>, StoreError> {
        self.ask().await?;
        Ok(vec![Some(self.record()); instances.len()])
    }
}

fn view() -> Arc<ServiceView> {
    let url = BaseUrl::parse("http://h:1").unwrap();
    Arc::new(ServiceView::new(ServiceName::parse("oms").unwrap(), &[url], None))
}

fn sink() -> Arc<dyn EventSink> {
    Arc::new(NoEvents)
}

fn start(store: &Arc<MoodyStore>) -> Reporter {
    let policy = HealthPolicy::default();
    let (reporter, carry) = reporter(Arc::<MoodyStore>::clone(store), Arc::new(SystemClock), policy);
    tokio::spawn(carry);
    reporter
}

fn watch(store: &Arc<MoodyStore>, view: &Arc<ServiceView>, period: Duration) {
    let views = view.instances().to_vec();
    let views: Views = Arc::new(move || views.clone());
    let store = Arc::<MoodyStore>::clone(store);
    let policy = HealthPolicy::default();
    tokio::spawn(synchronize(store, Arc::new(SystemClock), sink(), policy, views, period));
}

#[tokio::test(start_paused = true)]
async fn reports_of_one_instance_are_folded_while_the_store_is_busy() {
    let (store, view) = (MoodyStore::new(Mood::Fine), view());
    let reporter = start(&store);
    for _ in 0..1_000 {
        reporter.failed(&view.instances()[0], &sink());
    }
    sleep(Duration::from_secs(1)).await;
    assert_eq!(store.asked(), 3, "no more failures than open the breaker");
    reporter.failed(&view.instances()[0], &sink());
    reporter.succeeded(&view.instances()[0], &sink());
    reporter.failed(&view.instances()[0], &sink());
    sleep(Duration::from_secs(1)).await;
    assert_eq!((store.asked(), store.failures.load(Ordering::SeqCst)), (5, 1), "cleared, then one failure");
    assert!(store.told.load(Ordering::SeqCst));
}

#[tokio::test(start_paused = true)]
async fn a_report_never_waits_for_a_store_that_hangs() {
    let (store, view) = (MoodyStore::new(Mood::Hangs), view());
    let reporter = start(&store);
    let begun = Instant::now();
    for _ in 0..100 {
        reporter.failed(&view.instances()[0], &sink());
        tokio::task::yield_now().await;
    }
    assert_eq!((begun.elapsed(), store.asked()), (Duration::ZERO, 1));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_down_is_left_alone_and_told_again_when_it_is_back() {
    let (store, view) = (MoodyStore::new(Mood::Fails), view());
    let reporter = start(&store);
    for _ in 0..1_050 {
        reporter.failed(&view.instances()[0], &sink());
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(store.asked(), 4, "after 0, 1, 3 and 7 s");
    store.turn(Mood::Fine);
    sleep(Duration::from_secs(4)).await;
    assert_eq!(store.failures.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn what_was_reported_is_written_before_the_carrier_ends() {
    let (store, view) = (MoodyStore::new(Mood::Fine), view());
    let policy = HealthPolicy::default();
    let (reporter, carry) = reporter(store.clone(), Arc::new(SystemClock), policy);
    reporter.failed(&view.instances()[0], &sink());
    drop(reporter);
    carry.await;
    assert_eq!(store.failures.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn the_failures_of_others_come_home_with_the_answer_to_a_report() {
    let (store, view) = (MoodyStore::new(Mood::Fine), view());
    store.failures.store(2, Ordering::SeqCst);
    let reporter = start(&store);
    reporter.failed(&view.instances()[0], &sink());
    sleep(Duration::from_secs(1)).await;
    assert_eq!(view.instances()[0].failures().0, 3);
}

#[tokio::test(start_paused = true)]
async fn shared_health_is_read_once_per_period_and_kept_when_the_store_is_gone() {
    let (store, view) = (MoodyStore::new(Mood::Fine), view());
    store.failures.store(3, Ordering::SeqCst);
    watch(&store, &view, Duration::from_secs(1));
    sleep(Duration::from_millis(9_500)).await;
    assert_eq!(store.asked(), 10);
    let state = || view.instances()[0].state(&HealthPolicy::default(), SystemClock.monotonic());
    assert_eq!(state(), BreakerState::Open);
    store.turn(Mood::Fails);
    store.failures.store(0, Ordering::SeqCst);
    sleep(Duration::from_secs(10)).await;
    assert_eq!((store.asked(), state()), (20, BreakerState::Open));
    store.turn(Mood::Fine);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_asked_once_per_second() {
    let (store, view) = (MoodyStore::new(Mood::Hangs), view());
    watch(&store, &view, Duration::from_millis(100));
    sleep(Duration::from_millis(9_900)).await;
    assert!((9..=10).contains(&store.asked()), "{}", store.asked());
}
