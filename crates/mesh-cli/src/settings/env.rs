//! The environment's names: `MESH__SECTION__KEY` for every key, and the package's own for some.

use std::collections::BTreeMap;

use super::{
    file::Found,
    origin::{Origin, SettingError},
    schema::{self, SETTINGS},
    suggest::nearest,
    value::Raw,
};

/// What the process was given; tests give a map.
pub(crate) type Environment = BTreeMap<String, String>;

const PREFIX: &str = "MESH__";

/// Names the file.
pub(super) const FILE_VARIABLE: &str = "MESH_CONFIG";

/// Whether a variable is, or looks like, one of ours.
pub(crate) fn is_ours(name: &str) -> bool {
    name == FILE_VARIABLE
        || name.starts_with(PREFIX)
        || SETTINGS.iter().any(|setting| setting.package_name == Some(name))
}

/// Whether a variable has our own form; else its name is the package's.
pub(crate) fn is_own(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// The settings in the environment, weakest first: the package's names, then `MESH__` names. `services` are the names
/// that the file configures; an unknown `MESH__` name is an error.
pub(crate) fn read(
    environment: &Environment,
    services: &[String],
    errors: &mut Vec<SettingError>,
) -> Vec<Found> {
    let mut found = Vec::new();
    for setting in SETTINGS {
        if let Some(name) = setting.package_name
            && let Some(text) = environment.get(name)
        {
            found.push(Found {
                path: setting.key.split('.').map(str::to_owned).collect(),
                raw: Raw::from_text(setting.kind, text),
                origin: Origin::Environment(name.to_owned()),
            });
        }
    }
    for (name, text) in environment.range(PREFIX.to_owned()..) {
        let Some(rest) = name.strip_prefix(PREFIX) else { break };
        let origin = Origin::Environment(name.clone());
        match key_of(rest, services) {
            Some((path, kind)) => found.push(Found { path, raw: Raw::from_text(kind, text), origin }),
            None => {
                let known: Vec<String> = SETTINGS.iter().map(|setting| variable(setting.key)).collect();
                let message = match nearest(name, known.iter().map(String::as_str)) {
                    Some(known) => format!("unknown variable; did you mean {known}?"),
                    None => "unknown variable; see docs/settings.md".to_owned(),
                };
                errors.push(SettingError::new(origin, None, message));
            }
        }
    }
    found
}

/// The variable for a key: `MESH__HEALTH__FAILURE_THRESHOLD`; `*` becomes `<SERVICE>`.
pub(crate) fn variable(key: &str) -> String {
    let parts: Vec<String> = key
        .split('.')
        .map(|part| if part == "*" { "<SERVICE>".to_owned() } else { part.to_uppercase() })
        .collect();
    format!("{PREFIX}{}", parts.join("__"))
}

fn key_of(rest: &str, services: &[String]) -> Option<(Vec<String>, schema::Kind)> {
    let parts: Vec<&str> = rest.split("__").collect();
    SETTINGS.iter().find_map(|setting| {
        let key: Vec<&str> = setting.key.split('.').collect();
        if key.len() > parts.len() || (key.len() < parts.len() && !key.contains(&"*")) {
            return None;
        }
        // A service's name may itself hold "__": it takes what the fixed parts leave.
        let star = key.iter().position(|part| *part == "*");
        let (before, after) = match star {
            Some(at) => (&key[..at], &key[at + 1..]),
            None => (&key[..], &[][..]),
        };
        let taken = parts.len() - after.len();
        let fits = before.iter().zip(&parts).all(|(part, given)| part.eq_ignore_ascii_case(given))
            && after.iter().zip(&parts[taken..]).all(|(part, given)| part.eq_ignore_ascii_case(given));
        if !fits || (star.is_none() && parts.len() != key.len()) {
            return None;
        }
        let mut path: Vec<String> = before.iter().map(|part| (*part).to_owned()).collect();
        if star.is_some() {
            let given = parts[before.len()..taken].join("__");
            if given.is_empty() {
                return None;
            }
            path.push(service_name(&given, services));
        }
        path.extend(after.iter().map(|part| (*part).to_owned()));
        Some((path, setting.kind))
    })
}

/// The configured service that `given` stands for (case-insensitively, `_` for any byte that a variable's name cannot
/// hold), else `given` in lower case.
fn service_name(given: &str, services: &[String]) -> String {
    let fold = |name: &str| -> String {
        name.bytes()
            .map(|byte| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() as char } else { '_' })
            .collect()
    };
    services.iter().find(|known| fold(known) == fold(given)).cloned().unwrap_or_else(|| given.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, services: &[&str], expected: Option<&str>) {
        let environment = Environment::from([(name.to_owned(), "1".to_owned())]);
        let services: Vec<String> = services.iter().map(|name| (*name).to_owned()).collect();
        let mut errors = Vec::new();
        let found = read(&environment, &services, &mut errors);
        let keys: Vec<String> = found.iter().map(|found| found.path.join(".")).collect();
        assert_eq!(keys.first().map(String::as_str), expected, "{name}: {errors:?}");
        assert_eq!(errors.len(), usize::from(expected.is_none() && name.starts_with(PREFIX)));
    }

    #[test]
    fn every_key_has_a_variable() {
        check("MESH__HEALTH__FAILURE_THRESHOLD", &[], Some("health.failure_threshold"));
        check("MESH__NAME", &[], Some("name"));
        check("MESH__SERVICES__OMS__BASE_URLS", &[], Some("services.oms.base_urls"));
        check("MESH__SERVICES__MY_SHOP__RETRIES", &["my-shop"], Some("services.my-shop.retries"));
        check("MESH__SERVICES__OMS__RETRIES", &["OMS"], Some("services.OMS.retries"));
        check("MESH__SERVICES__A__B__RETRIES", &[], Some("services.a__b.retries"));
        check("MESH__GATEWAY__PREFIXES__PIM", &[], Some("gateway.prefixes.pim"));
        check("SERVICE_NAME", &[], Some("name"));
    }

    #[test]
    fn the_variable_that_the_documentation_names_leads_back_to_its_key() {
        for setting in SETTINGS {
            let name = variable(setting.key).replace("<SERVICE>", "OMS");
            check(&name, &[], Some(&setting.key.replace('*', "oms")));
            check(&name, &["Oms"], Some(&setting.key.replace('*', "Oms")));
            if let Some(package) = setting.package_name {
                check(package, &[], Some(setting.key));
            }
        }
    }

    #[test]
    fn an_unknown_variable_is_an_error_only_under_our_prefix() {
        check("MESH__HEALTH__TRESHOLD", &[], None);
        check("MESH__SERVICES____RETRIES", &[], None);
        check("MESHES", &[], None);
        check("PATH", &[], None);
    }

    #[test]
    fn a_misspelt_variable_is_told_its_neighbour() {
        let environment = Environment::from([("MESH__DEFAULTS__TIMEOUTS".to_owned(), "1".to_owned())]);
        let mut errors = Vec::new();
        read(&environment, &[], &mut errors);
        assert!(errors[0].to_string().contains("MESH__DEFAULTS__TIMEOUT?"), "{}", errors[0]);
    }
}
