//! What the local view promises: one word for a record, one probe, changes told once.

use std::{sync::Arc, thread, time::Duration};

use super::{Change, InstanceView, Order, ServiceView, record::Packed};
use crate::{
    clock::{Tick, UnixMillis},
    health::{BreakerState, HealthPolicy, HealthRecord},
    name::ServiceName,
    service::BaseUrl,
};

const CLOSED: BreakerState = BreakerState::Closed;
const HALF_OPEN: BreakerState = BreakerState::HalfOpen;
const OPEN: BreakerState = BreakerState::Open;

/// Three failures, thirty seconds.
fn policy() -> HealthPolicy {
    HealthPolicy::default()
}

fn second(seconds: u64) -> Tick {
    Tick(seconds * 1_000_000_000)
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn service(count: usize) -> ServiceView {
    service_of(&(0..count).map(|n| format!("http://{n}.test")).collect::<Vec<_>>(), None)
}

fn service_of(urls: &[String], previous: Option<&ServiceView>) -> ServiceView {
    let urls: Vec<_> = urls.iter().map(|url| BaseUrl::parse(url).unwrap()).collect();
    ServiceView::new(ServiceName::parse("orders").unwrap(), &urls, previous)
}

fn instance() -> Arc<InstanceView> {
    Arc::clone(&service(1).instances()[0])
}

fn fail(instance: &InstanceView, times: u32, at: Tick) -> Vec<Option<Change>> {
    (0..times).map(|_| instance.add_failure(&policy(), at)).collect()
}

/// The wall clock at the first tick, in seconds.
const WALL: u64 = 1_700_000_000;

fn wall(now: Tick) -> UnixMillis {
    UnixMillis::from_seconds(WALL + now.0 / 1_000_000_000)
}

/// Adopts `failures`, the last one `age` before `now` by a clock that agrees with ours; 0: no record.
fn adopt(instance: &InstanceView, failures: u32, age: Duration, now: Tick) -> Option<Change> {
    let record = HealthRecord { failures, last_failure: wall(now).seconds() - age.as_secs() };
    instance.adopt(&policy(), (failures > 0).then_some(record), wall(now), now)
}

fn first(order: &Order) -> (usize, bool) {
    (order.indices[0], order.probe.is_some())
}

#[test]
fn a_failure_changes_the_state_only_at_the_threshold() {
    let changes = fail(&instance(), 4, second(1));
    assert_eq!(changes, [None, None, Some(Change { from: CLOSED, to: OPEN }), None]);
}

#[test]
fn an_open_instance_becomes_half_open_then_is_forgotten() {
    let instance = instance();
    fail(&instance, 3, second(1));
    for (at, expected) in [(30, OPEN), (31, HALF_OPEN), (60, HALF_OPEN), (61, CLOSED)] {
        assert_eq!(instance.state(&policy(), second(at)), expected, "at {at}");
    }
    assert_eq!(fail(&instance, 1, second(61)), [None], "counted from one again");
    assert_eq!(instance.failures(), (1, second(61)));
}

#[test]
fn a_failed_probe_opens_the_instance_again() {
    let instance = instance();
    fail(&instance, 3, second(1));
    assert_eq!(fail(&instance, 1, second(40)), [Some(Change { from: HALF_OPEN, to: OPEN })]);
    assert_eq!(instance.state(&policy(), second(69)), OPEN);
}

#[test]
fn a_success_is_told_only_if_a_failure_was_on_record() {
    let instance = instance();
    assert_eq!(instance.succeed(&policy(), second(1)), (false, None));
    fail(&instance, 1, second(2));
    assert_eq!(instance.succeed(&policy(), second(3)), (true, None));
    fail(&instance, 3, second(4));
    assert_eq!(instance.succeed(&policy(), second(5)), (true, Some(Change { from: OPEN, to: CLOSED })));
    fail(&instance, 3, second(6));
    assert_eq!(instance.succeed(&policy(), second(66)), (false, None), "forgotten by then");
}

#[test]
fn of_concurrent_failures_none_is_lost_and_one_sees_the_change() {
    let instance = instance();
    let changes: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| fail(&instance, 1_000, second(1)).into_iter().flatten().count()))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!((instance.failures().0, changes), (8_000, 1));
}

