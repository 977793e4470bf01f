//! Cookies of HTTP/2 in the form that HTTP/1.1 has for them.

use http::{HeaderMap, HeaderValue, header::COOKIE};

/// Puts the crumbs of cookies that HTTP/2 may send one by one into one line, as HTTP/1.1 has them (RFC 9113 §8.2.3).
pub(crate) fn join_cookies(headers: &mut HeaderMap) {
    let mut crumbs = headers.get_all(COOKIE).iter();
    if let (Some(_), Some(_)) = (crumbs.next(), crumbs.next()) {
        let crumbs: Vec<_> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
        if let Ok(joined) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..])) {
            headers.insert(COOKIE, joined);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crumbs_of_cookies_become_one_line() {
        for (crumbs, expected) in
            [(&["a=1"][..], &["a=1"][..]), (&["a=1", "b=2", "c=3"], &["a=1; b=2; c=3"]), (&[], &[])]
        {
            let mut headers: HeaderMap =
                crumbs.iter().map(|crumb| (COOKIE, HeaderValue::from_static(crumb))).collect();
            join_cookies(&mut headers);
            assert_eq!(headers.get_all(COOKIE).iter().collect::<Vec<_>>(), expected);
        }
    }
}
