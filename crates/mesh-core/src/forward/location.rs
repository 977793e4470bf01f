//! Where a redirect of a service leads as seen from the street.
//!
//! Refuses to make a path of what a browser could read as another host (`//evil.example`, `/\evil.example`).

use super::{host::split_port, target::Target};
use crate::service::BaseUrl;

/// The `Location` to send instead of `location`, if it lies on one of the service's base URLs: a path with the
/// service's prefix inserted by `to_gateway` (which takes a service path). Any other is untouched: `None`.
///
/// Lies on: the same scheme, host (in any case of letters) and port (80 and 443 are implied), and a path below the base
/// URL's own, which is taken out. Of several base URLs the one with the longest path counts. A path that is not
/// canonical (docs/refusals.md, Path) lies on none. Query and fragment stay as they are.
#[must_use]
pub fn rewrite(location: &str, base_urls: &[BaseUrl], to_gateway: &dyn Fn(&str) -> String) -> Option<String> {
    let (scheme, rest) = location.split_once("://")?;
    let https = match scheme {
        _ if scheme.eq_ignore_ascii_case("http") => false,
        _ if scheme.eq_ignore_ascii_case("https") => true,
        _ => return None,
    };
    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (path, tail) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
    let path = if path.is_empty() { "/" } else { path };
    let service_path = base_urls
        .iter()
        .filter(|url| url.is_https() == https && is_same_origin(authority, url))
        .filter_map(|url| below(path, url.path_prefix()))
        .min_by_key(|below| below.len())?;
    Target::parse(service_path).ok()?;
    Some(to_gateway(service_path) + tail)
}

fn is_same_origin(authority: &str, url: &BaseUrl) -> bool {
    let default = if url.is_https() { "443" } else { "80" };
    let (host, port) = split_port(authority);
    let (own_host, own_port) = split_port(url.authority());
    host.eq_ignore_ascii_case(own_host) && port.unwrap_or(default) == own_port.unwrap_or(default)
}

/// What is left of `path` behind `prefix`, which ends at a segment.
fn below<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    match path.strip_prefix(prefix)? {
        "" => Some("/"),
        rest => rest.starts_with('/').then_some(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE_URLS: [&str; 5] = [
        "http://10.0.0.7:8001",
        "http://Orders/",
        "https://orders.example/v1",
        "https://orders.example/v1/x/",
        "http://[::1]",
    ];

    #[track_caller]
    fn check(location: &str, expected: Option<&str>) {
        let base_urls = BASE_URLS.map(|text| BaseUrl::parse(text).unwrap());
        let rewritten = rewrite(location, &base_urls, &|path| format!("/gw{path}"));
        assert_eq!(rewritten.as_deref(), expected, "{location}");
    }

    #[test]
    fn a_location_on_a_base_url_becomes_a_path_of_the_gateway() {
        check("http://10.0.0.7:8001/api/orders/7", Some("/gw/api/orders/7"));
        check("http://10.0.0.7:8001/api/o/?a=//b&c=%2F#top", Some("/gw/api/o/?a=//b&c=%2F#top"));
        check("http://10.0.0.7:8001", Some("/gw/"));
        check("http://10.0.0.7:8001?a=1", Some("/gw/?a=1"));
        check("http://10.0.0.7:8001#top", Some("/gw/#top"));
        check("HTTP://ORDERS:80/a", Some("/gw/a"));
        check("http://orders/a", Some("/gw/a"));
        check("http://[::1]:80/a", Some("/gw/a"));
    }

    #[test]
    fn the_path_of_the_base_url_is_taken_out() {
        check("https://orders.example/v1/api", Some("/gw/api"));
        check("https://orders.example:443/v1", Some("/gw/"));
        check("https://orders.example/v1/x/api", Some("/gw/api"));
        check("https://orders.example/v1/xy", Some("/gw/xy"));
        check("https://orders.example/v2/api", None);
        check("https://orders.example/v10", None);
    }

    #[test]
    fn any_other_location_is_untouched() {
        for location in [
            "",
            "/api/orders",
            "orders/7",
            "//10.0.0.7:8001/api",
            "http://10.0.0.7/api",
            "http://10.0.0.7:8002/api",
            "https://10.0.0.7:8001/api",
            "http://orders.example/v1/api",
            "http://orders:080/a",
            "http://orders:/a",
            "http://orders.evil.example/a",
            "http://me@orders/a",
            "http://orders\\@evil.example/a",
            "http://evil.example/http://orders/a",
            "ftp://orders/a",
            "mailto:me@orders",
        ] {
            check(location, None);
        }
    }

    #[test]
    fn no_location_is_made_that_leads_to_another_host() {
        for location in [
            "http://orders//evil.example/",
            "http://orders/\\evil.example/",
            "http://orders/\t/evil.example/",
            "http://orders/../evil",
            "https://orders.example/v1//evil.example/",
            "http://orders/%2fevil.example",
        ] {
            check(location, None);
        }
    }
}
