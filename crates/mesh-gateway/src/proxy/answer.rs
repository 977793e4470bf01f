//! What the client gets: the service's answer, or the refusal that says why there is none.

use std::{borrow::Cow, sync::Arc};

use http::{HeaderValue, Response, StatusCode, header::LOCATION};
use mesh_client::driver::{Pending, Report};
use mesh_core::{
    call::Ending,
    error::Code,
    forward::{location, response},
    retry::Failure,
    service::BaseUrl,
};

use super::switched::{self, Switch};
use crate::{
    body::Body, error::Refusal, gateway::Gateway, metrics::Tally, settings::GatewaySettings,
    snapshot::RouteRef, trail::Trail, transport::UpstreamBody,
};

/// The last attempt decides (docs/refusals.md, row 78).
pub(super) fn of(
    (gateway, settings): (&Gateway, &GatewaySettings),
    route: &RouteRef,
    report: Report<Response<UpstreamBody>, &BaseUrl>,
    trail: &Trail,
    switch: Option<Switch>,
) -> Result<Response<Body>, Refusal> {
    match (report.ending, report.response, switch) {
        (Ending::Answered, Some(response), Some(switch))
            if response.status() == StatusCode::SWITCHING_PROTOCOLS =>
        {
            switched::pass_on((gateway, settings), &route.view, response, report.instance, switch)
        }
        (Ending::Answered | Ending::ServerError, Some(response), _) => {
            Ok(pass_on((gateway, settings), route, response, (report.instance, report.pending), trail))
        }
        (Ending::NoInstance, ..) => Err(unavailable()),
        (Ending::DeadlineExceeded | Ending::Failed(Failure::Timeout), ..) => {
            Err(Refusal::new(Code::DeadlineExceeded, "the service did not answer in time"))
        }
        (Ending::Failed(Failure::Malformed), ..) => {
            Err(Refusal::new(Code::BadUpstreamResponse, "the service sent what is no HTTP answer"))
        }
        (Ending::Failed(Failure::Protocol), ..) => {
            let text = "the service does not speak HTTP/2, as its settings say";
            Err(Refusal::new(Code::BadUpstreamResponse, text))
        }
        (Ending::Failed(Failure::Local), ..) => {
            let text = "the gateway cannot open a connection to the service now";
            Err(Refusal::new(Code::Overloaded, text).retry_after(1))
        }
        (Ending::Failed(Failure::Connect | Failure::Reset | Failure::Truncated), ..)
        | (Ending::Answered | Ending::ServerError, None, _) => {
            Err(Refusal::new(Code::UpstreamUnreachable, "no instance of the service could be reached"))
        }
    }
}

/// No instance is known, or none is worth trying now.
pub(super) fn unavailable() -> Refusal {
    Refusal::new(Code::UpstreamUnavailable, Cow::Borrowed("no instance of the service is available"))
        .retry_after(1)
}

fn pass_on(
    (gateway, settings): (&Gateway, &GatewaySettings),
    route: &RouteRef,
    upstream: Response<UpstreamBody>,
    (instance, pending): (Option<usize>, Option<Pending>),
    trail: &Trail,
) -> Response<Body> {
    let shared = gateway.shared();
    let (mut parts, mut body) = upstream.into_parts();
    parts.extensions = http::Extensions::new();
    parts.version = http::Version::HTTP_11;
    response::strip(&mut parts.headers, &settings.strip_response_headers);
    rewrite_location(route, &mut parts.headers);
    if body.is_here() {
        pending.into_iter().for_each(Pending::good);
    } else if let Some(instance) = instance {
        let (shared, service, trail) = (Arc::clone(shared), Arc::clone(&route.service), trail.clone());
        let cells = Arc::clone(gateway.cells());
        body.watch(move |ended| {
            let Err(message) = ended else { return pending.into_iter().for_each(Pending::good) };
            drop(pending);
            cells.count(Tally::BodyBroke);
            if let Some(broken) = service.view.instances().get(instance) {
                let url = broken.instance().url.as_str();
                cells.failed(service.view.name(), url, Some(Failure::Truncated));
            }
            shared.driver.body_failed(&service.view, instance, &trail.logged_id(), message);
        });
    }
    Response::from_parts(parts, Body::upstream(body))
}

fn rewrite_location(route: &RouteRef, headers: &mut http::HeaderMap) {
    let Some(location) = headers.get(LOCATION).and_then(|value| value.to_str().ok()) else { return };
    let to_gateway = |path: &str| route.entry().style.insert(&route.entry().prefix, path);
    let rewritten = location::rewrite(location, &route.service.base_urls, &to_gateway);
    if let Some(value) = rewritten.and_then(|text| HeaderValue::try_from(text).ok()) {
        headers.insert(LOCATION, value);
    }
}
