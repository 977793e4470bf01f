//! Which instance is tried first: one probe where a call may make it, healthy ones, then the rest as a last resort.

use super::BreakerState;

/// What is known of one instance when a call begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceFacts {
    /// Its breaker.
    pub state: BreakerState,
    /// Attempts under way from this process.
    pub outstanding: u32,
    /// Whether a probe of the half-open instance is under way from this process.
    pub probing: bool,
}

/// The indices of `instances` in the order in which a call tries them.
///
/// Healthy ones by fewest outstanding attempts, ties rotated by `rotation`; then one half-open one that
/// nobody probes; then all others, by outstanding attempts and rotated too (docs/wire.md, Client). Every index stands
/// in the result once.
///
/// With `may_probe` the half-open one stands **first**. Behind healthy instances it would be reached only when all
/// of them fail, and would not come back while they answer. A call makes the probe only if it can be sent elsewhere
/// when the probe fails, so `may_probe` is whether the request may be repeated after it was written: its caller then
/// loses time and never the answer (docs/decisions/0003-half-open-probe.md).
#[must_use]
pub fn order(instances: &[InstanceFacts], rotation: usize, may_probe: bool) -> Vec<usize> {
    if instances.len() == 1 {
        return vec![0];
    }
    let is_healthy = |index: &usize| instances[*index].state == BreakerState::Closed;
    let is_probe =
        |index: &usize| instances[*index].state == BreakerState::HalfOpen && !instances[*index].probing;

    let (mut healthy, mut rest): (Vec<_>, Vec<_>) = (0..instances.len()).partition(is_healthy);
    spread(&mut healthy, instances, rotation);
    spread(&mut rest, instances, rotation);
    let probe = rest.iter().position(is_probe).map(|position| rest.remove(position));

    let at = if may_probe { 0 } else { healthy.len() };
    healthy.splice(at..at, probe);
    healthy.append(&mut rest);
    healthy
}

/// Fewest outstanding attempts first; those with the same number take turns.
fn spread(indices: &mut [usize], instances: &[InstanceFacts], rotation: usize) {
    indices.sort_by_key(|&index| instances[index].outstanding);
    for ties in indices.chunk_by_mut(|&a, &b| instances[a].outstanding == instances[b].outstanding) {
        ties.rotate_left(rotation % ties.len());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One letter for each instance: `c`losed, `h`alf-open, `p`robed, `o`pen; a digit after it: outstanding attempts.
    fn facts(text: &str) -> Vec<InstanceFacts> {
        let mut instances: Vec<InstanceFacts> = Vec::new();
        for letter in text.chars() {
            let state = match letter {
                'c' => BreakerState::Closed,
                'h' | 'p' => BreakerState::HalfOpen,
                'o' => BreakerState::Open,
                digit => {
                    let outstanding = digit.to_digit(10).unwrap_or_default();
                    instances.iter_mut().last().into_iter().for_each(|last| last.outstanding = outstanding);
                    continue;
                }
            };
            instances.push(InstanceFacts { state, outstanding: 0, probing: letter == 'p' });
        }
        instances
    }

    #[track_caller]
    fn check(text: &str, rotation: usize, may_probe: bool, expected: &[usize]) {
        assert_eq!(order(&facts(text), rotation, may_probe), expected, "{text}");
    }

    #[test]
    fn fewest_outstanding_first() {
        check("c3c1c2", 0, false, &[1, 2, 0]);
        check("c3c1c2", 7, false, &[1, 2, 0]);
    }

    #[test]
    fn ties_rotate() {
        check("ccc", 0, false, &[0, 1, 2]);
        check("ccc", 1, false, &[1, 2, 0]);
        check("ccc", 5, false, &[2, 0, 1]);
        check("c1cc1c", 1, false, &[3, 1, 2, 0]);
    }

    #[test]
    fn every_one_of_some_ties_comes_first_equally_often() {
        let firsts: Vec<_> = (0..6).map(|turn| order(&facts("coc"), turn, false)[0]).collect();
        assert_eq!(firsts, [0, 2, 0, 2, 0, 2]);
    }

    #[test]
    fn healthy_ones_then_one_probe_then_the_rest_as_a_last_resort() {
        check("ohcc", 0, false, &[2, 3, 1, 0]);
        check("ohhc", 0, false, &[3, 1, 0, 2]);
        check("ohhc", 1, false, &[3, 1, 2, 0]);
    }

    #[test]
    fn a_call_that_may_be_repeated_probes_first() {
        check("ohcc", 0, true, &[1, 2, 3, 0]);
        check("cc", 1, true, &[1, 0]);
    }

    #[test]
    fn a_probe_under_way_is_not_doubled() {
        check("pcc", 0, true, &[1, 2, 0]);
        check("phc", 0, true, &[1, 2, 0]);
    }

    #[test]
    fn when_none_is_healthy_all_are_spread() {
        check("ooo", 1, true, &[1, 2, 0]);
        check("o2oo1", 0, false, &[1, 2, 0]);
        check("", 3, true, &[]);
    }

    proptest! {
        #[test]
        fn every_index_stands_in_the_result_once(text in "([chpo][0-9]?){0,12}", rotation: usize, may_probe: bool) {
            let instances = facts(&text);
            let mut indices = order(&instances, rotation, may_probe);
            indices.sort_unstable();
            prop_assert_eq!(indices, (0..instances.len()).collect::<Vec<_>>());
        }
    }
}
