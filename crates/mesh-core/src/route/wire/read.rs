//! From a JSON document to a manifest: fields in the package's order and words, then routes one by one.

use std::time::Duration;

use http::Method;
use serde_json::{Map, Value};

use super::{EXCLUDED, FieldErrors, MAX_MANIFEST_BYTES, MAX_ROUTES, ManifestError, json};
use crate::{
    name::ServiceName,
    route::{Manifest, Pattern, Route},
    service::{BaseUrl, BaseUrlError},
    units,
};

const REQUIRED: &str = "is required";
const STRING: &str = "must be a string";

/// A list of alternatives longer than this is a mistake, and its errors would be longer than the document.
const MAX_ITEMS: usize = 1_000;
const TOO_MANY: &str = "must not have more than 1000 items";

type Fields = Map<String, Value>;

impl Manifest {
    /// Reads a manifest document: ours, the package's, and later package versions' (`methods`, `base_url`, `timeout`).
    /// Excluded metadata keys are dropped; HEAD entries are dropped; everything else is checked.
    ///
    /// # Errors
    ///
    /// See [`ManifestError`].
    pub fn parse(document: &[u8]) -> Result<Self, ManifestError> {
        read(document, false)
    }

    /// Reads a manifest document that registers itself over HTTP, where a manifest without routes is a mistake, as for
    /// the package: an empty `routes` is a missing one.
    ///
    /// # Errors
    ///
    /// See [`ManifestError`].
    pub fn parse_registration(document: &[u8]) -> Result<Self, ManifestError> {
        read(document, true)
    }
}

fn read(document: &[u8], needs_routes: bool) -> Result<Manifest, ManifestError> {
    if document.len() > MAX_MANIFEST_BYTES {
        return Err(ManifestError::TooLarge("1 MiB"));
    }
    // As for the package: what is no object has no fields.
    let mut top = object(json::read(document)?);
    let mut errors = FieldErrors::default();
    let service = service(&top, &mut errors);
    let routes = match top.remove("routes") {
        Some(Value::Array(routes)) if !(needs_routes && routes.is_empty()) => routes,
        None | Some(Value::Null | Value::Array(_)) => {
            errors.add("routes", REQUIRED);
            Vec::new()
        }
        Some(_) => {
            errors.add("routes", "must be an array");
            Vec::new()
        }
    };
    let timestamp = text(&top, "timestamp", "timestamp", &mut errors);
    if routes.len() > MAX_ROUTES {
        return Err(ManifestError::TooLarge("5,000 routes"));
    }
    let mut routes: Vec<Fields> = routes.into_iter().map(object).collect();
    let methods: Vec<Vec<String>> =
        routes.iter_mut().enumerate().map(|(at, route)| methods(at, route, &mut errors)).collect();
    let uris: Vec<String> = routes
        .iter()
        .enumerate()
        .map(|(at, route)| text(route, "uri", &format!("routes.{at}.uri"), &mut errors).unwrap_or_default())
        .collect();
    let version = version(&top, &mut errors);
    let mut forbidden = None;
    let base_urls = base_urls(&top, &mut errors, &mut forbidden);
    let timeout = timeout(&top, &mut errors);

    let (Some(service), Some(timestamp), true) = (service, timestamp, errors.is_empty()) else {
        return Err(ManifestError::Invalid(errors));
    };
    if let Some(error) = forbidden {
        return Err(ManifestError::TargetForbidden(error));
    }
    if methods.iter().map(Vec::len).sum::<usize>() > MAX_ROUTES {
        return Err(ManifestError::TooLarge("5,000 routes"));
    }
    let mut built = Vec::with_capacity(routes.len());
    for (at, ((fields, methods), uri)) in routes.into_iter().zip(methods).zip(uris).enumerate() {
        build(at, fields, &methods, &uri, &mut built)?;
    }
    Ok(Manifest { service, routes: built, timestamp, version, base_urls, timeout })
}

fn object(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        _ => Fields::new(),
    }
}

/// A required text; blank is missing, as for the package.
fn text(fields: &Fields, key: &str, field: &str, errors: &mut FieldErrors) -> Option<String> {
    match fields.get(key) {
        Some(Value::String(text)) if !text.trim().is_empty() => return Some(text.clone()),
        None | Some(Value::Null | Value::String(_)) => errors.add(field, REQUIRED),
        Some(Value::Array(items)) if items.is_empty() => errors.add(field, REQUIRED),
        Some(_) => errors.add(field, STRING),
    }
    None
}

fn service(top: &Fields, errors: &mut FieldErrors) -> Option<ServiceName> {
    let name = text(top, "service", "service", errors)?;
    let parsed = ServiceName::parse(&name);
    if let Err(error) = &parsed {
        errors.add("service", &format!("is invalid: {error}"));
    }
    parsed.ok()
}

