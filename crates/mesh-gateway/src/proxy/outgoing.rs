//! The request as it goes on: the service's path, the client's headers without what is not theirs to say.

use http::{
    HeaderMap, HeaderValue,
    header::{CONTENT_LENGTH, HOST},
    request::Parts,
};
use mesh_core::{
    entropy::uuid_v4,
    forward::{self, ClientFacts},
    header::{X_REQUEST_ID, is_end_identity},
};

use super::Way;
use crate::{door::Head, gateway::Gateway, peer::Peer, snapshot::RouteState};

/// The service's path and the client's query, byte for byte.
pub(super) fn path_and_query(route: &RouteState, head: &Head<'_>) -> String {
    let Some(target) = &head.target else { return head.path_and_query.to_owned() };
    let mut out = route.entry.service_path(target.path());
    if let Some(query) = target.query() {
        out.push('?');
        out.push_str(query);
    }
    out
}

/// Everything but `Host`, framing and the signature's headers. Carries a request id: one for all attempts.
pub(super) fn headers(
    gateway: &Gateway,
    route: &RouteState,
    parts: &Parts,
    head: &Head<'_>,
    peer: Peer,
    way: Way,
) -> HeaderMap {
    let shared = gateway.shared();
    let prefix = route.entry.prefix.trim_matches('/');
    let prefix = (!prefix.is_empty()).then(|| format!("/{prefix}"));
    let facts = ClientFacts {
        peer: peer.address,
        peer_is_trusted: route.reloadable.settings.trusts(peer.address),
        scheme: if peer.is_https { "https" } else { "http" },
        host: head.host,
        port: peer.port,
        prefix: prefix.as_deref(),
    };
    let mut headers = forward::request::forwarded_headers(&parts.headers, &facts);
    if way == Way::Layered {
        let said = parts.headers.iter().filter(|(name, _)| is_end_identity(name));
        headers.extend(said.map(|(name, value)| (name.clone(), value.clone())));
    }
    headers.remove(CONTENT_LENGTH);
    headers.remove(HOST);
    if !headers.contains_key(X_REQUEST_ID) {
        let mut random = [0; 16];
        shared.entropy.fill(&mut random);
        if let Ok(value) = HeaderValue::try_from(uuid_v4(random)) {
            headers.insert(X_REQUEST_ID, value);
        }
    }
    headers
}
