//! Registers one manifest: judged against the stored one and the table, then stored unless somebody was quicker.

use std::future::Future;

use bytes::Bytes;
use mesh_core::{
    event::Event,
    route::{
        Manifest,
        registration::{check_conflicts, check_freshness, check_targets},
    },
    store::{Replaced, StoreError},
};
use tokio::time::timeout;

use super::{
    Registration, Unregistered,
    control::{Round, STORE_PATIENCE},
};

/// How often a document may be judged anew because another one was stored in between.
const MAX_ROUNDS: usize = 8;

impl Round {
    /// Takes one registration, and answers it.
    pub(super) async fn register(&mut self, registration: Registration) {
        let Registration { manifest, document, reply } = registration;
        let result = self.store(&manifest, &document).await;
        if result.is_ok() {
            let now = self.shared.clock.monotonic();
            let ttl = self.publisher.reloadable().settings.manifest_ttl;
            if self.remembered.put(&manifest.service, &document, ttl, now) {
                self.publisher.publish(&self.remembered, now);
            }
            let routes = manifest.routes.len();
            self.shared.sink.emit(Event::ManifestReceived { service: manifest.service, routes });
        }
        let _: Result<(), _> = reply.send(result);
    }

    async fn store(&self, manifest: &Manifest, document: &Bytes) -> Result<(), Unregistered> {
        let settings = &self.publisher.reloadable().settings;
        self.check_targets(manifest)?;
        for _ in 0..MAX_ROUNDS {
            let stored = self.patiently(self.manifests.get(&manifest.service)).await?;
            if let Some(stored) = stored.as_ref().and_then(|stored| Manifest::parse(&stored.document).ok()) {
                check_freshness(manifest, &stored, settings.timestamp_tolerance)
                    .map_err(Unregistered::Refused)?;
            }
            check_conflicts(manifest, &self.shared.snapshot.load().table).map_err(Unregistered::Refused)?;
            let expected = stored.map(|stored| stored.document);
            let replace =
                self.manifests.replace(&manifest.service, expected, document.clone(), settings.manifest_ttl);
            match self.patiently(replace).await? {
                Replaced::Stored => return Ok(()),
                Replaced::Changed => {}
            }
        }
        Err(Unregistered::StoreUnavailable)
    }

    /// Announced base URLs are the service's own configured ones, or lie in the allowed targets.
    fn check_targets(&self, manifest: &Manifest) -> Result<(), Unregistered> {
        let mut announced = manifest.clone();
        let settings = &self.publisher.reloadable().settings;
        if let Some(service) = settings.service(&manifest.service) {
            announced.base_urls.retain(|url| !service.base_urls.contains(url));
        }
        check_targets(&announced, &settings.allow_targets).map_err(Unregistered::Refused)
    }

    async fn patiently<T>(
        &self,
        operation: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, Unregistered> {
        let problem = match timeout(STORE_PATIENCE, operation).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        tracing::warn!(problem, "a manifest could not be stored");
        Err(Unregistered::StoreUnavailable)
    }
}