/// The route's methods but HEAD, which GET's route serves; an entry with HEAD alone has none.
fn methods(at: usize, route: &mut Fields, errors: &mut FieldErrors) -> Vec<String> {
    let list = route.remove("methods");
    let Some(list) = list.filter(|_| !route.contains_key("method")) else {
        let method = text(route, "method", &format!("routes.{at}.method"), errors);
        return method.filter(|method| method != "HEAD").into_iter().collect();
    };
    let Value::Array(list) = list else {
        errors.add(&format!("routes.{at}.methods"), "must be an array");
        return Vec::new();
    };
    if list.is_empty() || list.len() > MAX_ITEMS {
        let wrong = if list.is_empty() { REQUIRED } else { TOO_MANY };
        errors.add(&format!("routes.{at}.methods"), wrong);
        return Vec::new();
    }
    let mut methods = Vec::new();
    for (position, method) in list.into_iter().enumerate() {
        match method {
            Value::String(method) if method == "HEAD" || methods.contains(&method) => {}
            Value::String(method) => methods.push(method),
            _ => errors.add(&format!("routes.{at}.methods.{position}"), STRING),
        }
    }
    methods
}

fn version(top: &Fields, errors: &mut FieldErrors) -> Option<u64> {
    let value = top.get("version").filter(|value| !value.is_null())?;
    let version = value.as_u64();
    if version.is_none() {
        errors.add("version", "must be an integer");
    }
    version
}

/// `base_urls`, or the one `base_url` of later package versions. A URL that says where it leads and may not be called
/// is `forbidden`; one that says nothing is an error of its field.
fn base_urls(top: &Fields, errors: &mut FieldErrors, forbidden: &mut Option<BaseUrlError>) -> Vec<BaseUrl> {
    let mut urls = Vec::new();
    let mut read = |field: &str, value: &Value, errors: &mut FieldErrors| match value
        .as_str()
        .map(BaseUrl::parse)
    {
        Some(Ok(url)) => urls.push(url),
        Some(Err(error @ (BaseUrlError::Scheme | BaseUrlError::UserInformation))) => *forbidden = Some(error),
        Some(Err(error)) => errors.add(field, &format!("is invalid: {error}")),
        None => errors.add(field, STRING),
    };
    match (top.get("base_urls"), top.get("base_url")) {
        (Some(Value::Array(list)), _) if list.len() > MAX_ITEMS => errors.add("base_urls", TOO_MANY),
        (Some(Value::Array(list)), _) if !list.is_empty() => {
            for (at, url) in list.iter().enumerate() {
                read(&format!("base_urls.{at}"), url, errors);
            }
        }
        (None | Some(Value::Null | Value::Array(_)), Some(url)) if !url.is_null() => {
            read("base_url", url, errors)
        }
        (None | Some(Value::Null | Value::Array(_)), _) => {}
        (Some(_), _) => errors.add("base_urls", "must be an array"),
    }
    urls
}

fn timeout(top: &Fields, errors: &mut FieldErrors) -> Option<Duration> {
    let value = top.get("timeout").filter(|value| !value.is_null())?;
    let timeout = units::seconds(value);
    if timeout.is_none() {
        errors.add("timeout", "must be a number of seconds");
    }
    timeout
}

fn build(
    at: usize,
    mut fields: Fields,
    methods: &[String],
    uri: &str,
    built: &mut Vec<Route>,
) -> Result<(), ManifestError> {
    if let Some(key) = fields.keys().find(|key| key.starts_with('_')) {
        return Err(ManifestError::ReservedKey { route: at, key: key.clone() });
    }
    let invalid = |reason: String| ManifestError::InvalidRoute { route: at, uri: uri.to_owned(), reason };
    let pattern = Pattern::parse(uri).map_err(|error| invalid(error.to_string()))?;
    let name = match fields.remove("name") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name),
        Some(_) => return Err(invalid("a route's name is a string".to_owned())),
    };
    fields.retain(|key, _| !matches!(key.as_str(), "method" | "uri") && !EXCLUDED.contains(&key.as_str()));
    for method in methods {
        let method = match method.as_str() {
            "GET" => Method::GET,
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            "PATCH" => Method::PATCH,
            "DELETE" => Method::DELETE,
            "OPTIONS" => Method::OPTIONS,
            other => {
                return Err(invalid(format!("{other:?} is none of GET, POST, PUT, PATCH, DELETE, OPTIONS")));
            }
        };
        let (uri, name, metadata) = (pattern.clone(), name.clone(), fields.clone());
        built.push(Route { method, uri, name, metadata });
    }
    Ok(())
}