#[test]
fn a_record_older_than_the_process_keeps_its_age() {
    let instance = instance();
    let opened = adopt(&instance, 3, seconds(29), second(1));
    assert_eq!(opened, Some(Change { from: CLOSED, to: OPEN }));
    assert_eq!(instance.state(&policy(), second(2)), HALF_OPEN);
    assert_eq!(instance.failures(), (3, Tick(0)));
}

#[test]
fn what_others_saw_is_taken_over() {
    let instance = instance();
    adopt(&instance, 2, seconds(1), second(10));
    assert_eq!(instance.failures(), (2, second(9)));
    assert_eq!(fail(&instance, 1, second(10)), [Some(Change { from: CLOSED, to: OPEN })]);
    let cleared = adopt(&instance, 0, seconds(0), second(13));
    assert_eq!(cleared, Some(Change { from: OPEN, to: CLOSED }));
    assert_eq!(adopt(&instance, 9, seconds(60), second(13)), None, "as old as its ttl");
}

#[test]
fn a_failure_that_the_store_does_not_know_yet_is_kept_for_two_seconds() {
    let instance = instance();
    fail(&instance, 3, second(10));
    assert_eq!(adopt(&instance, 0, seconds(0), second(11)), None);
    assert_eq!(adopt(&instance, 2, seconds(5), second(11)), None);
    assert_eq!(instance.failures().0, 3);
    adopt(&instance, 4, seconds(0), second(11));
    assert_eq!(instance.failures().0, 4, "the store knows more");
    let cleared = adopt(&instance, 0, seconds(0), second(12));
    assert_eq!(cleared, Some(Change { from: OPEN, to: CLOSED }));
}

#[test]
fn a_failed_probe_is_not_undone_by_as_many_older_failures_in_the_store() {
    let instance = instance();
    adopt(&instance, 3, seconds(0), second(1));
    fail(&instance, 1, second(40));
    assert_eq!(adopt(&instance, 4, seconds(35), second(41)), None, "somebody else's, before ours");
    assert_eq!(instance.state(&policy(), second(41)), OPEN);
}

#[test]
fn a_success_that_the_store_does_not_know_yet_is_kept_for_two_seconds() {
    let instance = instance();
    fail(&instance, 3, second(5));
    instance.succeed(&policy(), second(10));
    assert_eq!(adopt(&instance, 3, seconds(6), second(11)), None);
    assert_eq!(instance.state(&policy(), second(11)), CLOSED);
    let newer = adopt(&instance, 3, seconds(0), second(11));
    assert_eq!(newer, Some(Change { from: CLOSED, to: OPEN }), "it failed again, for somebody else");
    instance.succeed(&policy(), second(12));
    assert!(adopt(&instance, 3, seconds(4), second(14)).is_some(), "the store is right by now");
}

#[test]
fn a_record_from_a_clock_that_is_ahead_ages_from_its_first_reading() {
    let instance = instance();
    let ahead = Some(HealthRecord { failures: 3, last_failure: WALL + 3_600 });
    let at = |now| {
        instance.adopt(&policy(), ahead, wall(second(now)), second(now));
        instance.state(&policy(), second(now))
    };
    let states: Vec<_> = [1, 11, 30, 31, 60, 61, 62].map(at).into();
    assert_eq!(states, [OPEN, OPEN, OPEN, HALF_OPEN, HALF_OPEN, CLOSED, CLOSED]);
    let again = Some(HealthRecord { failures: 4, last_failure: WALL + 3_660 });
    instance.adopt(&policy(), again, wall(second(63)), second(63));
    assert_eq!(instance.state(&policy(), second(63)), OPEN, "another record is another failure");
}

#[test]
fn a_step_of_our_wall_clock_changes_the_age_of_no_record() {
    let record = Some(HealthRecord { failures: 3, last_failure: WALL });
    for stepped in [WALL - 3_600, WALL + 3_600] {
        let instance = instance();
        instance.adopt(&policy(), record, wall(second(5)), second(5));
        for (now, expected) in [(6, OPEN), (29, OPEN), (30, HALF_OPEN)] {
            instance.adopt(&policy(), record, UnixMillis::from_seconds(stepped + now), second(now));
            assert_eq!(instance.state(&policy(), second(now)), expected, "at {now}");
        }
    }
}

