//! What is a `traceparent`, and what the next hop gets.

use http::HeaderValue;
use proptest::prelude::*;

use super::*;

const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn headers(lines: &[&str]) -> HeaderMap {
    lines.iter().map(|line| (TRACEPARENT, HeaderValue::from_str(line).unwrap())).collect()
}

#[test]
fn a_traceparent_of_level_1_is_read_and_written_as_it_was() {
    let context = TraceContext::parse(GOOD.as_bytes()).unwrap();
    assert_eq!(context.to_string(), GOOD);
    assert_eq!(context.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert!(context.is_sampled());
    assert!(!TraceContext::parse(GOOD.replace("-01", "-00").as_bytes()).unwrap().is_sampled());
}

#[test]
fn what_is_not_exactly_one_is_none() {
    for bad in [
        "",
        "00",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
        "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
    ] {
        assert_eq!(TraceContext::parse(bad.as_bytes()), None, "{bad:?}");
    }
}

#[test]
fn of_a_later_version_what_is_known_is_read() {
    for later in [
        "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff-more",
    ] {
        assert_eq!(TraceContext::parse(later.as_bytes()).unwrap().to_string(), GOOD, "{later}");
    }
}

#[test]
fn one_line_says_it_and_two_say_nothing() {
    assert!(TraceContext::of(&headers(&[GOOD])).is_some());
    assert_eq!(TraceContext::of(&headers(&[])), None);
    assert_eq!(TraceContext::of(&headers(&[GOOD, GOOD])), None);
    assert_eq!(TraceContext::of(&headers(&["x"])), None);
}

#[test]
fn no_chance_makes_an_id_of_zeros() {
    let root = TraceContext::root([0; 24], 1.0);
    assert_eq!(TraceContext::parse(&root.header()), Some(root));
    assert_eq!(TraceContext::parse(&root.child([0; 8]).header()), Some(root.child([0; 8])));
}

proptest! {
    #[test]
    fn every_context_reads_back(random in any::<[u8; 24]>(), sample in 0.0..=1.0) {
        let root = TraceContext::root(random, sample);
        prop_assert_eq!(TraceContext::parse(&root.header()), Some(root));
    }

    #[test]
    fn a_child_keeps_trace_and_flags(random in any::<[u8; 24]>(), parent in any::<[u8; 8]>(), sample in 0.0..=1.0) {
        let root = TraceContext::root(random, sample);
        let child = root.child(parent);
        prop_assert_eq!(child.trace_id(), root.trace_id());
        prop_assert_eq!(child.is_sampled(), root.is_sampled());
        prop_assert_eq!(TraceContext::parse(&child.header()), Some(child));
    }

    #[test]
    fn what_is_read_is_written_with_the_same_bytes(value in "00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}") {
        if let Some(context) = TraceContext::parse(value.as_bytes()) {
            prop_assert_eq!(context.to_string(), value);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(value in proptest::collection::vec(any::<u8>(), 0..80)) {
        if let Some(context) = TraceContext::parse(&value) {
            prop_assert_eq!(TraceContext::parse(&context.header()), Some(context));
        }
    }

    #[test]
    fn all_or_none_are_sampled_at_the_ends(random in any::<[u8; 24]>()) {
        prop_assert!(TraceContext::root(random, 1.0).is_sampled());
        prop_assert!(!TraceContext::root(random, 0.0).is_sampled());
    }
}
