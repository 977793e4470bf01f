//! The last good routes on disk: manifests and their expiries, replaced whole.
//!
//! Refuses to stop anything: a file that cannot be read is an empty one, and said so.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use mesh_core::{
    clock::{Tick, UnixMillis},
    name::ServiceName,
    route::remembered::Remembered,
};
use serde::{Deserialize, Serialize};

/// A manifest as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Restored {
    pub(super) service: ServiceName,
    pub(super) document: Bytes,
    /// What is left of its time; zero when it is over.
    pub(super) expires_in: Duration,
}

#[derive(Serialize, Deserialize)]
struct Content {
    version: u32,
    manifests: Vec<Written>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    service: ServiceName,
    document: String,
    /// Unix seconds.
    expires: u64,
}

const VERSION: u32 = 1;

/// The file's text for what is remembered at `now`, which is `unix` on the wall.
pub(super) fn text(remembered: &Remembered, now: Tick, unix: UnixMillis) -> String {
    let manifests = remembered
        .kept()
        .iter()
        .filter_map(|(service, kept)| {
            Some(Written {
                service: service.clone(),
                document: String::from_utf8(kept.document.to_vec()).ok()?,
                expires: unix.seconds() + kept.expires.since(now).as_secs(),
            })
        })
        .collect();
    serde_json::to_string(&Content { version: VERSION, manifests }).unwrap_or_default()
}

/// Replaces the file at `path`: all of it, or nothing.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".tmp");
    let aside = PathBuf::from(aside);
    fs::write(&aside, text)?;
    fs::rename(&aside, path)
}

/// What the file at `path` holds.
pub(super) fn read(path: &Path, now: UnixMillis) -> Vec<Restored> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "the last good routes cannot be read");
            return Vec::new();
        }
    };
    match serde_json::from_slice::<Content>(&text) {
        Ok(content) if content.version == VERSION => {
            content.manifests.into_iter().map(|written| restored(written, now)).collect()
        }
        Ok(_) => {
            tracing::warn!(path = %path.display(), "the last good routes are of another version");
            Vec::new()
        }
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "the last good routes cannot be read");
            Vec::new()
        }
    }
}

fn restored(written: Written, now: UnixMillis) -> Restored {
    Restored {
        service: written.service,
        document: Bytes::from(written.document),
        expires_in: Duration::from_secs(written.expires.saturating_sub(now.seconds())),
    }
}
