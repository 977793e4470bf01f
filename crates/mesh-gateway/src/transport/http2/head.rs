//! The head of a request as HTTP/2 has it: what goes on the wire to HTTP/1.1 instances, but for what speaks of the
//! connection (RFC 9113 §8.2.2).

use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Uri, Version,
    header::{CONNECTION, CONTENT_LENGTH, TE, UPGRADE},
};
use mesh_core::{
    header::{X_SERVICE_NAME, X_SIGNATURE, X_TIMESTAMP},
    service::BaseUrl,
};

use crate::transport::attempt::Outgoing;

/// Header lines beside the client's own.
const OWN_LINES: usize = 8;

/// The request, signed now: the target that is signed is the target that is sent.
///
/// # Errors
///
/// When the target is none.
pub(super) fn request(outgoing: &Outgoing<'_>, url: &BaseUrl) -> Result<Request<()>, http::Error> {
    let target = url.target(outgoing.path_and_query);
    let (timestamp, signature) = outgoing.sign(&target);
    let scheme = if url.is_https() { "https" } else { "http" };
    let uri = Uri::builder().scheme(scheme).authority(url.authority()).path_and_query(&*target).build()?;
    let mut request = Request::builder()
        .method(outgoing.method.clone())
        .uri(uri)
        .version(Version::HTTP_2)
        .header(X_SERVICE_NAME, outgoing.name)
        .header(X_TIMESTAMP, timestamp)
        .header(X_SIGNATURE, once(signature.as_str())?)
        .body(())?;
    let headers = request.headers_mut();
    let length = match outgoing.streamed {
        Some(streamed) => streamed.length(),
        None => outgoing.says_length().then_some(outgoing.body.len() as u64),
    };
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    if outgoing.takes_trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    headers.reserve(OWN_LINES);
    append(headers, outgoing.lines)?;
    Ok(request)
}

/// A value that no other request has, and that the table of headers is therefore not filled with.
fn once(value: &str) -> Result<HeaderValue, http::Error> {
    let mut value = HeaderValue::from_str(value)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Adds header lines as they go on the wire over HTTP/1.1.
fn append(headers: &mut HeaderMap, lines: &[u8]) -> Result<(), http::Error> {
    let mut rest = lines;
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let (line, behind) = (&rest[..end], &rest[end + 2..]);
        rest = behind;
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon])?;
        if name != CONNECTION && name != UPGRADE {
            headers.append(name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii_start())?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_headers_but_for_those_of_the_connection() {
        let mut headers = HeaderMap::new();
        append(&mut headers, b"a: 1\r\nconnection: Upgrade\r\nupgrade: h2c\r\na: 2:  3\r\nb: \r\n").unwrap();
        let found: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        assert_eq!(found, [("a", &b"1"[..]), ("a", b"2:  3"), ("b", b"")]);
    }
}
