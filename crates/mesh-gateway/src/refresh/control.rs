//! The control task's loop: what wakes it, and what it does then.

use std::{sync::Arc, time::Duration};

use mesh_core::{
    clock::Tick,
    route::remembered::{Keeping, Remembered},
    store::{ManifestStore, Revision},
};
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

use super::{Command, POLL, POLL_SILENT, first, publish::Publisher};
use crate::gateway::Shared;

/// A store that has not answered after this long counts as silent.
pub(super) const STORE_PATIENCE: Duration = Duration::from_secs(2);
/// Two reads are at least this far apart, however often the store tells of changes.
const BREATH: Duration = Duration::from_millis(20);

/// What the control task remembers from round to round.
pub(super) struct Round {
    pub(super) shared: Arc<Shared>,
    pub(super) manifests: Arc<dyn ManifestStore>,
    pub(super) remembered: Remembered,
    pub(super) publisher: Publisher,
    seen: Revision,
    last_read: Tick,
}

/// What woke the loop.
enum Woken {
    Changed(Revision),
    Poll,
    Command(Option<Command>),
}

impl Round {
    pub(super) fn new(
        shared: Arc<Shared>,
        manifests: Arc<dyn ManifestStore>,
        remembered: Remembered,
    ) -> Self {
        let publisher = Publisher::new(Arc::clone(&shared));
        Self {
            shared,
            manifests,
            remembered,
            publisher,
            seen: Revision::default(),
            last_read: Tick::default(),
        }
    }

    /// Reads the store for ever; a command is taken in between.
    pub(super) async fn repeat(mut self, mut waiting: mpsc::Receiver<Command>) {
        self.read().await;
        loop {
            match self.wait(&mut waiting).await {
                Woken::Command(Some(Command::Register(registration))) => self.register(registration).await,
                Woken::Command(Some(Command::Reload(reloadable))) => {
                    self.publisher.reload(reloadable, &self.remembered, self.shared.clock.monotonic());
                }
                Woken::Command(None) => return,
                Woken::Poll => self.read().await,
                Woken::Changed(revision) => {
                    self.seen = revision;
                    let since = self.shared.clock.monotonic().since(self.last_read);
                    sleep(BREATH.saturating_sub(since)).await;
                    self.read().await;
                }
            }
        }
    }

    async fn wait(&self, waiting: &mut mpsc::Receiver<Command>) -> Woken {
        let pace = if self.shared.metrics.store_is_up() { POLL } else { POLL_SILENT };
        let due = pace.saturating_sub(self.shared.clock.monotonic().since(self.last_read));
        let changed = async { Woken::Changed(self.manifests.changed(self.seen).await) };
        let poll = async {
            sleep(due).await;
            Woken::Poll
        };
        let command = async { Woken::Command(waiting.recv().await) };
        first(command, first(poll, changed)).await
    }

    /// One read of the store, and what follows from it.
    async fn read(&mut self) {
        let result = timeout(STORE_PATIENCE, self.manifests.all()).await;
        let now = self.shared.clock.monotonic();
        self.last_read = now;
        let keeping = {
            let settings = &self.publisher.reloadable().settings;
            Keeping { ttl: settings.manifest_ttl, grace: settings.manifest_grace }
        };
        let problem = match result {
            Ok(Ok(read)) => {
                let changed = self.remembered.absorb(&read, now, keeping);
                self.note_store(true, "");
                self.publisher.loaded(&self.remembered, changed, now).await;
                return;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        self.remembered.suspend(now);
        self.note_store(false, &problem);
    }

    pub(super) fn note_store(&self, answers: bool, problem: &str) {
        if self.shared.metrics.store_is_up() != answers {
            if answers {
                tracing::info!("the store answers again");
            } else {
                tracing::warn!(problem, "the store does not answer: the routes stay as they are");
            }
        }
        self.shared.metrics.store_answers(answers);
    }
}
