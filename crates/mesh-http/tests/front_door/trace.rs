//! A handler learns which trace its request belongs to.

use axum::extract::FromRequestParts as _;
use http::Request;
use mesh_http::Trace;

async fn trace_of(lines: &[&str]) -> Option<String> {
    let mut request = Request::builder().uri("/");
    for line in lines {
        request = request.header("traceparent", *line);
    }
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    let Ok(Trace(trace)) = Trace::from_request_parts(&mut parts, &()).await;
    trace.map(|trace| trace.to_string())
}

#[tokio::test]
async fn a_valid_traceparent_is_given_and_any_other_is_none() {
    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    assert_eq!(trace_of(&[GOOD]).await.as_deref(), Some(GOOD));
    assert_eq!(trace_of(&[]).await, None);
    assert_eq!(trace_of(&[GOOD, GOOD]).await, None);
    assert_eq!(trace_of(&["00-1-1-00"]).await, None);
}