#[test]
fn an_attempt_counts_until_it_is_dropped() {
    let service = service(2);
    let busy = service.instances()[0].begin(&policy(), second(1));
    for _ in 0..4 {
        assert_eq!(service.order(&policy(), second(1), true).indices, [1, 0]);
    }
    assert_eq!(service.instances()[0].outstanding(), 1);
    drop(busy);
    assert_eq!(service.instances()[0].outstanding(), 0);
    let firsts: Vec<_> = (0..4).map(|_| service.order(&policy(), second(1), true).indices[0]).collect();
    assert_eq!(firsts, [0, 1, 0, 1]);
}

#[test]
fn one_call_probes_until_its_verdict_is_in() {
    let service = service(3);
    fail(&service.instances()[1], 3, second(1));
    assert_ne!(service.order(&policy(), second(40), false).indices[0], 1, "may not be repeated");
    let probing = service.order(&policy(), second(40), true);
    assert_eq!(first(&probing), (1, true));
    let attempt = service.instances()[1].begin(&policy(), second(40));
    assert_ne!(first(&service.order(&policy(), second(40), true)), (1, true));
    drop(attempt);
    assert_ne!(first(&service.order(&policy(), second(40), true)), (1, true), "its verdict is not in");
    drop(probing);
    assert_eq!(first(&service.order(&policy(), second(40), true)), (1, true));
}

#[test]
fn an_attempt_at_a_half_open_instance_is_a_probe_whoever_makes_it() {
    let service = service(2);
    fail(&service.instances()[0], 3, second(1));
    let attempt = service.instances()[0].begin(&policy(), second(40));
    assert_eq!(first(&service.order(&policy(), second(40), true)), (1, false));
    drop(attempt);
    assert_eq!(first(&service.order(&policy(), second(40), true)), (0, true));
}

#[test]
fn of_concurrent_calls_exactly_one_probes() {
    for _ in 0..200 {
        let service = service(3);
        fail(&service.instances()[2], 3, second(1));
        let probes: usize = thread::scope(|scope| {
            let orders: Vec<_> =
                (0..8).map(|_| scope.spawn(|| service.order(&policy(), second(40), true))).collect();
            let orders: Vec<_> = orders.into_iter().map(|order| order.join().unwrap()).collect();
            orders.iter().filter(|order| order.probe.is_some()).count()
        });
        assert_eq!(probes, 1);
    }
}

#[test]
fn a_new_view_keeps_the_instances_it_knows() {
    let urls = |hosts: &[&str]| hosts.iter().map(|host| format!("http://{host}")).collect::<Vec<_>>();
    let old = service_of(&urls(&["a", "b"]), None);
    fail(&old.instances()[1], 3, second(1));
    let new = service_of(&urls(&["c", "b", "b"]), Some(&old));
    assert_eq!(new.instances().len(), 2);
    assert!(Arc::ptr_eq(&new.instances()[1], &old.instances()[1]));
    assert_eq!(new.order(&policy(), second(2), true).indices, [0, 1]);
}

#[test]
fn the_count_stays_at_its_greatest_value() {
    let full = Packed::new(u32::MAX, seconds(0), second(1));
    let more = full.and_one_more(&policy(), second(2));
    assert_eq!((more.failures(), more.last()), (full.failures(), second(2)));
}

#[test]
fn all_are_open_when_none_may_be_asked_and_where_there_is_none() {
    let service = service(2);
    let is_open = |now| service.all_open(&policy(), now);
    assert!(!is_open(second(1)));
    fail(&service.instances()[0], 3, second(1));
    assert!(!is_open(second(1)), "the other one is fit");
    fail(&service.instances()[1], 3, second(1));
    assert!(is_open(second(1)));
    assert!(!is_open(second(40)), "half open is fit to be probed");
    assert!(self::service(0).all_open(&policy(), second(1)));
}

#[test]
fn clones_see_the_same_instances_and_take_turns_together() {
    let service = service(2);
    let clone = service.clone();
    let first = |view: &ServiceView| view.order(&policy(), second(1), false).indices[0];
    assert_ne!(first(&service), first(&clone));
    fail(&clone.instances()[0], 3, second(1));
    assert_eq!(service.instances()[0].failures().0, 3);
}
