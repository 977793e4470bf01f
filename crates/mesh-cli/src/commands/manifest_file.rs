//! A manifest in a file: JSON or TOML, complete or with what the settings know left out.
//!
//! Refuses what cannot be read; what the document says is the manifest's own reader to judge.

use std::{fs, path::Path};

use mesh_core::{
    clock::{Clock as _, SystemClock},
    name::ServiceName,
};
use serde_json::Value;

use crate::exit::Failure;

/// A manifest file, JSON or TOML (by its ending), as a document. What a file may leave out is filled in: `service` is
/// this node's name, `timestamp` is now.
pub(crate) fn read(path: &Path, name: &ServiceName) -> Result<Vec<u8>, Failure> {
    let shown = path.display();
    let text =
        fs::read_to_string(path).map_err(|error| Failure::usage(format!("cannot read {shown}: {error}")))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    if text.trim().is_empty() {
        return Err(Failure::usage(format!("{shown}: the file is empty")));
    }
    let is_toml = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml"));
    let (document, text): (Value, _) = if is_toml {
        let bad =
            |error: toml::de::Error| Failure::usage(format!("{shown}: {}", error.to_string().trim_end()));
        let document: Value = toml::from_str(text).map_err(bad)?;
        let text = document.to_string();
        (document, text)
    } else {
        let bad = |error| Failure::usage(format!("{shown}: {error}"));
        (serde_json::from_str(text).map_err(bad)?, text.trim().to_owned())
    };
    let Some(fields) = document.as_object() else { return Ok(text.into_bytes()) };
    let mut missing = serde_json::Map::new();
    if !fields.contains_key("service") {
        missing.insert("service".to_owned(), name.as_str().into());
    }
    if !fields.contains_key("timestamp") {
        missing.insert("timestamp".to_owned(), now().into());
    }
    Ok(with_fields(&text, &missing, fields.is_empty()).into_bytes())
}

/// The JSON object `text` with further fields in front. The text itself stays: what is doubled in it is still seen.
fn with_fields(text: &str, further: &serde_json::Map<String, Value>, is_empty: bool) -> String {
    if further.is_empty() {
        return text.to_owned();
    }
    let front = Value::Object(further.clone()).to_string();
    let comma = if is_empty { "" } else { "," };
    format!("{}{comma}{}", front.trim_end_matches('}'), text.trim_start_matches('{'))
}

fn now() -> String {
    let seconds = i64::try_from(SystemClock.unix().seconds()).unwrap_or_default();
    jiff::Timestamp::from_second(seconds).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}
