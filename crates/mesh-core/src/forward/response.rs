//! Which of a service's headers go back to the client.

use http::{HeaderMap, HeaderName};

/// Takes out hop-by-hop headers, those that `Connection` nominates, and those in `strip`. Everything else stays, each
/// line on its own (`Set-Cookie` too).
pub fn strip(headers: &mut HeaderMap, strip: &[HeaderName]) {
    let _ = (headers, strip);
    todo!()
}
