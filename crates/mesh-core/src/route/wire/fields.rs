//! The faulty fields of a document, in the package's words and order.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeMap};

/// Faulty fields with what is wrong about each, in the order in which the package checks them. Serialises as the
/// `errors` of its answer: `{"service":["The service field is required."]}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors(Vec<(String, Vec<String>)>);

impl FieldErrors {
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Field (`routes.0.uri`) and messages, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(field, messages)| (field.as_str(), messages.as_slice()))
    }

    /// Adds `The <field> field <wrong>.` What is wrong about one field is added in one go.
    pub(super) fn add(&mut self, field: &str, wrong: &str) {
        let message = format!("The {field} field {wrong}.");
        match self.0.last_mut() {
            Some((last, messages)) if last == field => messages.push(message),
            _ => self.0.push((field.to_owned(), vec![message])),
        }
    }
}

impl Serialize for FieldErrors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (field, messages) in &self.0 {
            map.serialize_entry(field, messages)?;
        }
        map.end()
    }
}

impl fmt::Display for FieldErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&summary(self))
    }
}

/// The package's summary of several errors: the first, and how many more there are
/// (`The service field is required. (and 2 more errors)`).
#[must_use]
pub fn summary(errors: &FieldErrors) -> String {
    let mut messages = errors.0.iter().flat_map(|(_, messages)| messages);
    let first = messages.next().cloned().unwrap_or_default();
    match messages.count() {
        0 => first,
        1 => format!("{first} (and 1 more error)"),
        more => format!("{first} (and {more} more errors)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_the_first_error_and_how_many_more_there_are() {
        let mut errors = FieldErrors::default();
        assert_eq!(summary(&errors), "");
        errors.add("service", "is required");
        assert_eq!(summary(&errors), "The service field is required.");
        errors.add("routes", "is required");
        assert_eq!(summary(&errors), "The service field is required. (and 1 more error)");
        errors.add("routes", "must be an array");
        assert_eq!(summary(&errors), "The service field is required. (and 2 more errors)");
        assert_eq!(
            serde_json::to_string(&errors).unwrap(),
            r#"{"service":["The service field is required."],"routes":["The routes field is required.","The routes field must be an array."]}"#
        );
    }
}
