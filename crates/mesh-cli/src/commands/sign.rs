//! `mesh sign`: the headers that a call would carry.

use std::fs;

use http::header::CONTENT_TYPE;
use mesh_core::{
    clock::{Clock as _, SystemClock},
    entropy::{Entropy as _, SystemEntropy, uuid_v4},
    header::{X_REQUEST_ID, X_SERVICE_NAME, X_SIGNATURE, X_TIMESTAMP},
    signature::Signer,
};
use serde_json::{Map, Value};

use super::method;
use crate::{
    args::Sign,
    exit::{Exit, Failure},
    output::Output,
    settings::Settings,
};

pub(crate) fn run(sign: &Sign, settings: &Settings, output: &Output) -> Result<Exit, Failure> {
    let keyring = settings.keyring.clone().map_err(Failure::settings)?;
    let method = method(&sign.method)?;
    check_target(&sign.path)?;
    let body = body(sign.body.as_deref())?;
    let timestamp = sign.timestamp.unwrap_or_else(|| SystemClock.unix().seconds());
    let signature = Signer::new(&keyring).sign(method.as_str(), &sign.path, timestamp, &body);
    let mut id = [0; 16];
    SystemEntropy::new().fill(&mut id);
    let headers = [
        (X_SIGNATURE, signature.as_str().to_owned()),
        (X_TIMESTAMP, timestamp.to_string()),
        (X_SERVICE_NAME, settings.name.as_str().to_owned()),
        (X_REQUEST_ID, uuid_v4(id)),
        (CONTENT_TYPE, "application/json".to_owned()),
    ];
    if output.json {
        let document: Map<String, Value> =
            headers.into_iter().map(|(name, value)| (train_case(name.as_str()), value.into())).collect();
        output.document(&Value::Object(document));
    } else {
        for (name, value) in headers {
            output.line(format_args!("{}: {value}", train_case(name.as_str())));
        }
    }
    Ok(Exit::Ok)
}

/// That a path is a request's target.
pub(crate) fn check_target(path: &str) -> Result<(), Failure> {
    if !path.starts_with('/') || path.bytes().any(|byte| !byte.is_ascii_graphic() || byte == b'#') {
        return Err(Failure::usage(
            "PATH is a target as it goes on the wire: it begins with '/', and is percent-encoded",
        ));
    }
    Ok(())
}

/// `x-request-id` as people write it: `X-Request-Id`.
fn train_case(name: &str) -> String {
    name.split('-')
        .map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            first.to_uppercase() + rest
        })
        .collect::<Vec<_>>()
        .join("-")
}

/// The bytes of a `--body`: the text itself, or the content of `@FILE`.
pub(crate) fn body(given: Option<&str>) -> Result<Vec<u8>, Failure> {
    match given {
        None => Ok(Vec::new()),
        Some(text) => match text.strip_prefix('@') {
            None => Ok(text.as_bytes().to_vec()),
            Some(path) => {
                fs::read(path).map_err(|error| Failure::usage(format!("--body: cannot read {path}: {error}")))
            }
        },
    }
}
