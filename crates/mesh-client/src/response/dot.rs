//! Dot notation over JSON, as Laravel's `data_get` reads it.

use serde_json::Value;

/// What lies at `key` in `value`. `*` stands for every item of a list or map: the result is a list, flattened once for
/// each further `*`.
pub(super) fn get(value: &Value, key: &str) -> Option<Value> {
    let segments: Vec<&str> = key.split('.').collect();
    find(value, &segments)
}

fn find(value: &Value, segments: &[&str]) -> Option<Value> {
    let Some((segment, rest)) = segments.split_first() else { return Some(value.clone()) };
    if *segment == "*" {
        let items: Vec<&Value> = match value {
            Value::Array(items) => items.iter().collect(),
            Value::Object(fields) => fields.values().collect(),
            _ => return None,
        };
        let found = items.into_iter().map(|item| find(item, rest).unwrap_or(Value::Null));
        return Some(Value::Array(if rest.contains(&"*") {
            found.filter_map(into_items).flatten().collect()
        } else {
            found.collect()
        }));
    }
    let next = match value {
        Value::Object(fields) => fields.get(*segment),
        Value::Array(items) if segment.bytes().all(|byte| byte.is_ascii_digit()) => {
            items.get(segment.parse::<usize>().ok()?)
        }
        _ => None,
    };
    find(next?, rest)
}

fn into_items(value: Value) -> Option<Vec<Value>> {
    if let Value::Array(items) = value { Some(items) } else { None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(key: &str, expected: impl Into<Option<Value>>) {
        let value = json!({
            "data": {"id": 7, "none": null, "0": "zero"},
            "items": [{"name": "a", "tags": [{"t": 1}, {"t": 2}]}, {"name": "b", "tags": [{"t": 3}]}, {"x": 1}],
        });
        assert_eq!(get(&value, key), expected.into(), "{key}");
    }

    #[test]
    fn a_dot_goes_one_level_down() {
        check("data.id", json!(7));
        check("data.none", Value::Null);
        check("data.0", json!("zero"));
        check("data.missing", None);
        check("data.id.deeper", None);
        check("", None);
    }

    #[test]
    fn a_number_is_an_index_of_a_list() {
        check("items.0.name", json!("a"));
        check("items.1.tags.0.t", json!(3));
        check("items.9.name", None);
        check("items.-1.name", None);
        check("items.name", None);
    }

    #[test]
    fn a_star_is_every_item() {
        check("items.*.name", json!(["a", "b", null]));
        check("items.*.tags.*.t", json!([1, 2, 3]));
        check("items.*.tags", json!([[{"t": 1}, {"t": 2}], [{"t": 3}], null]));
        check("data.*", json!(["zero", 7, null]));
        check("data.id.*", None);
    }
}
