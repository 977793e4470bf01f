//! A raw value from file, environment or flag, and what it becomes by its kind.

use std::{net::SocketAddr, time::Duration};

use http::HeaderName;
use mesh_core::{
    name::ServiceName,
    route::registration::Cidr,
    service::BaseUrl,
    units::{parse_duration, parse_size},
};

use super::schema::Kind;

/// A value before its kind is known.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Raw {
    Text(String),
    Integer(i64),
    Float(f64),
    List(Vec<Self>),
    Boolean(bool),
    /// What no setting is: a table, a date.
    Other(&'static str),
}

/// A value that has the shape of its kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Texts(Vec<String>),
    Name(ServiceName),
    Names(Vec<ServiceName>),
    Urls(Vec<BaseUrl>),
    Address(SocketAddr),
    Cidrs(Vec<Cidr>),
    HeaderNames(Vec<HeaderName>),
    Count(u64),
    Duration(Duration),
    Share(f64),
    Flag(bool),
}

impl Raw {
    /// A text from the environment or a flag: a list's parts are separated by commas, numbers are read as numbers.
    pub(crate) fn from_text(kind: Kind, text: &str) -> Self {
        if kind.is_list() {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            return Self::List(parts.map(|part| Self::Text(part.to_owned())).collect());
        }
        match kind {
            Kind::Count(_) | Kind::Seconds | Kind::Milliseconds | Kind::Size | Kind::Share => {
                let text = text.trim();
                if let Ok(number) = text.parse() {
                    Self::Integer(number)
                } else {
                    text.parse().map_or_else(|_| Self::Text(text.to_owned()), Self::Float)
                }
            }
            Kind::Flag => text.trim().parse().map_or_else(|_| Self::Text(text.to_owned()), Self::Boolean),
            _ => Self::Text(text.to_owned()),
        }
    }
}

/// Gives the value its kind.
///
/// # Errors
///
/// What is wrong with it, for people; never the value of a secret.
pub(crate) fn read(kind: Kind, raw: Raw) -> Result<Value, String> {
    match (kind, raw) {
        (Kind::Text | Kind::Secret, Raw::Text(text)) => Ok(Value::Text(text)),
        (Kind::RedisUrl, Raw::Text(text)) => redis_url(text),
        (Kind::Choice(words), Raw::Text(text)) => match words.contains(&text.as_str()) {
            true => Ok(Value::Text(text)),
            false => Err(format!("{text:?} is not {}", kind.describe())),
        },
        (Kind::Flag, Raw::Boolean(flag)) => Ok(Value::Flag(flag)),
        (Kind::Share, Raw::Float(share)) if (0.0..=1.0).contains(&share) => Ok(Value::Share(share)),
        (Kind::Share, Raw::Integer(share @ 0..=1)) => Ok(Value::Share(if share == 0 { 0.0 } else { 1.0 })),
        (Kind::Name, Raw::Text(text)) => {
            let hint = if text.contains("://") {
                ": a URL stands in base_urls of [services.X], and X here"
            } else {
                ""
            };
            ServiceName::parse(&text).map(Value::Name).map_err(|error| format!("{text:?}: {error}{hint}"))
        }
        (Kind::Address, Raw::Text(text)) => {
            text.parse().map(Value::Address).map_err(|_| format!("{text:?} is not {}", kind.describe()))
        }
        (Kind::Secrets, Raw::List(parts)) => texts(kind, parts).map(Value::Texts),
        (Kind::Names, Raw::List(parts)) => {
            each(kind, parts, |text| ServiceName::parse(text).map_err(|error| error.to_string()))
                .map(Value::Names)
        }
        (Kind::Urls, Raw::List(parts)) => {
            each(kind, parts, |text| BaseUrl::parse(text).map_err(|error| error.to_string())).map(Value::Urls)
        }
        (Kind::Cidrs, Raw::List(parts)) => {
            each(kind, parts, |text| Cidr::parse(text).map_err(|error| error.to_string())).map(Value::Cidrs)
        }
        (Kind::HeaderNames, Raw::List(parts)) => each(kind, parts, |text| {
            HeaderName::from_bytes(text.as_bytes()).map_err(|_| "no header name".to_owned())
        })
        .map(Value::HeaderNames),
        (Kind::Count(most), Raw::Integer(number)) => match u64::try_from(number) {
            Ok(count) if count <= most => Ok(Value::Count(count)),
            _ => Err(format!("{number} is not {}", kind.describe())),
        },
        (Kind::Size, Raw::Integer(number)) => u64::try_from(number)
            .map(Value::Count)
            .map_err(|_| format!("{number} is not {}", kind.describe())),
        (Kind::Size, Raw::Text(text)) => {
            parse_size(&text).map(Value::Count).map_err(|_| format!("{text:?} is not {}", kind.describe()))
        }
        (Kind::Seconds, Raw::Integer(number)) => seconds(kind, number, 1_000),
        (Kind::Milliseconds, Raw::Integer(number)) => seconds(kind, number, 1),
        (Kind::Seconds, Raw::Float(number)) => fraction(kind, number),
        (Kind::Milliseconds, Raw::Float(number)) => fraction(kind, number / 1_000.0),
        (Kind::Seconds | Kind::Milliseconds, Raw::Text(text)) => parse_duration(&text)
            .map(Value::Duration)
            .map_err(|_| format!("{text:?} is not {}", kind.describe())),
        (kind, raw) => Err(format!("{} is not {}", described(&raw), kind.describe())),
    }
}

