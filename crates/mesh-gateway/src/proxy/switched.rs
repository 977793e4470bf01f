//! Requests that switch to another protocol: how the instance is asked, and what its 101 opens.

use http::{
    HeaderValue, Response, StatusCode,
    header::{CONNECTION, UPGRADE},
    request::Parts,
};
use mesh_core::{
    error::Code,
    forward::{response, upgrade::is_answered},
    health::view::ServiceView,
};

use crate::{
    body::Body,
    door::{self, Head},
    error::Refusal,
    gateway::Gateway,
    http1::write_line,
    settings::GatewaySettings,
    snapshot::RouteRef,
    switch::ClientSwitch,
    transport::UpstreamBody,
};

/// A switch that was asked for.
#[derive(Debug)]
pub(super) struct Switch {
    protocols: Vec<u8>,
    client: ClientSwitch,
}

/// Adds to the header lines what asks for a switch, if the client wants one, its route allows it and its connection can.
pub(super) fn ask(
    route: &RouteRef,
    parts: &Parts,
    head: &Head<'_>,
    has_body: bool,
    lines: &mut Vec<u8>,
) -> Result<Option<Switch>, Refusal> {
    if !head.survey.has_upgrade {
        return Ok(None);
    }
    let Some(protocols) = door::upgrade(parts, route.entry().route.allows_upgrade(), has_body)? else {
        return Ok(None);
    };
    let Some(client) = ClientSwitch::of(&parts.extensions) else { return Ok(None) };
    write_line(lines, CONNECTION.as_str(), UPGRADE.as_str().as_bytes());
    write_line(lines, UPGRADE.as_str(), &protocols);
    Ok(Some(Switch { protocols, client }))
}

/// Passes the 101 on, and opens the tunnel behind it.
pub(super) fn pass_on(
    (gateway, settings): (&Gateway, &GatewaySettings),
    view: &ServiceView,
    upstream: Response<UpstreamBody>,
    instance: Option<usize>,
    switch: Switch,
) -> Result<Response<Body>, Refusal> {
    let (mut parts, body) = upstream.into_parts();
    let view = instance.and_then(|instance| view.instances().get(instance));
    let protocol = parts.headers.get(UPGRADE).cloned();
    let (Some(tunnel), Some(view), Some(protocol), true) =
        (body.into_tunnel(), view, protocol, is_answered(&switch.protocols, &parts.headers))
    else {
        return Err(Refusal::new(Code::BadUpstreamResponse, "the service switched to what nobody asked for"));
    };
    response::strip(&mut parts.headers, &settings.strip_response_headers);
    let is_websocket = protocol.as_bytes().eq_ignore_ascii_case(b"websocket");
    let shared = gateway.shared();
    let load = view.begin_shared(&shared.health, shared.clock.monotonic());
    gateway.tunnels().open(tunnel.websocket(is_websocket), switch.client, load);
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *response.headers_mut() = parts.headers;
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
    response.headers_mut().insert(UPGRADE, protocol);
    Ok(response)
}
