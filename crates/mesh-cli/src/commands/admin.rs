//! Asks the admin listener of a running gateway for a document.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use mesh_core::service::BaseUrl;
use serde_json::Value;

use super::plain;
use crate::exit::Failure;

/// The JSON document at `target` of the admin listener `url`.
///
/// # Errors
///
/// Exit 3 when nothing answers, or answers with something else than a document.
pub(crate) async fn document(url: &BaseUrl, target: &str) -> Result<Value, Failure> {
    let unreachable =
        |error: String| Failure::unreachable(format!("cannot reach the admin listener {url}: {error}"));
    if url.is_https() {
        return Err(unreachable("it speaks plain http".to_owned()));
    }
    let request = Request::get(&*url.target(target))
        .body(Full::<Bytes>::default())
        .map_err(|error| unreachable(error.to_string()))?;
    let answer =
        plain::send(url.authority(), request).await.map_err(|error| unreachable(error.to_string()))?;
    // A report of bad health, or that nothing matches, is a document all the same.
    let is_document =
        matches!(answer.status(), StatusCode::OK | StatusCode::NOT_FOUND | StatusCode::SERVICE_UNAVAILABLE);
    serde_json::from_slice(answer.body())
        .ok()
        .filter(|_| is_document)
        .ok_or_else(|| unreachable(format!("it answered {} to {target}", answer.status())))
}
