//! Which paths of axum's router serve a pattern: with and without a trailing slash, with and without an optional
//! parameter.
//!
//! Refuses segments that mix text and parameters: the router of axum 0.8 does not know them.

use mesh_core::route::Pattern;

/// One path of axum's router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServedPath {
    /// In axum's syntax.
    pub(super) path: String,
    /// The same without names: two paths of one shape are one to the router.
    pub(super) shape: String,
}

/// The paths that serve `pattern`; `None` when the router cannot. Literals stand as they come over the wire.
pub(super) fn served_paths(pattern: &Pattern) -> Option<Vec<ServedPath>> {
    let mut names = parameter_names(pattern.as_str());
    let (mut path, mut shape) = (String::new(), String::new());
    let mut served = Vec::new();
    for segment in pattern.shape().split('/').filter(|segment| !segment.is_empty()) {
        if segment == "{?}" {
            served.extend(with_slash(&path, &shape));
        }
        path.push('/');
        shape.push('/');
        match segment {
            "{}" | "{?}" => {
                path.extend(["{", names.next()?, "}"]);
                shape.push_str("{}");
            }
            mixed if mixed.contains('{') => return None,
            literal => {
                path.push_str(literal);
                shape.push_str(literal);
            }
        }
    }
    served.extend(with_slash(&path, &shape));
    Some(served)
}

/// A path as declared, and with a trailing slash: gateways match without it and forward what came.
fn with_slash(path: &str, shape: &str) -> impl Iterator<Item = ServedPath> {
    let bare = (!path.is_empty()).then(|| ServedPath { path: path.to_owned(), shape: shape.to_owned() });
    bare.into_iter().chain([ServedPath { path: format!("{path}/"), shape: format!("{shape}/") }])
}

/// The names between braces, from the left, without the `?` of an optional one.
fn parameter_names(uri: &str) -> impl Iterator<Item = &str> {
    uri.split('{').skip(1).filter_map(|rest| rest.split('}').next()).map(|name| name.trim_end_matches('?'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uri: &str, expected: Option<&[&str]>) {
        let served = served_paths(&Pattern::parse(uri).unwrap());
        let paths: Option<Vec<String>> =
            served.map(|served| served.into_iter().map(|served| served.path).collect());
        assert_eq!(
            paths.as_deref(),
            expected.map(|paths| paths.iter().map(ToString::to_string).collect::<Vec<_>>()).as_deref(),
            "{uri}"
        );
    }

    #[test]
    fn a_pattern_is_served_with_and_without_a_trailing_slash() {
        check("/", Some(&["/"]));
        check("/api/products", Some(&["/api/products", "/api/products/"]));
        check("/api/{a}/x/{b}/", Some(&["/api/{a}/x/{b}", "/api/{a}/x/{b}/"]));
    }

    #[test]
    fn an_optional_parameter_may_be_missing() {
        check("/a/{id?}", Some(&["/a", "/a/", "/a/{id}", "/a/{id}/"]));
        check("/{id?}", Some(&["/", "/{id}", "/{id}/"]));
    }

    #[test]
    fn literals_stand_as_they_come_over_the_wire() {
        check("/api/Köln", Some(&["/api/K%C3%B6ln", "/api/K%C3%B6ln/"]));
        check("/api/:batch/*", Some(&["/api/:batch/*", "/api/:batch/*/"]));
    }

    #[test]
    fn a_segment_that_mixes_text_and_parameters_is_not_served() {
        check("/feeds/{x}.json", None);
        check("/v{version}/x", None);
    }
}
