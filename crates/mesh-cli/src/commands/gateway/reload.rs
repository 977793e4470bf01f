//! Settings that change while the gateway runs: read again at SIGHUP, and when their file, a certificate or a key has
//! changed.
//!
//! Refuses settings with a mistake: the old ones stay, and the mistakes are told.

use std::{
    future::Future,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use mesh_gateway::Gateway;
use tokio::{
    signal::unix::SignalKind,
    time::{MissedTickBehavior, interval},
};

use super::heard;
use crate::{
    exit::Failure,
    gateway_settings,
    output::Output,
    settings::{self, Environment, Flags, Settings},
};

/// How often the file is looked at. A change applies once it was the same at two looks, so that a file that is still
/// being written is left alone.
const LOOK: Duration = Duration::from_millis(500);

/// What tells changed files from unchanged ones; `None`: one of them is not there.
type Stamp = Option<Vec<(SystemTime, u64)>>;

/// Where the settings come from, and the gateway that they go to.
#[derive(Debug)]
pub(super) struct Reload<'g> {
    flags: &'g Flags,
    environment: &'g Environment,
    gateway: &'g Gateway,
    /// As the gateway was started: some of it cannot change later.
    started: &'g Settings,
}

impl<'g> Reload<'g> {
    pub(super) fn new(
        started: &'g Settings,
        flags: &'g Flags,
        environment: &'g Environment,
        gateway: &'g Gateway,
    ) -> Self {
        Self { flags, environment, gateway, started }
    }

    /// Hears SIGHUP and watches the file from now on. The future never ends.
    ///
    /// # Errors
    ///
    /// When the system gives no signal handler.
    pub(super) fn run(self, output: &Output) -> Result<impl Future<Output = ()>, Failure> {
        let mut hangup = heard(SignalKind::hangup())?;
        let mut watched = self.files(self.started);
        let mut applied = stamp(&watched);
        Ok(async move {
            let mut looks = interval(LOOK);
            looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut last = applied.clone();
            loop {
                let is_told = tokio::select! {
                    heard = hangup.recv() => heard.is_some(),
                    _ = looks.tick() => false,
                };
                let now = stamp(&watched);
                let is_changed = now.is_some() && now != applied && now == last;
                last = now.clone();
                if is_told || is_changed {
                    applied = now;
                    let named = self.apply(output).await.unwrap_or_else(|| watched.clone());
                    if named != watched {
                        watched = named;
                        applied = stamp(&watched);
                        last = applied.clone();
                    }
                }
            }
        })
    }

    /// Answers the files to watch from now on, if the settings are good.
    async fn apply(&self, output: &Output) -> Option<Vec<PathBuf>> {
        let read = settings::read(self.flags, self.environment).and_then(|settings| {
            Ok((settings.keyring.clone()?, gateway_settings::running(&settings)?, settings))
        });
        let (keyring, fresh, settings) = match read {
            Ok(read) => read,
            Err(errors) => {
                kept(output, &Failure::settings(errors).lines);
                return None;
            }
        };
        match self.gateway.reload(fresh, keyring).await {
            Ok(()) => {
                output.message("settings were read again");
                for key in needing_a_restart(self.started, &settings) {
                    output.message(format_args!("{key} applies after a restart"));
                }
            }
            Err(error) => {
                kept(output, &[error.to_string()]);
                return None;
            }
        }
        Some(self.files(&settings))
    }

    /// The files that `settings` were read from. One that went away is still the one to come back.
    fn files(&self, settings: &Settings) -> Vec<PathBuf> {
        let (file, tls) = (self.started.file.clone(), settings.gateway.tls.files());
        file.into_iter().chain(tls.into_iter().map(PathBuf::from)).collect()
    }
}

fn stamp(files: &[PathBuf]) -> Stamp {
    let of = |file: &PathBuf| {
        let metadata = std::fs::metadata(file).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    files.iter().map(of).collect()
}

fn kept(output: &Output, mistakes: &[String]) {
    output.failure(&Failure { exit: crate::exit::Exit::Usage, lines: mistakes.to_vec() });
    output.message("settings were not read again: the old ones stay");
}

/// The keys that a running gateway cannot change, and that did.
fn needing_a_restart(old: &Settings, new: &Settings) -> Vec<&'static str> {
    let redis =
        |settings: &Settings| settings.redis.as_ref().map(|redis| (redis.url.clone(), redis.prefix.clone()));
    [
        ("name", old.name != new.name),
        ("[redis]", redis(old) != redis(new)),
        ("[health]", old.health != new.health),
        ("gateway.listen", old.gateway.listen != new.gateway.listen),
        ("gateway.admin_listen", old.gateway.admin_listen != new.gateway.admin_listen),
        ("[gateway.access_log]", old.gateway.access_log != new.gateway.access_log),
        ("gateway.workers", old.gateway.workers != new.gateway.workers),
    ]
    .into_iter()
    .filter_map(|(key, is_changed)| is_changed.then_some(key))
    .collect()
}
