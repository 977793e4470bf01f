//! The driver over a transport that plays a script, with time that moves by itself.

use std::{
    cell::RefCell,
    collections::VecDeque,
    rc::Rc,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::Method;
use mesh_core::{
    call::Ending,
    clock::{Clock, SystemClock, Tick, UnixMillis},
    entropy::SystemEntropy,
    event::NoEvents,
    health::{
        BreakerState, HealthPolicy,
        verdict::{GOOD_AFTER, ToCome},
        view::ServiceView,
    },
    name::ServiceName,
    retry::{Failure, Outcome, RetryPolicy},
    service::BaseUrl,
    store::MemoryStore,
};

use super::{Attempt, CallFacts, Driver, Pending, Sent, Transport};
use crate::report::reporter;

/// Tokio's clock, which a paused runtime moves.
#[derive(Debug)]
struct TokioClock(tokio::time::Instant);

impl Clock for TokioClock {
    fn unix(&self) -> UnixMillis {
        SystemClock.unix()
    }

    fn monotonic(&self) -> Tick {
        Tick(1).after(self.0.elapsed())
    }
}

fn driver() -> Driver {
    let clock = Arc::new(TokioClock(tokio::time::Instant::now()));
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let policy = HealthPolicy::default();
    let (reporter, _carry) = reporter(store, clock.clone(), policy);
    Driver::new(clock, Arc::new(SystemEntropy::new()), Arc::new(NoEvents), policy, reporter)
}

fn view(instances: usize) -> ServiceView {
    let urls: Vec<_> =
        (0..instances).map(|port| BaseUrl::parse(&format!("http://h:{}", port + 1)).unwrap()).collect();
    ServiceView::new(ServiceName::parse("oms").unwrap(), &urls, None)
}

fn facts() -> CallFacts {
    CallFacts {
        policy: RetryPolicy::default(),
        may_repeat: true,
        attempt_timeout: Duration::from_secs(5),
        begun: Tick(1),
        deadline: Tick(1).after(Duration::from_secs(15)),
    }
}

fn sent(status: u16) -> Sent<u16> {
    let outcome = if status < 500 { Outcome::Answered } else { Outcome::ServerError { retry_after: None } };
    Sent { outcome, status: Some(status), response: Some(status), message: String::new() }
}

fn lost() -> Sent<u16> {
    Sent { outcome: Outcome::Lost(Failure::Reset), status: None, response: None, message: "gone".to_owned() }
}

/// Plays a script and keeps what it was asked.
struct Script {
    answers: Mutex<VecDeque<Sent<u16>>>,
    asked: Mutex<Vec<(String, u32, Duration)>>,
    to_come: ToCome,
}

impl Script {
    fn new(answers: impl IntoIterator<Item = Sent<u16>>) -> Self {
        let answers = Mutex::new(answers.into_iter().collect());
        Self { answers, asked: Mutex::default(), to_come: ToCome::Nothing }
    }
}

impl Transport for Script {
    type Response = u16;

    fn request(&self) -> (&Method, &str) {
        (&Method::GET, "/")
    }

    fn to_come(&self, _: &u16) -> ToCome {
        self.to_come
    }

    async fn send(&self, attempt: Attempt<'_>) -> Sent<u16> {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let asked = (attempt.instance.url.to_string(), attempt.number, attempt.limit);
        self.asked.lock().unwrap().push(asked);
        self.answers.lock().unwrap().pop_front().unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_are_numbered_and_cut_to_the_deadline() {
    let script = Script::new([lost(), lost(), sent(200)]);
    let facts = CallFacts { deadline: Tick(1).after(Duration::from_secs(5)), ..facts() };
    let view = view(3);
    let report = driver().drive(&view, &facts, &script).await;
    assert_eq!((report.ending, report.response), (Ending::Answered, Some(200)));
    let outcomes: Vec<_> = report.attempts.iter().map(|attempt| attempt.outcome.clone()).collect();
    assert_eq!(outcomes, ["reset: gone", "reset: gone", "ok"]);
    assert!(report.attempts.iter().all(|attempt| attempt.elapsed == Duration::from_millis(10)));
    let asked = script.asked.into_inner().unwrap();
    let numbers: Vec<_> = asked.iter().map(|(_, number, _)| *number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    let limits: Vec<_> = asked.iter().map(|(_, _, limit)| limit.as_millis()).collect();
    assert_eq!(limits, [5_000, 4_990, 4_980]);
}

#[tokio::test(start_paused = true)]
async fn the_last_attempt_decides_and_no_earlier_answer_is_passed_on() {
    let view = view(2);
    let report = driver()
        .drive(
            &view,
            &facts(),
            &Script::new([sent(500), sent(500), sent(500), sent(502), sent(503), sent(504)]),
        )
        .await;
    assert_eq!((report.ending, report.response), (Ending::ServerError, Some(504)));
    let once = CallFacts { policy: RetryPolicy { retries: 0, ..RetryPolicy::default() }, ..facts() };
    let report = driver().drive(&view, &once, &Script::new([sent(500), lost()])).await;
    assert_eq!((report.ending, report.response), (Ending::Failed(Failure::Reset), None));
    assert_eq!((report.instance, report.attempts.len()), (None, 2));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_under_way_is_counted_until_it_ends() {
    struct Looking(Arc<ServiceView>);
    impl Transport for Looking {
        type Response = u16;

        fn request(&self) -> (&Method, &str) {
            (&Method::GET, "/")
        }

        fn to_come(&self, _: &u16) -> ToCome {
            ToCome::Nothing
        }

        async fn send(&self, _: Attempt<'_>) -> Sent<u16> {
            assert_eq!(self.0.instances()[0].outstanding(), 1);
            sent(200)
        }
    }
    let view = Arc::new(view(1));
    driver().drive(&view, &facts(), &Looking(Arc::clone(&view))).await;
    assert_eq!(view.instances()[0].outstanding(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_transport_may_belong_to_one_thread() {
    struct Local(Rc<RefCell<u32>>);
    impl Transport for Local {
        type Response = u16;

        fn request(&self) -> (&Method, &str) {
            (&Method::GET, "/")
        }

        fn to_come(&self, _: &u16) -> ToCome {
            ToCome::Nothing
        }

        async fn send(&self, _: Attempt<'_>) -> Sent<u16> {
            let kept = Rc::clone(&self.0);
            tokio::time::sleep(Duration::from_millis(1)).await;
            *kept.borrow_mut() += 1;
            sent(200)
        }
    }
    let counter = Rc::new(RefCell::new(0));
    let view = view(1);
    let report = driver().drive(&view, &facts(), &Local(Rc::clone(&counter))).await;
    assert_eq!((report.response, *counter.borrow()), (Some(200), 1));
}

#[tokio::test]
async fn a_call_over_a_transport_of_all_threads_is_one_of_all_threads() {
    fn is_send<T: Send>(_: &T) {}
    let (driver, view, facts, script) = (driver(), view(1), facts(), Script::new([]));
    is_send(&driver.drive(&view, &facts, &script));
}

/// A call to the only instance of `view`, answered 200.
async fn answered(driver: &Driver, view: &ServiceView, to_come: ToCome) -> Option<Pending> {
    let script = Script { to_come, ..Script::new([sent(200)]) };
    let facts = CallFacts {
        begun: driver.clock.monotonic(),
        deadline: driver.clock.monotonic().after(Duration::from_secs(15)),
        ..facts()
    };
    driver.drive(view, &facts, &script).await.pending
}

#[tokio::test(start_paused = true)]
async fn failures_are_forgotten_when_the_body_has_come_and_not_before() {
    let (driver, view) = (driver(), view(1));
    let instance = &view.instances()[0];
    assert!(answered(&driver, &view, ToCome::Body).await.is_none(), "nothing is on record");
    driver.body_failed(&view, 0, "", "");
    let pending = answered(&driver, &view, ToCome::Body).await.unwrap();
    assert_eq!(instance.failures().0, 1);
    driver.body_failed(&view, 0, "", "");
    drop(pending);
    assert_eq!(instance.failures().0, 2, "bodies that break off add up");
    answered(&driver, &view, ToCome::Body).await.unwrap().good();
    assert_eq!(instance.failures().0, 0);
    for to_come in [ToCome::Nothing, ToCome::Endless] {
        driver.body_failed(&view, 0, "", "");
        assert!(answered(&driver, &view, to_come).await.is_none(), "{to_come:?}");
        assert_eq!(instance.failures().0, 0, "{to_come:?}: at the head");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_lasts_counts_as_good_and_holds_a_probe_no_longer_than_that() {
    let (driver, view) = (driver(), view(1));
    let (instance, policy) = (&view.instances()[0], HealthPolicy::default());
    for _ in 0..policy.failure_threshold() {
        driver.body_failed(&view, 0, "", "");
    }
    tokio::time::sleep(policy.recovery_timeout()).await;
    let now = || driver.clock.monotonic();
    assert_eq!(instance.state(&policy, now()), BreakerState::HalfOpen);
    let pending = answered(&driver, &view, ToCome::Body).await.unwrap();
    assert!(view.order(&policy, now(), true).probe.is_none(), "somebody probes");
    drop(pending);
    assert!(view.order(&policy, now(), true).probe.is_some(), "who gave up probes no more");

    let _pending = answered(&driver, &view, ToCome::Body).await.unwrap();
    tokio::time::sleep(GOOD_AFTER - Duration::from_millis(20)).await;
    assert_eq!(instance.state(&policy, now()), BreakerState::HalfOpen);
    tokio::time::sleep(Duration::from_millis(40)).await;
    assert_eq!(instance.state(&policy, now()), BreakerState::Closed);
}
