//! `mesh keygen`: a fresh secret.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mesh_core::entropy::{Entropy as _, SystemEntropy};
use serde_json::json;

use crate::{
    exit::{Exit, Failure},
    output::Output,
};

/// 32 random bytes, base64.
pub(crate) fn fresh_secret() -> String {
    let mut bytes = [0; 32];
    SystemEntropy::new().fill(&mut bytes);
    STANDARD.encode(bytes)
}

pub(crate) fn run(output: &Output) -> Result<Exit, Failure> {
    let secret = fresh_secret();
    if output.json {
        output.document(&json!({ "secret": secret }));
    } else {
        output.line(secret);
    }
    Ok(Exit::Ok)
}
