//! Where a service's prefix stands in the gateway's URIs, and how it is taken out again.

use std::borrow::Cow;

use super::{Pattern, PatternError, pattern::Segment};

/// Where a service's prefix is inserted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PrefixStyle {
    /// After the first segment: `/api/products` becomes `/api/catalog/products`.
    #[default]
    AfterFirst,
    /// In front: `/api/products` becomes `/catalog/api/products`, as later package versions do.
    Front,
}

/// Whether `prefix` can stand in a URI: literal segments between slashes, or nothing. For settings.
///
/// # Errors
///
/// [`PatternError`] when it has parameters or is not canonical.
pub fn check_prefix(prefix: &str) -> Result<(), PatternError> {
    let pattern = Pattern::parse(&format!("/{}", prefix.trim_matches('/')))?;
    if pattern.segments().iter().all(|segment| matches!(segment, Segment::Literal(_))) {
        Ok(())
    } else {
        Err(PatternError::MalformedParameter)
    }
}

fn parts(prefix: &str) -> impl Iterator<Item = &str> {
    prefix.split('/').filter(|part| !part.is_empty())
}

impl PrefixStyle {
    /// The gateway's URI (or path) for the service's, which begins with `/` and has no query. `prefix` has any number
    /// of segments; an empty one changes nothing. An optional first segment keeps its place at the end.
    #[must_use]
    pub fn insert(self, prefix: &str, uri: &str) -> String {
        let mut inserted = String::with_capacity(prefix.len() + uri.len() + 2);
        let (head, tail) = match (self.segments_before(uri), uri.get(1..).and_then(|rest| rest.find('/'))) {
            (0, _) => ("", uri),
            (_, Some(slash)) => uri.split_at(slash + 1),
            (_, None) => (uri, ""),
        };
        inserted.push_str(head);
        for part in parts(prefix) {
            inserted.push('/');
            inserted.push_str(part);
        }
        // The root has no segment to stand behind the prefix: `/` becomes `/catalog`.
        if tail != "/" || inserted.is_empty() || !head.is_empty() {
            inserted.push_str(tail);
        }
        inserted
    }

    /// The service's path for a gateway path that matched a pattern made by [`insert`](Self::insert) from
    /// `service_uri`: the prefix's segments are cut out by position, every other byte stays as it came.
    #[must_use]
    pub fn remove<'a>(self, prefix: &str, service_uri: &str, path: &'a str) -> Cow<'a, str> {
        if prefix.is_empty() {
            return path.into();
        }
        let cut = parts(prefix).count();
        let mut slashes = path.match_indices('/').map(|(at, _)| at);
        let (Some(from), 1..) = (slashes.nth(self.segments_before(service_uri)), cut) else {
            return path.into();
        };
        let to = slashes.nth(cut - 1).unwrap_or(path.len());
        let (head, tail) = (&path[..from], &path[to..]);
        match (head, tail) {
            ("", "") => "/".into(),
            ("", only) | (only, "") => only.into(),
            _ => [head, tail].concat().into(),
        }
    }

    /// How many of the URI's segments stand before the prefix.
    fn segments_before(self, uri: &str) -> usize {
        let first = uri.split('/').nth(1).unwrap_or_default();
        usize::from(self == Self::AfterFirst && !first.is_empty() && !first.ends_with("?}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(prefix: &str, uri: &str, after_first: &str, front: &str) {
        for (style, expected) in [(PrefixStyle::AfterFirst, after_first), (PrefixStyle::Front, front)] {
            assert_eq!(style.insert(prefix, uri), expected, "{style:?} {prefix:?} {uri}");
            assert_eq!(style.remove(prefix, uri, expected), uri, "{style:?} {prefix:?} {expected}");
        }
    }

    #[test]
    fn a_prefix_stands_after_the_first_segment_or_in_front() {
        check("catalog", "/api/products", "/api/catalog/products", "/catalog/api/products");
        check("catalog", "/api/opt/{id?}", "/api/catalog/opt/{id?}", "/catalog/api/opt/{id?}");
        check("catalog", "/api", "/api/catalog", "/catalog/api");
        check("catalog", "/", "/catalog", "/catalog");
        check("catalog", "/api/", "/api/catalog/", "/catalog/api/");
        check("catalog", "/{id?}", "/catalog/{id?}", "/catalog/{id?}");
        check("catalog", "/{tenant}/x", "/{tenant}/catalog/x", "/catalog/{tenant}/x");
        check("o/x", "/api/products", "/api/o/x/products", "/o/x/api/products");
        check("/o/x/", "/", "/o/x", "/o/x");
        check("", "/api/products", "/api/products", "/api/products");
        check("/", "/", "/", "/");
    }

    #[track_caller]
    fn removed(service_uri: &str, path: &str, expected: &str) {
        assert_eq!(PrefixStyle::AfterFirst.remove("o/x", service_uri, path), expected, "{path}");
    }

    #[test]
    fn only_the_prefix_is_cut_out_and_every_other_byte_stays() {
        removed("/api/p/{x}", "/api/o/x/p/1%252Fprivate/", "/api/p/1%252Fprivate/");
        removed("/api/p/{x}", "/api/%6f/x/%70/%2e", "/api/%70/%2e");
        removed("/api/{x}", "/api/o/x/o", "/api/o");
        removed("/api", "/api/o/x/", "/api/");
        removed("/", "/o/x/", "/");
        removed("/", "/o/x", "/");
        removed("/api/opt/{id?}", "/api/o/x/opt", "/api/opt");
    }

    #[test]
    fn a_prefix_has_no_parameters_and_no_dot_segments() {
        for good in ["", "/", "catalog", "/o/x/", "ü"] {
            assert_eq!(check_prefix(good), Ok(()), "{good}");
        }
        for bad in ["{x}", "a{x}", "..", "a/../b", "a//b", "a?b", "a b\n"] {
            assert!(check_prefix(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_inserted_is_removed_again(
            prefix in "(/?[a-z%]{1,3}){0,3}/?",
            segments in prop::collection::vec("[a-zA-Z0-9%.{}ü-]{1,5}", 0..5),
            trailing in any::<bool>(),
            front in any::<bool>(),
        ) {
            let style = if front { PrefixStyle::Front } else { PrefixStyle::AfterFirst };
            let mut path = format!("/{}", segments.join("/"));
            if trailing && !segments.is_empty() {
                path.push('/');
            }
            let inserted = style.insert(&prefix, &path);
            prop_assert_eq!(style.remove(&prefix, &path, &inserted), path.clone());
            let cut = parts(&prefix).count();
            prop_assert_eq!(parts(&inserted).count(), segments.len() + cut);
        }
    }
}
