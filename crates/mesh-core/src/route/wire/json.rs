//! JSON read strictly: one meaning per document.
//!
//! Refuses a key twice in one object, and nesting deeper than 64.

use std::{cell::RefCell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::ManifestError;

/// Source: docs/refusals.md, row 95.
const MAX_DEPTH: usize = 64;

/// Reads one document.
pub(super) fn read(document: &[u8]) -> Result<Value, ManifestError> {
    let fault = RefCell::new(None);
    let mut deserializer = serde_json::Deserializer::from_slice(document);
    let value = Strict { depth: 0, fault: &fault }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    value.map_err(|error| fault.take().unwrap_or_else(|| ManifestError::NotJson(error.to_string())))
}

#[derive(Clone, Copy)]
struct Strict<'f> {
    depth: usize,
    fault: &'f RefCell<Option<ManifestError>>,
}

impl Strict<'_> {
    fn inside<E: Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(self.fail(ManifestError::TooDeep));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn fail<E: Error>(self, fault: ManifestError) -> E {
        let error = E::custom(&fault);
        self.fault.replace(Some(fault));
        error
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inside)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(self.fail(ManifestError::DoubledKey(key)));
            }
            let value = members.next_value_seed(inside)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> String {
        "[".repeat(depth) + &"]".repeat(depth)
    }

    #[test]
    fn what_serde_json_reads_is_read_the_same() {
        for text in [
            "null",
            "true",
            "-7",
            "18446744073709551615",
            "1.5",
            "1.0",
            "\"ü\\u0000\"",
            "[1,[]]",
            "{\"a\":{\"b\":[]}}",
        ] {
            assert_eq!(read(text.as_bytes()), Ok(serde_json::from_str::<Value>(text).unwrap()), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_says_where() {
        for text in ["", "{", "{\"a\":1,}", "1 2", "{'a':1}", "\u{feff}{}", "NaN", "1e999"] {
            assert!(matches!(read(text.as_bytes()), Err(ManifestError::NotJson(_))), "{text}");
        }
        assert!(matches!(read(b"\"\xff\""), Err(ManifestError::NotJson(_))));
        assert_eq!(
            read(b"{\"a\":1,}").unwrap_err().to_string(),
            "the manifest is not JSON: trailing comma at line 1 column 8"
        );
    }

    #[test]
    fn a_key_twice_in_one_object_is_refused_at_any_depth() {
        let doubled = |text: &str| {
            assert_eq!(read(text.as_bytes()), Err(ManifestError::DoubledKey("a".to_owned())), "{text}")
        };
        doubled("{\"a\":1,\"a\":1}");
        doubled("{\"b\":[{\"a\":1,\"\\u0061\":1}]}");
        assert!(read(b"[{\"a\":1},{\"a\":1}]").is_ok());
    }

    #[test]
    fn nesting_deeper_than_64_is_refused() {
        assert!(read(nested(64).as_bytes()).is_ok());
        assert_eq!(read(nested(65).as_bytes()), Err(ManifestError::TooDeep));
        assert_eq!(read("[".repeat(100_000).as_bytes()), Err(ManifestError::TooDeep));
        assert_eq!(read("{\"a\":".repeat(65).as_bytes()), Err(ManifestError::TooDeep));
    }
}
