//! Which texts name a host. Refuses user information, paths, empty names and ports that are none.

use std::net::Ipv6Addr;

/// Source: RFC 1035 §2.3.4.
const MAX_NAME_BYTES: usize = 255;

/// Whether `text` is `host` or `host:port`: a name, an IPv4 address or an IPv6 address in brackets, and a port of 1 to
/// 65535 without leading zeros.
///
/// Narrower than RFC 3986 §3.2.2: a name is letters, digits, `-`, `_` and dots between labels. Percent-encoding and
/// `!$&'()*+,;=` are in no name that resolves, and software disagrees about them.
pub(crate) fn is_host(text: &str) -> bool {
    if is_plain_name(text.as_bytes()) {
        return true;
    }
    let (host, port) = split_port(text);
    let host_is_good = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        None => is_name(host),
    };
    host_is_good && port.is_none_or(is_port)
}

/// Whether `text` is, at one look, a name or an IPv4 address, without a port or with one.
fn is_plain_name(text: &[u8]) -> bool {
    let mut before = b'.';
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            b'.' if before != b'.' => {}
            b':' if before != b'.' => {
                let port = text.get(at + 1..).unwrap_or_default();
                let is_number = matches!(port, [b'1'..=b'9', ..]) && port.iter().all(u8::is_ascii_digit);
                // Of two numbers with as many digits the texts are in the order of the numbers.
                let is_port = is_number && (port.len() < 5 || (port.len() == 5 && port <= &b"65535"[..]));
                return is_port && at <= MAX_NAME_BYTES;
            }
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' => {}
            _ => return false,
        }
        before = byte;
    }
    before != b'.' && text.len() <= MAX_NAME_BYTES
}

/// Splits `host:port`; the colons of a bracketed address are no separators.
pub(super) fn split_port(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    }
}

fn is_name(host: &str) -> bool {
    let host_without_root = host.strip_suffix('.').unwrap_or(host);
    host.len() <= MAX_NAME_BYTES
        && host_without_root.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        })
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|byte| byte.is_ascii_digit())
        && !port.starts_with('0')
        && port.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_with_a_port_or_without() {
        for text in [
            "a",
            "localhost",
            "EXAMPLE.com",
            "example.com.",
            "a_b.c-d",
            "10.0.0.1",
            "[::1]",
            "xn--bcher-kva.example",
        ] {
            assert!(is_host(text), "{text}");
            assert!(is_host(&format!("{text}:1")), "{text}:1");
            assert!(is_host(&format!("{text}:65535")), "{text}:65535");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            " ",
            "a@b",
            "a:b@c",
            "a/b",
            "/",
            "a?b",
            "a#b",
            "a\\b",
            "a b",
            "a,b",
            "a..b",
            ".",
            "..",
            ".a",
            "a%2eb",
            "ü",
            "a:",
            "a:0",
            "a:080",
            "a:65536",
            "a:+80",
            "a:8o",
            "a:80:80",
            ":80",
            "::1",
            "[::1",
            "::1]",
            "[::1]a",
            "[::1]:",
            "[::g]",
            "[]",
            "[127.0.0.1]",
            "[fe80::1%25eth0]",
            "[v1.a]",
            "http://a",
        ] {
            assert!(!is_host(text), "{text:?}");
        }
        assert!(!is_host(&"a".repeat(256)));
    }
}