fn redis_url(text: String) -> Result<Value, String> {
    const SCHEMES: &[&str] = &["redis://", "rediss://", "redis+unix://", "unix://"];
    if SCHEMES.iter().any(|scheme| text.starts_with(scheme)) {
        Ok(Value::Text(text))
    } else {
        Err(format!("the value is not {}, rediss:// or unix://", Kind::RedisUrl.describe()))
    }
}

fn seconds(kind: Kind, number: i64, unit_in_millis: u64) -> Result<Value, String> {
    u64::try_from(number)
        .ok()
        .and_then(|count| count.checked_mul(unit_in_millis))
        .map(|millis| Value::Duration(Duration::from_millis(millis)))
        .ok_or_else(|| format!("{number} is not {}", kind.describe()))
}

fn fraction(kind: Kind, seconds: f64) -> Result<Value, String> {
    Duration::try_from_secs_f64(seconds)
        .map(Value::Duration)
        .map_err(|_| format!("{seconds:?} is not {}", kind.describe()))
}

fn texts(kind: Kind, parts: Vec<Raw>) -> Result<Vec<String>, String> {
    each(kind, parts, |text| Ok(text.to_owned()))
}

fn each<T>(kind: Kind, parts: Vec<Raw>, read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    let mut mistakes = Vec::new();
    let mut values = Vec::new();
    for part in parts {
        let value = match part {
            Raw::Text(text) if kind.is_secret() => read(&text),
            Raw::Text(text) => read(&text).map_err(|error| format!("{text:?}: {error}")),
            other => {
                Err(format!("{} in the list is not a text; expected {}", described(&other), kind.describe()))
            }
        };
        match value {
            Ok(value) => values.push(value),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    if mistakes.is_empty() { Ok(values) } else { Err(mistakes.join("; ")) }
}

fn described(raw: &Raw) -> String {
    match raw {
        Raw::Text(_) => "a text".to_owned(),
        Raw::Integer(number) => number.to_string(),
        Raw::Float(number) => format!("{number:?}"),
        Raw::List(_) => "a list".to_owned(),
        Raw::Boolean(flag) => flag.to_string(),
        Raw::Other(what) => (*what).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: Kind, raw: &Raw, expected: Option<&Value>) {
        assert_eq!(read(kind, raw.clone()).ok().as_ref(), expected, "{kind:?} {raw:?}");
    }

    #[test]
    fn a_duration_is_a_number_in_the_keys_unit_or_a_text() {
        let millis = |n| Value::Duration(Duration::from_millis(n));
        check(Kind::Seconds, &Raw::Integer(5), Some(&millis(5_000)));
        check(Kind::Seconds, &Raw::Float(0.5), Some(&millis(500)));
        check(Kind::Seconds, &Raw::Text("500ms".to_owned()), Some(&millis(500)));
        check(Kind::Milliseconds, &Raw::Integer(100), Some(&millis(100)));
        check(Kind::Milliseconds, &Raw::Text("2m".to_owned()), Some(&millis(120_000)));
        check(Kind::Seconds, &Raw::Integer(-1), None);
        check(Kind::Seconds, &Raw::Float(f64::NAN), None);
        check(Kind::Seconds, &Raw::Text("soon".to_owned()), None);
        check(Kind::Seconds, &Raw::Boolean(true), None);
    }

    #[test]
    fn a_flag_is_true_or_false() {
        check(Kind::Flag, &Raw::Boolean(true), Some(&Value::Flag(true)));
        check(Kind::Flag, &Raw::from_text(Kind::Flag, " false"), Some(&Value::Flag(false)));
        for wrong in [Raw::from_text(Kind::Flag, "yes"), Raw::Text("true".to_owned()), Raw::Integer(1)] {
            check(Kind::Flag, &wrong, None);
        }
    }

    #[test]
    fn a_share_is_a_number_from_0_to_1() {
        check(Kind::Share, &Raw::Float(0.01), Some(&Value::Share(0.01)));
        check(Kind::Share, &Raw::Integer(1), Some(&Value::Share(1.0)));
        check(Kind::Share, &Raw::from_text(Kind::Share, "0.5"), Some(&Value::Share(0.5)));
        for wrong in [Raw::Float(1.1), Raw::Float(-0.1), Raw::Float(f64::NAN), Raw::Integer(2)] {
            check(Kind::Share, &wrong, None);
        }
    }

    #[test]
    fn the_environment_separates_lists_by_commas() {
        let raw = Raw::from_text(Kind::Urls, "http://a, http://b,");
        let urls = ["http://a", "http://b"].map(|url| BaseUrl::parse(url).unwrap());
        check(Kind::Urls, &raw, Some(&Value::Urls(urls.to_vec())));
        check(Kind::Count(10), &Raw::from_text(Kind::Count(10), "11"), None);
        check(Kind::Count(10), &Raw::from_text(Kind::Count(10), "7"), Some(&Value::Count(7)));
        check(Kind::Secret, &Raw::from_text(Kind::Secret, "a,b"), Some(&Value::Text("a,b".to_owned())));
    }

    #[test]
    fn an_error_says_what_is_expected_and_never_shows_a_secret() {
        let error = read(Kind::Urls, Raw::List(vec![Raw::Text("orders".to_owned())])).unwrap_err();
        assert!(error.contains("\"orders\""), "{error}");
        let error = read(Kind::Secrets, Raw::Text("hush-hush-hush-hush".to_owned())).unwrap_err();
        assert!(!error.contains("hush"), "{error}");
        let error = read(Kind::RedisUrl, Raw::Text("http://me:hush@x".to_owned())).unwrap_err();
        assert!(!error.contains("hush"), "{error}");
    }
}
