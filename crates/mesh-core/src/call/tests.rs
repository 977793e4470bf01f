//! The sentences of the wire contract on attempts, told by a loop that owns the time.

mod laws;

use std::fmt::Write as _;

use super::*;
use crate::retry::RetryMethods;

const BEGIN: Tick = Tick(7_000_000_000);
/// Half of every bound: waits of 50, 100, 200 ms.
const HALF: u64 = 1 << 63;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Instances 0, 1, … in this order; 1 retry after 100 ms; attempts of 1 s, a deadline of 3 s.
fn plan(instances: usize) -> CallPlan {
    CallPlan {
        order: (0..instances).collect(),
        policy: RetryPolicy { retries: 1, retry_delay: ms(100), methods: RetryMethods::Idempotent },
        may_repeat: true,
        attempt_timeout: ms(1_000),
        deadline: BEGIN.after(ms(3_000)),
    }
}

fn once(instances: usize) -> CallPlan {
    CallPlan { may_repeat: false, ..plan(instances) }
}

/// `ok`, `500`, `503+N` (Retry-After, in ms), `refused`, `local`, `reset`, `timeout` (takes the whole limit); and how long it took.
fn outcome(word: &str, limit: Duration) -> (Outcome, Duration) {
    match word {
        "ok" => (Outcome::Answered, ms(1)),
        "500" => (Outcome::ServerError { retry_after: None }, Duration::ZERO),
        "refused" => (Outcome::NotSent(Failure::Connect), Duration::ZERO),
        "local" => (Outcome::NotSent(Failure::Local), Duration::ZERO),
        "reset" => (Outcome::Lost(Failure::Reset), Duration::ZERO),
        "timeout" => (Outcome::Lost(Failure::Timeout), limit),
        busy => {
            let wait = busy.strip_prefix("503+").and_then(|text| text.parse().ok()).unwrap();
            (Outcome::ServerError { retry_after: Some(ms(wait)) }, Duration::ZERO)
        }
    }
}

/// Plays `outcomes`, the last one for ever, and tells what the call did: `#1` an attempt at instance 1, `+50` a wait of
/// 50 ms, then the ending.
fn play(plan: CallPlan, outcomes: &str) -> (String, Call) {
    let mut call = Call::new(plan);
    let last = outcomes.split(' ').next_back().into_iter().cycle();
    let mut words = outcomes.split(' ').chain(last);
    let mut now = BEGIN;
    let mut told = String::new();
    loop {
        match call.next(now, HALF) {
            Step::Attempt { instance, limit } => {
                write!(told, "#{instance} ").unwrap();
                let (outcome, took) = outcome(words.next().unwrap(), limit);
                now = now.after(took);
                call.on_outcome(outcome, now);
            }
            Step::Wait(delay) => {
                write!(told, "+{} ", delay.as_millis()).unwrap();
                now = now.after(delay);
            }
            Step::Done(ending) => {
                write!(told, "{ending:?}").unwrap();
                return (told, call);
            }
        }
    }
}

#[track_caller]
fn check(plan: CallPlan, outcomes: &str, expected: &str) {
    assert_eq!(play(plan, outcomes).0, expected, "{outcomes}");
}

#[test]
fn anything_below_500_is_the_answer() {
    check(plan(2), "ok", "#0 Answered");
    check(once(2), "ok", "#0 Answered");
}

#[test]
fn a_5xx_is_retried_at_the_same_instance_after_full_jitter() {
    check(plan(2), "500 ok", "#0 +50 #0 Answered");
    let policy = RetryPolicy { retries: 3, ..plan(1).policy };
    check(CallPlan { policy, ..plan(1) }, "500", "#0 +50 #0 +100 #0 +200 #0 ServerError");
}

#[test]
fn used_up_attempts_move_on_to_the_next_instance_at_once() {
    check(plan(2), "500 500 ok", "#0 +50 #0 #1 Answered");
    check(plan(2), "500", "#0 +50 #0 #1 +50 #1 ServerError");
    let policy = RetryPolicy { retries: 0, ..plan(3).policy };
    check(CallPlan { policy, ..plan(3) }, "500", "#0 #1 #2 ServerError");
}

#[test]
fn no_answer_moves_on_to_the_next_instance_at_once() {
    check(plan(3), "refused reset ok", "#0 #1 #2 Answered");
    check(plan(2), "timeout ok", "#0 #1 Answered");
}

#[test]
fn what_a_failed_instance_has_left_comes_last_after_full_jitter() {
    check(plan(2), "refused", "#0 #1 +50 #0 +50 #1 Failed(Connect)");
    check(plan(2), "reset 500 500 ok", "#0 #1 +50 #1 +50 #0 Answered");
}

#[test]
fn one_instance_alone_is_not_hammered() {
    check(plan(1), "refused", "#0 +50 #0 Failed(Connect)");
}

#[test]
fn once_written_only_a_call_that_may_be_repeated_is_repeated() {
    check(once(2), "500", "#0 ServerError");
    check(once(2), "reset", "#0 Failed(Reset)");
    check(once(2), "timeout", "#0 Failed(Timeout)");
}

#[test]
fn every_call_is_retried_when_no_byte_reached_the_instance() {
    check(once(2), "refused ok", "#0 #1 Answered");
    check(once(2), "refused", "#0 #1 +50 #0 +50 #1 Failed(Connect)");
    check(once(2), "refused reset", "#0 #1 Failed(Reset)");
}

