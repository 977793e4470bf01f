//! What a stored answer looks like when it is given again.

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode};
use mesh_core::{
    error::Code,
    header::X_IDEMPOTENCY_CACHE_HIT,
    idempotency::{Answer, AnswerBody},
};

use crate::reject::Refusal;

/// The stored answer, marked as one.
pub(super) fn replay(answer: Answer) -> Response<Body> {
    let (AnswerBody::Whole(body), Ok(status)) = (answer.body, StatusCode::from_u16(answer.status)) else {
        return Refusal::of(Code::IdempotencyUnreadable).answer(http::Version::HTTP_11);
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    for (name, value) in answer.headers {
        response.headers_mut().append(name, value);
    }
    response.headers_mut().insert(X_IDEMPOTENCY_CACHE_HIT, HeaderValue::from_static("true"));
    response
}
