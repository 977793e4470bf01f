//! The settings that hold, key by key, with where each came from. Never shows a secret.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::{
    Origin, build,
    overlay::Values,
    schema::{Kind, SETTINGS, Setting},
    value::Value,
};

const MASK: &str = "***";

/// One key, its value and who says so.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) key: String,
    /// As the file would have it, for people; `-`: absent.
    pub(crate) text: String,
    /// In the key's unit; null: absent.
    pub(crate) value: Json,
    /// `seconds`, `milliseconds`, `bytes`.
    pub(crate) unit: Option<&'static str>,
    pub(crate) origin: Origin,
}

/// Every key in the order of the documentation; those of a service for each service that is configured.
pub(crate) fn rows(values: &Values) -> Vec<Row> {
    let mut rows = Vec::new();
    for section in SETTINGS.chunk_by(|a, b| star(a).is_some() && star(a) == star(b)) {
        let Some((before, _)) = section.first().and_then(star) else {
            rows.extend(section.iter().map(|setting| row(setting, setting.key.to_owned(), values)));
            continue;
        };
        for name in names(before, values) {
            let keys = section.iter().map(|setting| (setting, setting.key.replacen('*', &name, 1)));
            rows.extend(keys.map(|(setting, key)| row(setting, key, values)));
        }
    }
    rows
}

/// What stands before the `*` of a key, and whether anything stands after it.
fn star(setting: &Setting) -> Option<(&'static str, bool)> {
    setting.key.split_once('*').map(|(before, after)| (before, !after.is_empty()))
}

/// The services that have a key below `before`.
fn names(before: &str, values: &Values) -> Vec<String> {
    let known = SETTINGS.iter().filter_map(|setting| setting.key.strip_prefix(before)?.strip_prefix('*'));
    let endings: Vec<&str> = known.collect();
    let mut names: Vec<String> = values
        .keys()
        .filter_map(|key| {
            let rest = key.strip_prefix(before)?;
            endings.iter().find_map(|ending| rest.strip_suffix(ending)).map(str::to_owned)
        })
        .collect();
    names.dedup();
    names
}

fn row(setting: &Setting, key: String, values: &Values) -> Row {
    let set = values.get(&key);
    let value = set.map(|effective| effective.value.clone()).or_else(|| build::default(setting.key));
    let origin = set.map_or(Origin::Default, |effective| effective.origin.clone());
    let unit = match setting.kind {
        Kind::Seconds => Some("seconds"),
        Kind::Milliseconds => Some("milliseconds"),
        Kind::Size => Some("bytes"),
        _ => None,
    };
    let shown = value.as_ref().map_or(Json::Null, |value| json_of(setting.kind, value));
    let text = match &value {
        Some(Value::Duration(duration)) => duration_text(*duration),
        Some(Value::Count(bytes)) if setting.kind == Kind::Size => size_text(*bytes),
        Some(_) => plain(&shown),
        None => "-".to_owned(),
    };
    Row { key, text, value: shown, unit, origin }
}

fn json_of(kind: Kind, value: &Value) -> Json {
    match value {
        Value::Text(text) if kind == Kind::RedisUrl => masked_url(text).into(),
        Value::Text(text) if kind.is_secret() && text.is_empty() => "".into(),
        Value::Text(_) if kind.is_secret() => MASK.into(),
        Value::Text(text) => text.as_str().into(),
        Value::Texts(texts) if kind.is_secret() => vec![MASK; texts.len()].into(),
        Value::Texts(texts) => texts.clone().into(),
        Value::Name(name) => name.as_str().into(),
        Value::Names(names) => names.iter().map(|name| name.as_str()).collect(),
        Value::Urls(urls) => urls.iter().map(|url| url.as_str()).collect(),
        Value::Address(address) => address.to_string().into(),
        Value::Cidrs(blocks) => blocks.iter().map(ToString::to_string).collect(),
        Value::HeaderNames(names) => names.iter().map(http::HeaderName::as_str).collect(),
        Value::Count(count) => (*count).into(),
        Value::Flag(flag) => (*flag).into(),
        Value::Share(share) => (*share).into(),
        Value::Duration(duration) if kind == Kind::Milliseconds => number(duration.as_secs_f64() * 1_000.0),
        Value::Duration(duration) => number(duration.as_secs_f64()),
    }
}

/// Whole where it is whole.
fn number(value: f64) -> Json {
    let whole = format!("{value:.0}");
    match whole.parse::<u64>() {
        Ok(count) if value.fract() == 0.0 => json!(count),
        _ => json!(value),
    }
}

/// A text as it is, a list in brackets.
fn plain(value: &Json) -> String {
    match value {
        Json::String(text) if text.is_empty() => "\"\"".to_owned(),
        Json::String(text) => text.clone(),
        Json::Array(parts) => format!("[{}]", parts.iter().map(plain).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

fn duration_text(duration: Duration) -> String {
    if duration.subsec_nanos() == 0 {
        format!("{}s", duration.as_secs())
    } else {
        format!("{}ms", number(duration.as_secs_f64() * 1_000.0))
    }
}

fn size_text(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit = UNITS.iter().find(|(unit, _)| bytes > 0 && bytes.is_multiple_of(*unit));
    unit.map_or_else(|| bytes.to_string(), |(unit, name)| format!("{}{name}", bytes / unit))
}

/// A URL of Redis without its password: in front of the host, or as `pass` of a socket's URL.
fn masked_url(url: &str) -> String {
    let Ok(mut parsed) = url::Url::parse(url) else { return MASK.to_owned() };
    if parsed.password().is_some() && parsed.set_password(Some(MASK)).is_err() {
        return MASK.to_owned();
    }
    if parsed.query().is_some() {
        let pairs: Vec<_> = parsed
            .query_pairs()
            .map(
                |(name, value)| {
                    if name == "pass" { format!("pass={MASK}") } else { format!("{name}={value}") }
                },
            )
            .collect();
        parsed.set_query(Some(&pairs.join("&")));
    }
    parsed.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_of_a_url_is_masked_wherever_it_stands() {
        for (url, shown) in [
            ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
            ("redis://:hush@10.0.0.7/1", "redis://:***@10.0.0.7/1"),
            ("rediss://me:hu%2Fsh@redis.internal:6380", "rediss://me:***@redis.internal:6380"),
            ("redis://me:a@hush@redis.internal", "redis://me:***@redis.internal"),
            ("redis://me@redis.internal", "redis://me@redis.internal"),
            ("unix:///run/redis.sock?db=1&pass=hush&user=me", "unix:///run/redis.sock?db=1&pass=***&user=me"),
            ("unix:///run/redis.sock?p%61ss=hush", "unix:///run/redis.sock?pass=***"),
            ("redis://me:hush@", "***"),
        ] {
            assert_eq!(masked_url(url), shown, "{url}");
        }
    }

    #[test]
    fn lengths_and_sizes_are_shown_as_the_file_has_them() {
        assert_eq!(duration_text(Duration::from_secs(60)), "60s");
        assert_eq!(duration_text(Duration::from_millis(1_500)), "1500ms");
        assert_eq!(duration_text(Duration::ZERO), "0s");
        for (bytes, text) in
            [(0, "0"), (1_000, "1000"), (1 << 18, "256KiB"), (16 << 20, "16MiB"), (1 << 30, "1GiB")]
        {
            assert_eq!(size_text(bytes), text);
        }
        assert_eq!((number(5.0), number(0.5)), (json!(5), json!(0.5)));
    }
}
