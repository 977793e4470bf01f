//! What a service is to its callers: a name and the base URLs of its instances.
//!
//! Refuses base URLs with user information, a query, a fragment, a path that is not canonical or another scheme than http
//! and https.

use std::{borrow::Cow, cmp::Ordering, fmt, time::Duration};

use http::Uri;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    forward::{Target, host::is_host},
    name::ServiceName,
    signature::MultipartPolicy,
};

/// How one instance is reached, e.g. `http://10.0.0.7:8001/prefix`.
///
/// Keeps the text exactly as configured: the shared health key is made of it (docs/wire.md, Redis).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BaseUrl {
    /// The text as configured; behind it the origin, where the text does not begin with that. Up to 23 bytes stand here
    /// and are not looked up elsewhere: `http://10.244.13.7:8080`.
    text: SmolStr,
    /// The length of scheme and authority.
    origin: u16,
    /// The length of the path behind that, without a slash at its end.
    path_prefix: u16,
    https: bool,
    /// Whether the text's scheme is not in small letters, so that the origin stands behind the text.
    is_apart: bool,
}

/// Why a text is no base URL. The fault of the settings or of who announced it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BaseUrlError {
    /// The text is no absolute URL in ASCII.
    #[error("a base URL is an absolute URL such as http://127.0.0.1:8001")]
    Malformed,
    /// The scheme is neither http nor https.
    #[error("a base URL begins with http:// or https://")]
    Scheme,
    /// The URL carries a user name or a password.
    #[error("a base URL carries no user information")]
    UserInformation,
    /// The URL carries a query or a fragment.
    #[error("a base URL has no query and no fragment")]
    QueryOrFragment,
    /// The URL's path could be read as another one, or is not in ASCII (docs/refusals.md, Path).
    #[error("a base URL's path has no dot segments, empty segments or odd encodings")]
    PathNotCanonical,
}

impl BaseUrl {
    /// Reads a base URL.
    ///
    /// # Errors
    ///
    /// When `text` is no plain http or https URL.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        if text.contains('#') {
            return Err(BaseUrlError::QueryOrFragment);
        }
        let uri: Uri = text.parse().map_err(|_| match text.split_once("://") {
            // Such as `file:///etc/passwd`, which has no authority.
            Some((scheme, _)) if !matches!(scheme, "http" | "https") => BaseUrlError::Scheme,
            _ => BaseUrlError::Malformed,
        })?;
        let https = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            Some(_) => return Err(BaseUrlError::Scheme),
            None => return Err(BaseUrlError::Malformed),
        };
        let authority = uri.authority().ok_or(BaseUrlError::Malformed)?;
        if authority.as_str().contains('@') {
            return Err(BaseUrlError::UserInformation);
        }
        if !is_host(authority.as_str()) {
            return Err(BaseUrlError::Malformed);
        }
        if uri.query().is_some() {
            return Err(BaseUrlError::QueryOrFragment);
        }
        let path_prefix = uri.path().trim_end_matches('/');
        if !path_prefix.is_empty() && Target::parse(path_prefix).is_err() {
            return Err(BaseUrlError::PathNotCanonical);
        }
        let origin = [scheme(https), authority.as_str()].concat();
        let is_apart = !text.starts_with(&origin);
        let length = |part: &str| u16::try_from(part.len()).map_err(|_| BaseUrlError::Malformed);
        Ok(Self {
            origin: length(&origin)?,
            path_prefix: length(path_prefix)?,
            https,
            is_apart,
            text: if is_apart { [text, &origin].concat().into() } else { text.into() },
        })
    }

    /// The text exactly as configured.
    #[must_use]
    pub fn as_str(&self) -> &str {
        if self.is_apart { self.split().0 } else { &self.text }
    }

    /// Whether the scheme is https.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// `host` or `host:port`, as in the URL; what the `Host` header carries.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.origin().get(scheme(self.https).len()..).unwrap_or_default()
    }

    /// Scheme and authority, e.g. `http://10.0.0.7:8001`: what a connection can be used for.
    #[must_use]
    pub fn origin(&self) -> &str {
        if self.is_apart { self.split().1 } else { self.split().0 }
    }

    /// The text and the origin of one that has it apart; else the origin and what stands behind it.
    fn split(&self) -> (&str, &str) {
        let origin = usize::from(self.origin);
        let at = if self.is_apart { self.text.len() - origin } else { origin };
        self.text.split_at(at)
    }

    /// The path that stands before every target, without a trailing slash; often empty.
    #[must_use]
    pub fn path_prefix(&self) -> &str {
        let (begins, length) = (usize::from(self.origin), usize::from(self.path_prefix));
        self.text.get(begins..begins + length).unwrap_or_default()
    }

    /// The target on the wire for `path_and_query` (which begins with `/`): the path prefix in front of it.
    #[must_use]
    pub fn target<'a>(&self, path_and_query: &'a str) -> Cow<'a, str> {
        match self.path_prefix {
            0 => path_and_query.into(),
            _ => [self.path_prefix(), path_and_query].concat().into(),
        }
    }
}

const fn scheme(https: bool) -> &'static str {
    if https { "https://" } else { "http://" }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "BaseUrl({self})")
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = BaseUrlError;

    fn try_from(text: String) -> Result<Self, BaseUrlError> {
        Self::parse(&text)
    }
}

