//! What holds for every call, whatever its attempts give and however long they take.

use proptest::{collection::vec, prelude::*, sample::select};

use super::{super::*, BEGIN, ms, plan};

#[derive(Clone, Debug)]
struct Told {
    instance: usize,
    begun: Tick,
    limit: Duration,
    outcome: Outcome,
    ended: Tick,
}

/// Drives a call to its end; an attempt takes its time or its limit, whichever is less.
fn drive(plan: &CallPlan, script: &[(Outcome, u64)], random: u64) -> (Vec<Told>, Ending, Call) {
    let mut call = Call::new(plan.clone());
    let mut script = script.iter().cycle();
    let (mut now, mut told) = (BEGIN, Vec::new());
    loop {
        match call.next(now, random) {
            Step::Attempt { instance, limit } => {
                let (outcome, took) = *script.next().unwrap();
                let begun = now;
                now = now.after(ms(took).min(limit));
                call.on_outcome(outcome, now);
                told.push(Told { instance, begun, limit, outcome, ended: now });
            }
            Step::Wait(delay) => {
                assert!(delay > Duration::ZERO && now.after(delay) < plan.deadline, "waits in vain");
                now = now.after(delay);
            }
            Step::Done(ending) => return (told, ending, call),
        }
    }
}

fn any_outcome() -> impl Strategy<Value = (Outcome, u64)> {
    let failures = [Failure::Connect, Failure::Timeout, Failure::Reset, Failure::Truncated, Failure::Local];
    let failure = || select(failures.to_vec());
    let outcome = prop_oneof![
        1 => Just(Outcome::Answered),
        4 => Just(Outcome::ServerError { retry_after: None }),
        2 => (0_u64..4_000).prop_map(|wait| Outcome::ServerError { retry_after: Some(ms(wait)) }),
        4 => failure().prop_map(Outcome::NotSent),
        4 => failure().prop_map(Outcome::Lost),
    ];
    (outcome, 0_u64..1_500)
}

fn any_script() -> impl Strategy<Value = Vec<(Outcome, u64)>> {
    vec(any_outcome(), 1..20)
}

fn any_plan() -> impl Strategy<Value = CallPlan> {
    (0_usize..5, 0_u32..4, any::<bool>(), 0_u64..20_000).prop_map(
        |(instances, retries, may_repeat, deadline)| {
            let plan = plan(instances);
            let policy = RetryPolicy { retries, ..plan.policy };
            CallPlan { policy, may_repeat, deadline: BEGIN.after(ms(deadline)), ..plan }
        },
    )
}

/// No fair time, or nothing of the instance's.
fn says_nothing(attempt: &Told) -> bool {
    let is_local =
        matches!(attempt.outcome, Outcome::NotSent(Failure::Local) | Outcome::Lost(Failure::Local));
    is_local || attempt.limit < ms(500)
}

fn at(told: &[Told], instance: usize) -> impl DoubleEndedIterator<Item = &Told> {
    told.iter().filter(move |attempt| attempt.instance == instance)
}

proptest! {
    #[test]
    fn no_instance_has_more_than_its_attempts(plan in any_plan(), script in any_script(), random: u64) {
        let (told, _, _) = drive(&plan, &script, random);
        for instance in 0..5 {
            prop_assert!(at(&told, instance).count() <= plan.policy.retries as usize + 1);
        }
    }

    #[test]
    fn no_attempt_begins_or_may_last_beyond_the_deadline(plan in any_plan(), script in any_script(), random: u64) {
        for attempt in drive(&plan, &script, random).0 {
            prop_assert!(attempt.begun < plan.deadline);
            prop_assert!(attempt.begun.after(attempt.limit) <= plan.deadline);
            prop_assert!(attempt.limit > Duration::ZERO && attempt.limit <= plan.attempt_timeout);
        }
    }

    #[test]
    fn a_call_that_may_not_be_repeated_ends_once_it_may_have_run(
        plan in any_plan(), script in any_script(), random: u64,
    ) {
        let plan = CallPlan { may_repeat: false, ..plan };
        let (told, _, _) = drive(&plan, &script, random);
        let may_have_run = |attempt: &Told| match attempt.outcome {
            Outcome::Answered | Outcome::Lost(_) => true,
            Outcome::ServerError { retry_after } => retry_after.is_none(),
            Outcome::NotSent(_) => false,
        };
        prop_assert!(told.iter().rev().skip(1).all(|attempt| !may_have_run(attempt)));
    }

    #[test]
    fn no_instance_has_two_verdicts_and_its_last_outcome_decides(
        plan in any_plan(), script in any_script(), random: u64,
    ) {
        let (told, _, call) = drive(&plan, &script, random);
        let verdicts = call.verdicts();
        for instance in 0..5 {
            let mine: Vec<_> = verdicts.iter().filter(|(judged, _)| *judged == instance).collect();
            prop_assert!(mine.len() <= 1);
            match (mine.first(), at(&told, instance).next_back()) {
                (Some((_, is_good)), Some(last)) => {
                    prop_assert!(!is_good || last.outcome == Outcome::Answered);
                    prop_assert!(*is_good || last.outcome != Outcome::Answered);
                }
                (verdict, last) => prop_assert!(verdict.is_none() && last.is_none_or(says_nothing)),
            }
        }
    }

    #[test]
    fn every_instance_is_tried_before_a_call_that_was_never_sent_fails(plan in any_plan(), random: u64) {
        let plan = CallPlan { deadline: BEGIN.after(ms(600_000)), ..plan };
        let (told, ending, _) = drive(&plan, &[(Outcome::NotSent(Failure::Connect), 1)], random);
        let first_round: Vec<_> = told.iter().take(plan.order.len()).map(|attempt| attempt.instance).collect();
        prop_assert_eq!(&first_round, &plan.order);
        prop_assert_eq!(told.len(), plan.order.len() * (plan.policy.retries as usize + 1));
        let expected = if told.is_empty() { Ending::NoInstance } else { Ending::Failed(Failure::Connect) };
        prop_assert_eq!(ending, expected);
    }

    #[test]
    fn no_instance_is_tried_earlier_than_it_asked_to_be(plan in any_plan(), script in any_script(), random: u64) {
        let (told, _, _) = drive(&plan, &script, random);
        for (index, attempt) in told.iter().enumerate() {
            if let Outcome::ServerError { retry_after: Some(wait) } = attempt.outcome {
                let again = at(&told[index + 1..], attempt.instance).next();
                prop_assert!(again.is_none_or(|later| later.begun >= attempt.ended.after(wait)));
            }
        }
    }

    #[test]
    fn the_last_attempt_decides_the_ending(plan in any_plan(), script in any_script(), random: u64) {
        let (told, ending, _) = drive(&plan, &script, random);
        let agrees = match told.last().map(|attempt| attempt.outcome) {
            None => matches!(ending, Ending::NoInstance | Ending::DeadlineExceeded),
            Some(Outcome::Answered) => ending == Ending::Answered,
            Some(Outcome::ServerError { .. }) => ending == Ending::ServerError,
            Some(Outcome::NotSent(failure) | Outcome::Lost(failure)) => {
                ending == Ending::Failed(failure)
                    || ending == Ending::DeadlineExceeded && failure == Failure::Timeout
            }
        };
        prop_assert!(agrees, "{ending:?} after {told:?}");
    }
}
