//! Which target a request had when it was sent.

use axum::extract::OriginalUri;
use http::{Uri, request::Parts};

/// The URI as it was sent: axum's nested routers shorten the one that their services see, and keep the first.
pub(crate) fn sent_uri(parts: &Parts) -> &Uri {
    parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0)
}

/// Path and query as they were sent.
pub(crate) fn sent_target(parts: &Parts) -> &str {
    let uri = sent_uri(parts);
    uri.path_and_query().map_or_else(|| uri.path(), |target| target.as_str())
}
