//! The document in which a store that others read keeps an answer (docs/wire.md, Redis).
//!
//! Refuses what it cannot replay as it was: an entry that is not whole is none, and its request never runs again.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use super::{Answer, AnswerBody, Fingerprint, verdict::is_stored};

/// A header's name and all its lines.
type Lines = BTreeMap<String, Vec<String>>;

/// The document: `status`, `headers` and `content` are the PHP package's, the others ours and left out where they say
/// nothing. An answer whose body is binary has no `content`, so that a reader of the package's never takes base64 for it.
#[derive(Serialize, Deserialize)]
struct Document {
    status: u16,
    headers: Headers,
    /// The body, when it is UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    /// The body in base64, when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_base64: Option<String>,
    /// Whether it was done without keeping a body.
    #[serde(default, skip_serializing_if = "is_false")]
    done: bool,
    /// Headers that have a line which is not UTF-8, in base64.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    headers_base64: Lines,
    /// 64 hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
}

/// PHP writes an empty map as an empty list.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Headers {
    Lines(Lines),
    Empty([(); 0]),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_false(done: &bool) -> bool {
    !*done
}

/// The document for `answer`. Without a fingerprint it says nothing of the request, as the package's.
#[must_use]
pub fn encode(answer: &Answer, fingerprint: Option<&Fingerprint>) -> Vec<u8> {
    let mut headers: BTreeMap<&str, Vec<&[u8]>> = BTreeMap::new();
    for (name, value) in &answer.headers {
        headers.entry(name.as_str()).or_default().push(value.as_bytes());
    }
    let (mut lines, mut headers_base64) = (Lines::new(), Lines::new());
    for (name, values) in headers {
        let texts: Option<Vec<_>> =
            values.iter().map(|value| std::str::from_utf8(value).ok().map(str::to_owned)).collect();
        match texts {
            Some(texts) => lines.insert(name.to_owned(), texts),
            None => headers_base64
                .insert(name.to_owned(), values.iter().map(|value| BASE64.encode(value)).collect()),
        };
    }
    let (content, content_base64, done) = match &answer.body {
        AnswerBody::NotKept => (None, None, true),
        AnswerBody::Whole(body) => match std::str::from_utf8(body) {
            Ok(text) => (Some(text.to_owned()), None, false),
            Err(_) => (None, Some(BASE64.encode(body)), false),
        },
    };
    let document = Document {
        status: answer.status,
        headers: Headers::Lines(lines),
        content,
        content_base64,
        done,
        headers_base64,
        fingerprint: fingerprint.map(|fingerprint| hex::encode(fingerprint.0)),
    };
    // Maps with text keys, texts and numbers: nothing of it can fail.
    serde_json::to_vec(&document).unwrap_or_default()
}

/// Reads a document: the answer, and the request's fingerprint if it has one. `None`: it cannot be replayed as it was.
/// Keys that are not known are nobody's business.
#[must_use]
pub fn decode(document: &[u8]) -> Option<(Option<Fingerprint>, Answer)> {
    // A list would do for serde as well.
    if document.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    let document: Document = serde_json::from_slice(document).ok()?;
    let body = match (document.content, document.content_base64, document.done) {
        (Some(text), None, false) => AnswerBody::Whole(text.into()),
        (None, Some(coded), false) => AnswerBody::Whole(BASE64.decode(coded).ok()?.into()),
        (None, None, true) => AnswerBody::NotKept,
        _ => return None,
    };
    let fingerprint = match document.fingerprint {
        None => None,
        Some(digits) => Some(Fingerprint(hex::decode(digits).ok()?.try_into().ok()?)),
    };
    let mut headers = Vec::new();
    if let Headers::Lines(lines) = document.headers {
        for (name, value) in each(lines) {
            headers.push((name_of(&name)?, HeaderValue::from_maybe_shared(Bytes::from(value)).ok()?));
        }
    }
    for (name, value) in each(document.headers_base64) {
        headers.push((name_of(&name)?, HeaderValue::from_bytes(&BASE64.decode(value).ok()?).ok()?));
    }
    let answer = Answer { status: document.status, headers, body };
    is_stored(answer.status).then_some((fingerprint, answer))
}

fn each(lines: Lines) -> impl Iterator<Item = (String, String)> {
    lines.into_iter().flat_map(|(name, values)| values.into_iter().map(move |value| (name.clone(), value)))
}

fn name_of(text: &str) -> Option<HeaderName> {
    HeaderName::from_bytes(text.as_bytes()).ok()
}
