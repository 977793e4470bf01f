//! What the sender of a manifest gets (docs/wire.md, Manifest document).

use bytes::Bytes;
use http::{HeaderValue, Response, header::CONTENT_TYPE};
use mesh_core::{
    error::Code,
    route::{
        registration::RegistrationError,
        wire::{ManifestError, summary},
    },
};

use crate::{
    body::Body,
    error::{Refusal, json},
};

pub(super) fn registered() -> Response<Body> {
    let mut response = Response::new(Body::full(Bytes::from_static(br#"{"status":"registered"}"#)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Errors of fields have the package's shape, everything else the gateway's.
pub(super) fn not_a_manifest(error: &ManifestError) -> Response<Body> {
    match error {
        ManifestError::Invalid(errors) => {
            let document = serde_json::json!({
                "message": summary(errors),
                "errors": errors,
                "code": error.code().as_str(),
            });
            json(error.code(), document.to_string())
        }
        _ => Refusal::new(error.code(), error.to_string()).into_response(),
    }
}

pub(super) fn refused(error: &RegistrationError) -> Response<Body> {
    Refusal::new(error.code(), error.to_string()).into_response()
}

pub(super) fn store_unavailable() -> Response<Body> {
    Refusal::new(Code::ManifestStoreUnavailable, "the manifest could not be stored; try again")
        .retry_after(1)
        .into_response()
}