#[test]
fn every_call_is_retried_on_503_with_retry_after() {
    check(once(2), "503+1000 ok", "#0 #1 Answered");
    check(once(1), "503+1000 ok", "#0 +1050 #0 Answered");
    check(once(2), "503+1000 500", "#0 #1 ServerError");
}

#[test]
fn no_instance_is_tried_again_earlier_than_it_asked() {
    check(plan(2), "503+1000 refused ok", "#0 #1 +50 #1 Answered");
    check(plan(2), "503+1000 refused refused ok", "#0 #1 +50 #1 +1000 #0 Answered");
    check(plan(2), "503+900 503+500 ok", "#0 #1 +550 #1 Answered");
}

#[test]
fn a_wait_that_would_pass_the_deadline_ends_the_call_now() {
    check(plan(1), "503+2951", "#0 ServerError");
    check(plan(1), "503+2949 ok", "#0 +2999 #0 Answered");
    let deadline = BEGIN.after(ms(50));
    check(CallPlan { deadline, ..plan(1) }, "500", "#0 ServerError");
    check(CallPlan { deadline, ..plan(1) }, "refused", "#0 Failed(Connect)");
    check(CallPlan { deadline, ..plan(1) }, "timeout", "#0 DeadlineExceeded");
}

#[test]
fn an_attempts_limit_is_cut_to_what_is_left_of_the_deadline() {
    let mut call = Call::new(CallPlan { deadline: BEGIN.after(ms(1_700)), ..plan(2) });
    assert_eq!(call.next(BEGIN, 0), Step::Attempt { instance: 0, limit: ms(1_000) });
    let later = BEGIN.after(ms(1_000));
    call.on_outcome(Outcome::Lost(Failure::Timeout), later);
    assert_eq!(call.next(later, 0), Step::Attempt { instance: 1, limit: ms(700) });
}

#[test]
fn a_deadline_that_passed_ends_the_call() {
    check(CallPlan { deadline: BEGIN, ..plan(2) }, "ok", "DeadlineExceeded");
    check(plan(4), "timeout", "#0 #1 #2 DeadlineExceeded");
    check(CallPlan { deadline: BEGIN.after(ms(10)), ..once(2) }, "timeout", "#0 DeadlineExceeded");
}

#[test]
fn the_last_attempt_decides() {
    check(plan(2), "500 500 reset 500", "#0 +50 #0 #1 +50 #1 ServerError");
    check(plan(2), "500 500 reset reset", "#0 +50 #0 #1 +50 #1 Failed(Reset)");
}

#[test]
fn without_instances_there_is_nothing_to_try() {
    check(plan(0), "ok", "NoInstance");
    check(CallPlan { deadline: BEGIN, ..plan(0) }, "ok", "NoInstance");
}

#[test]
fn the_order_is_the_plans() {
    check(CallPlan { order: vec![2, 0, 1], ..plan(3) }, "refused refused ok", "#2 #0 #1 Answered");
}

#[test]
fn an_interrupted_wait_goes_on() {
    let mut call = Call::new(plan(1));
    assert!(matches!(call.next(BEGIN, 0), Step::Attempt { .. }));
    call.on_outcome(Outcome::ServerError { retry_after: None }, BEGIN);
    assert_eq!(call.next(BEGIN, HALF), Step::Wait(ms(50)));
    assert_eq!(call.next(BEGIN.after(ms(20)), u64::MAX), Step::Wait(ms(30)));
    assert!(matches!(call.next(BEGIN.after(ms(50)), u64::MAX), Step::Attempt { .. }));
}

#[test]
fn an_attempt_whose_outcome_was_never_told_counts_as_lost() {
    let mut call = Call::new(once(2));
    assert!(matches!(call.next(BEGIN, 0), Step::Attempt { .. }));
    assert_eq!(call.next(BEGIN, 0), Step::Done(Ending::Failed(Failure::Reset)));
    assert_eq!(call.next(BEGIN, 0), Step::Done(Ending::Failed(Failure::Reset)), "and it stays over");
    assert_eq!(call.verdicts(), [(0, false)]);
}

#[test]
fn one_call_counts_at_most_one_failure_per_instance() {
    let verdicts = |plan, outcomes| play(plan, outcomes).1.verdicts().to_vec();
    assert_eq!(verdicts(plan(2), "500"), [(0, false), (1, false)]);
    assert_eq!(verdicts(plan(2), "500 ok"), [(0, true)]);
    assert_eq!(verdicts(plan(2), "refused ok"), [(0, false), (1, true)]);
    assert_eq!(verdicts(plan(0), "ok"), []);
}

#[test]
fn an_impatient_caller_ejects_nobody() {
    let verdicts = |left, outcomes| {
        play(CallPlan { deadline: BEGIN.after(ms(left)), ..plan(1) }, outcomes).1.verdicts().to_vec()
    };
    assert_eq!(verdicts(499, "timeout"), []);
    assert_eq!(verdicts(499, "reset"), [(0, false)]);
    assert_eq!(verdicts(500, "timeout"), [(0, false)]);
}

#[test]
fn a_shortage_of_this_side_judges_nobody_and_the_next_instance_is_tried() {
    let verdicts = |outcomes| play(once(2), outcomes).1.verdicts().to_vec();
    check(once(2), "local ok", "#0 #1 Answered");
    check(once(2), "local", "#0 #1 +50 #0 +50 #1 Failed(Local)");
    assert_eq!(verdicts("local ok"), [(1, true)]);
    assert_eq!(verdicts("local"), []);
    assert_eq!(verdicts("refused local"), [(0, false)]);
    assert_eq!(verdicts("local refused refused ok"), [(1, true), (0, false)]);
}