impl From<BaseUrl> for String {
    fn from(url: BaseUrl) -> Self {
        url.as_str().to_owned()
    }
}

/// One running copy of a service. Ordered by service, then by URL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Instance {
    /// How it is reached.
    pub url: BaseUrl,
    /// The service that the instance is a copy of.
    pub service: ServiceName,
}

impl Ord for Instance {
    fn cmp(&self, other: &Self) -> Ordering {
        (&self.service, &self.url).cmp(&(&other.service, &other.url))
    }
}

impl PartialOrd for Instance {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What a gateway speaks to the instances of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2 and nothing else: by prior knowledge towards `http://` instances, by ALPN towards `https://` ones.
    Http2,
}

impl Protocol {
    /// The word of the settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http1 => "http1",
            Self::Http2 => "http2",
        }
    }
}

/// What a gateway does with the bodies of requests to a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestBodies {
    /// Holds each until it is whole, and signs it.
    #[default]
    Held,
    /// Passes each on as it comes, and signs it as if it were empty: for gRPC whose clients stream. Over
    /// [`Protocol::Http2`] alone.
    Streamed,
}

impl RequestBodies {
    /// The word of the settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Streamed => "streamed",
        }
    }
}

/// A service as configured: its instances and what differs from the defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The name others call.
    pub name: ServiceName,
    /// The instances, in the order of the settings.
    pub base_urls: Vec<BaseUrl>,
    /// The limit of one attempt; absent: the default.
    pub timeout: Option<Duration>,
    /// Further attempts per instance; absent: the default.
    pub retries: Option<u32>,
    /// How multipart bodies are signed towards it.
    pub multipart: MultipartPolicy,
    /// What a gateway speaks to its instances.
    pub protocol: Protocol,
    /// What a gateway does with the bodies of requests to it.
    pub request_bodies: RequestBodies,
}

impl Service {
    /// Whether a gateway passes the bodies of requests on as they come.
    #[must_use]
    pub fn streams_requests(&self) -> bool {
        self.protocol == Protocol::Http2 && self.request_bodies == RequestBodies::Streamed
    }
}

impl Service {
    /// A service with these instances and the defaults for everything else.
    #[must_use]
    pub const fn new(name: ServiceName, base_urls: Vec<BaseUrl>) -> Self {
        Self {
            name,
            base_urls,
            timeout: None,
            retries: None,
            multipart: MultipartPolicy::Signed,
            protocol: Protocol::Http1,
            request_bodies: RequestBodies::Held,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, expected: BaseUrlError) {
        assert_eq!(BaseUrl::parse(text).err(), Some(expected), "{text}");
    }

    #[test]
    fn a_base_url_keeps_its_text_and_knows_its_parts() {
        let url = BaseUrl::parse("http://OMS-1:8000/prefix/").unwrap();
        assert_eq!(url.as_str(), "http://OMS-1:8000/prefix/");
        assert_eq!(url.authority(), "OMS-1:8000");
        assert_eq!(url.path_prefix(), "/prefix");
        assert_eq!(url.target("/api/x?y=1"), "/prefix/api/x?y=1");
        assert_eq!(url.origin(), "http://OMS-1:8000");
        assert!(!url.is_https());
        assert!(BaseUrl::parse("https://[::1]:8080").unwrap().is_https());
        assert_eq!(BaseUrl::parse("http://[::1]").unwrap().authority(), "[::1]");
        let loud = BaseUrl::parse("HTTPS://Orders/A/b//").unwrap();
        assert_eq!((loud.authority(), loud.path_prefix()), ("Orders", "/A/b"));
        assert_eq!((loud.origin(), loud.as_str()), ("https://Orders", "HTTPS://Orders/A/b//"));
        assert_eq!(BaseUrl::parse("http://orders").unwrap().path_prefix(), "");
    }

    #[test]
    fn what_is_no_plain_http_url_is_refused() {
        refused("", BaseUrlError::Malformed);
        refused("orders:8000/x", BaseUrlError::Malformed);
        refused("/orders", BaseUrlError::Malformed);
        refused("http://a b", BaseUrlError::Malformed);
        refused("http://host:99999", BaseUrlError::Malformed);
        refused("http://host:", BaseUrlError::Malformed);
        refused("http://host:0", BaseUrlError::Malformed);
        refused("http://host:080", BaseUrlError::Malformed);
        refused("http://host:+80", BaseUrlError::Malformed);
        refused("http://a,b", BaseUrlError::Malformed);
        refused("http://[::1", BaseUrlError::Malformed);
        refused("ftp://host", BaseUrlError::Scheme);
        refused("file:///etc/passwd", BaseUrlError::Scheme);
        refused("http://me:secret@host", BaseUrlError::UserInformation);
        refused("http://host/?a=1", BaseUrlError::QueryOrFragment);
        refused("http://host/#top", BaseUrlError::QueryOrFragment);
    }

    #[test]
    fn a_path_prefix_that_could_be_read_as_another_is_refused() {
        for path in ["/a/../b", "/.", "/%2e%2e/a", "/a//b", "/a%2Fb", "/a\u{fc}", "/%zz"] {
            refused(&format!("http://host{path}"), BaseUrlError::PathNotCanonical);
        }
        for path in ["", "/", "//", "/a/", "/a//", "/a.b/%C3%BC"] {
            assert!(BaseUrl::parse(&format!("http://host{path}")).is_ok(), "{path}");
        }
    }
}
