//! Reads mesh.toml: every syntax error and every unknown key, each with its line.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::{
    origin::{Origin, SettingError},
    schema,
    suggest::nearest,
    value::Raw,
};

/// A key of the file, its value, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) path: Vec<String>,
    pub(crate) raw: Raw,
    pub(crate) origin: Origin,
}

/// All keys of `text`, the content of the file at `path`. What is no setting becomes an error.
pub(crate) fn read(path: &Path, text: &str, errors: &mut Vec<SettingError>) -> Vec<Found> {
    let (document, mistakes) = DeTable::parse_recoverable(text);
    let mut broken = Vec::new();
    for mistake in mistakes {
        let line = mistake.span().map_or(1, |span| line_of(text, span.start));
        broken.push(line);
        errors.push(SettingError::new(Origin::file(path, line), None, mistake.message().to_owned()));
    }
    let mut walk = Walk { path, text, errors, found: Vec::new() };
    walk.table(&mut Vec::new(), document.get_ref());
    // What was made of a broken line is nobody's value.
    walk.found.retain(|found| !matches!(&found.origin, Origin::File(_, line) if broken.contains(line)));
    walk.found
}

struct Walk<'a> {
    path: &'a Path,
    text: &'a str,
    errors: &'a mut Vec<SettingError>,
    found: Vec<Found>,
}

impl Walk<'_> {
    fn table(&mut self, at: &mut Vec<String>, table: &DeTable<'_>) {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            let origin = Origin::file(self.path, line_of(self.text, key.span().start));
            at.push(key.get_ref().clone().into_owned());
            self.entry(at, value.get_ref(), origin);
            at.pop();
        }
    }

    fn entry(&mut self, at: &mut Vec<String>, value: &DeValue<'_>, origin: Origin) {
        let path: Vec<&str> = at.iter().map(String::as_str).collect();
        let dotted = path.join(".");
        match (schema::find(&path), value) {
            (Some(_), value) => self.found.push(Found { path: at.clone(), raw: raw(value), origin }),
            (None, DeValue::Table(table)) if schema::is_table(&path) => self.table(at, table),
            (None, _) if schema::is_table(&path) => {
                self.errors.push(SettingError::new(
                    origin,
                    Some(dotted),
                    "is a section, not a value".to_owned(),
                ));
            }
            (None, _) => {
                let (name, above) = path.split_last().map_or(("", &path[..]), |(name, above)| (*name, above));
                let message = match nearest(name, schema::names_below(above)) {
                    Some(known) => format!("unknown key; did you mean {known:?}?"),
                    None => format!("unknown key; known here: {}", schema::names_below(above).join(", ")),
                };
                self.errors.push(SettingError::new(origin, Some(dotted), message));
            }
        }
    }
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.clone().into_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Raw::Other("a number beyond 64 bits"), Raw::Integer),
        DeValue::Float(number) => number.as_str().parse().map_or(Raw::Other("a number"), Raw::Float),
        DeValue::Array(parts) => Raw::List(parts.iter().map(|part| raw(part.get_ref())).collect()),
        DeValue::Boolean(flag) => Raw::Boolean(*flag),
        DeValue::Datetime(_) => Raw::Other("a date"),
        DeValue::Table(_) => Raw::Other("a table"),
    }
}

/// The line of the byte at `offset`, from 1.
fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
