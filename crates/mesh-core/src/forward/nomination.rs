//! Which headers `Connection` nominates for removal (RFC 9110 §7.6.1).

use http::{HeaderMap, HeaderName, HeaderValue, header::CONNECTION};

/// The headers among `headers` that `Connection` nominates. Allocates only when there are any; linear in its length.
pub(super) fn nominated(headers: &HeaderMap) -> HeaderMap<()> {
    let mut names = HeaderMap::default();
    // Over a few lines a walk is shorter than a look.
    if !headers.keys().any(|name| *name == CONNECTION) {
        return names;
    }
    for name in headers.get_all(CONNECTION).into_iter().flat_map(options) {
        if headers.contains_key(&name) {
            names.insert(name, ());
        }
    }
    names
}

/// The options of one line of `Connection`, or of one of the lists that older software reads like it, that can be a header's name, but for the two that everybody sends.
pub(super) fn options(line: &HeaderValue) -> impl Iterator<Item = HeaderName> {
    line.as_bytes()
        .split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|option| {
            !option.eq_ignore_ascii_case(b"keep-alive") && !option.eq_ignore_ascii_case(b"close")
        })
        .filter_map(|option| HeaderName::from_bytes(option).ok())
}
