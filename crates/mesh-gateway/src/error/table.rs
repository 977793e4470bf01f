//! The one table of statuses on the gateway.

use http::StatusCode;
use mesh_core::error::Code;

/// The status of a refusal. A code that this table does not know yet is a fault of the gateway: 500.
pub(crate) fn status(code: Code) -> StatusCode {
    row(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Whether the connection is closed after the answer, because what follows on it cannot be trusted or is not wanted.
pub(crate) const fn closes(code: Code) -> bool {
    matches!(code, Code::BodyTooLarge | Code::RequestTimeout | Code::BadFraming | Code::HeadersTooLarge)
}

/// One row for each code (docs/refusals.md).
fn row(code: Code) -> Option<StatusCode> {
    Some(match code {
        Code::BodyNotAllowed
        | Code::BadFraming
        | Code::BadHost
        | Code::BadHeaderName
        | Code::BadConnectionHeader
        | Code::BadIdentityHeader
        | Code::PathNotCanonical
        | Code::UpgradeNotAllowed
        | Code::IdempotencyKeyMissing
        | Code::IdempotencyKeyMalformed
        | Code::ManifestNotJson => StatusCode::BAD_REQUEST,
        Code::SignatureMissing | Code::SignatureInvalid | Code::SignatureServiceMissing => {
            StatusCode::UNAUTHORIZED
        }
        Code::Forbidden | Code::ManifestNotOwner => StatusCode::FORBIDDEN,
        Code::RouteNotFound => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
        Code::IdempotencyInFlight
        | Code::IdempotencyNotReplayable
        | Code::ManifestRouteConflict
        | Code::ManifestStale => StatusCode::CONFLICT,
        Code::BodyTooLarge | Code::ManifestTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::UriTooLong => StatusCode::URI_TOO_LONG,
        Code::ExpectationFailed => StatusCode::EXPECTATION_FAILED,
        Code::IdempotencyKeyReused
        | Code::ManifestInvalid
        | Code::ManifestReservedKey
        | Code::ManifestInvalidRoute
        | Code::ManifestTargetForbidden => StatusCode::UNPROCESSABLE_ENTITY,
        Code::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        Code::IdempotencyUnreadable | Code::IdempotencyNoCaller | Code::Internal => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
        Code::BadUpstreamResponse | Code::UpstreamUnreachable => StatusCode::BAD_GATEWAY,
        Code::NotReady
        | Code::Overloaded
        | Code::UpstreamUnavailable
        | Code::IdempotencyStoreUnavailable
        | Code::ManifestStoreUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_status() {
        let without: Vec<_> = Code::ALL.iter().filter(|code| row(**code).is_none()).collect();
        assert!(without.is_empty(), "no status for {without:?}");
    }

    #[test]
    fn the_rows_of_the_specification() {
        for (code, expected) in [
            (Code::SignatureMissing, 401),
            (Code::BodyTooLarge, 413),
            (Code::HeadersTooLarge, 431),
            (Code::UriTooLong, 414),
            (Code::ExpectationFailed, 417),
            (Code::PathNotCanonical, 400),
            (Code::RouteNotFound, 404),
            (Code::MethodNotAllowed, 405),
            (Code::ManifestNotOwner, 403),
            (Code::ManifestRouteConflict, 409),
            (Code::ManifestTargetForbidden, 422),
            (Code::UpstreamUnreachable, 502),
            (Code::UpstreamUnavailable, 503),
            (Code::Overloaded, 503),
            (Code::DeadlineExceeded, 504),
        ] {
            assert_eq!(status(code), expected, "{code}");
        }
    }
}
