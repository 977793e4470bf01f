//! `POST /microservice/manifest`: a service says where its routes are (docs/wire.md, Manifest document).
//!
//! Refuses whoever is not the service that the manifest describes.

mod answer;

use std::{convert::Infallible, future::Future, pin::Pin, sync::Arc, time::Duration};

use axum::body::Body as InnerBody;
use bytes::Bytes;
use http::{Request, Response, request::Parts};
use http_body_util::BodyExt;
use mesh_core::route::{Manifest, registration::RegistrationError, wire::MAX_MANIFEST_BYTES};
use mesh_http::{Caller, TrustService};
use tokio::{sync::oneshot, time::timeout};
use tower::{Layer, ServiceExt, service_fn};

use crate::{
    body::{Body, BodyError},
    gateway::{Gateway, Shared},
    refresh::{Command, Registration, Unregistered},
};

/// A registration that took longer is answered as if the store were silent.
const PATIENCE: Duration = Duration::from_secs(5);

/// Takes one manifest.
pub(crate) async fn take<B>(gateway: &Gateway, parts: &Parts, body: B) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BodyError>,
{
    let mut request = Request::new(body);
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = parts.uri.clone();
    *request.version_mut() = parts.version;
    *request.headers_mut() = parts.headers.clone();
    let shared = Arc::clone(gateway.shared());
    let verifier = Arc::clone(&shared.snapshot.load().reloadable.verifier);
    let trust = TrustService::layer(verifier).body_limit(MAX_MANIFEST_BYTES).clock(Arc::clone(&shared.clock));
    let inner = service_fn(move |request: Request<InnerBody>| -> Answering {
        let shared = Arc::clone(&shared);
        Box::pin(async move { Ok(verified(&shared, request).await) })
    });
    match trust.layer(inner).oneshot(request).await {
        Ok(response) => response.map(Body::inner),
        Err(never) => match never {},
    }
}

type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

/// Judges a manifest whose sender is known.
async fn verified(shared: &Shared, request: Request<InnerBody>) -> Response<Body> {
    let caller = request.extensions().get::<Caller>().cloned();
    let document = match request.into_body().collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(_) => Bytes::new(),
    };
    let manifest = match Manifest::parse_registration(&document) {
        Ok(manifest) => manifest,
        Err(error) => return answer::not_a_manifest(&error),
    };
    if caller.is_none_or(|caller| *caller.name() != manifest.service) {
        return answer::refused(&RegistrationError::NotOwner);
    }
    let service = manifest.service.clone();
    let (reply, outcome) = oneshot::channel();
    let registration = Registration { manifest, document, reply };
    let outcome = timeout(PATIENCE, async {
        shared
            .commands
            .send(Command::Register(registration))
            .await
            .map_err(|_| Unregistered::StoreUnavailable)?;
        outcome.await.unwrap_or(Err(Unregistered::StoreUnavailable))
    });
    match outcome.await {
        Ok(Ok(())) => {
            tracing::info!(%service, "manifest registered");
            answer::registered()
        }
        Ok(Err(Unregistered::Refused(error))) => {
            tracing::info!(%service, %error, "manifest refused");
            answer::refused(&error)
        }
        Ok(Err(Unregistered::StoreUnavailable)) | Err(_) => answer::store_unavailable(),
    }
}
