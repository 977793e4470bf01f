//! Lays flags over environment over file over defaults, and reports every mistake together.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    Environment, Flags, Origin, SettingError, Settings, build,
    effective::{self, Row},
    env,
    file::{self, Found},
    schema::{self, SETTINGS},
    value::{self, Raw, Value},
};

/// The file that is read when nobody names one.
const DEFAULT_FILE: &str = "mesh.toml";

/// A value that holds, and who says so.
#[derive(Clone, Debug)]
pub(crate) struct Effective {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

/// All values that are set, by dotted key.
pub(crate) type Values = BTreeMap<String, Effective>;

/// Reads all settings.
///
/// # Errors
///
/// Every mistake that was found; those of the secret alone stand in [`Settings::keyring`].
pub(crate) fn read(flags: &Flags, environment: &Environment) -> Result<Settings, Vec<SettingError>> {
    layers(flags, environment).map(|(settings, _)| settings)
}

/// Reads all settings, and tells of each key what holds and why.
///
/// # Errors
///
/// Those of [`read`].
pub(crate) fn read_with_rows(
    flags: &Flags,
    environment: &Environment,
) -> Result<(Settings, Vec<Row>), Vec<SettingError>> {
    layers(flags, environment).map(|(settings, values)| (settings, effective::rows(&values)))
}

fn layers(flags: &Flags, environment: &Environment) -> Result<(Settings, Values), Vec<SettingError>> {
    let mut errors = Vec::new();
    let file = named_file(flags, environment);
    let mut found = match &file {
        Some((path, is_required)) => from_file(path, *is_required, &mut errors),
        None => Vec::new(),
    };
    let services = configured_services(&found);
    found.extend(env::read(environment, &services, &mut errors));
    for (key, text, flag) in &flags.values {
        if let Some(setting) = SETTINGS.iter().find(|setting| setting.key == *key) {
            found.push(Found {
                path: key.split('.').map(str::to_owned).collect(),
                raw: Raw::from_text(setting.kind, text),
                origin: Origin::Flag(flag),
            });
        }
    }
    let values = overlay(found, &mut errors);
    let settings = build::settings(&values, file.map(|(path, _)| path), &mut errors);
    match settings {
        Some(settings) if errors.is_empty() => Ok((settings, values)),
        _ => Err(errors),
    }
}

/// The file to read, and whether it must be there.
fn named_file(flags: &Flags, environment: &Environment) -> Option<(PathBuf, bool)> {
    if let Some(path) = &flags.config {
        return Some((path.clone(), true));
    }
    if let Some(path) = environment.get(env::FILE_VARIABLE).filter(|path| !path.is_empty()) {
        return Some((PathBuf::from(path), true));
    }
    let path = PathBuf::from(DEFAULT_FILE);
    path.exists().then_some((path, false))
}

fn from_file(path: &Path, is_required: bool, errors: &mut Vec<SettingError>) -> Vec<Found> {
    match std::fs::read_to_string(path) {
        Ok(text) => file::read(path, &text, errors),
        Err(error) if is_required || error.kind() != std::io::ErrorKind::NotFound => {
            let origin = Origin::WholeFile(path.display().to_string());
            errors.push(SettingError::new(origin, None, format!("cannot be read: {error}")));
            Vec::new()
        }
        Err(_) => Vec::new(),
    }
}

fn configured_services(found: &[Found]) -> Vec<String> {
    let mut names: Vec<String> = found
        .iter()
        .filter_map(|found| match found.path.as_slice() {
            [section, name, _] if section == "services" => Some(name.clone()),
            [section, part, sni, name, _] if section == "gateway" && part == "tls" && sni == "sni" => {
                Some(name.clone())
            }
            [section, part, name] if section == "gateway" && part == "prefixes" => Some(name.clone()),
            _ => None,
        })
        .collect();
    names.dedup();
    names
}

/// The last of several values for one key holds; each is checked all the same.
fn overlay(found: Vec<Found>, errors: &mut Vec<SettingError>) -> Values {
    let mut values = Values::new();
    for Found { path, raw, origin } in found {
        let parts: Vec<&str> = path.iter().map(String::as_str).collect();
        let Some((setting, _)) = schema::find(&parts) else { continue };
        let key = path.join(".");
        match value::read(setting.kind, raw) {
            Ok(value) => {
                values.insert(key, Effective { value, origin });
            }
            Err(message) => errors.push(SettingError::new(origin, Some(key), message)),
        }
    }
    values
}
