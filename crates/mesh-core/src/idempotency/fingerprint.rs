//! What a key stands for: the same key with another request is a mistake.

use crate::crypto;

/// SHA-256 over method, path, query and body, each with its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// The fingerprint of a request; no query and an empty one differ.
    #[must_use]
    pub fn of(method: &str, path: &str, query: Option<&str>, body: &[u8]) -> Self {
        let length = |part: &[u8]| (part.len() as u64).to_le_bytes();
        let query_text = query.unwrap_or_default().as_bytes();
        Self(crypto::sha256(&[
            &length(method.as_bytes()),
            method.as_bytes(),
            &length(path.as_bytes()),
            path.as_bytes(),
            &[u8::from(query.is_some())],
            &length(query_text),
            query_text,
            &length(body),
            body,
        ]))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_part_counts_and_no_part_runs_into_the_next() {
        let requests: [(_, _, _, &[u8]); 10] = [
            ("POST", "/a", None, b""),
            ("PUT", "/a", None, b""),
            ("POST", "/ab", None, b""),
            ("POST", "/a", Some(""), b""),
            ("POST", "/a", Some("b"), b""),
            ("POST", "/a", None, b"b"),
            ("POST", "/a?b", None, b""),
            ("POST", "", Some("/a"), b""),
            ("POST/", "a", None, b""),
            ("POST", "/a", Some("b"), b"c"),
        ];
        let fingerprints: HashSet<_> = requests
            .iter()
            .map(|(method, path, query, body)| Fingerprint::of(method, path, *query, body))
            .collect();
        assert_eq!(fingerprints.len(), requests.len());
    }

    #[test]
    fn a_fingerprint_stays_what_it_is() {
        let text = hex::encode(Fingerprint::of("POST", "/api/orders", Some("a=1"), b"{}").0);
        assert_eq!(text, "194d0d019a26de383bb4d0cc2093d0d841cc6cc6bef0704b4887891dce90644a");
    }
}
