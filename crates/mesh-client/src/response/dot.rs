//! Dot notation over JSON, as Laravel's `data_get` reads it.

use serde_json::Value;

/// What lies at `key` in `value`. `*` stands for every item of a list or map: the result is a list, flattened once for
/// each further `*`. `{first}` and `{last}` are the ends of a list (of a map: in the order of its keys); a backslash before
/// these three makes them names.
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
    let next = match (value, *segment) {
        (Value::Object(fields), "{first}") => fields.values().next(),
        (Value::Object(fields), "{last}") => fields.values().next_back(),
        (Value::Object(fields), escaped @ ("\\*" | "\\{first}" | "\\{last}")) => fields.get(&escaped[1..]),
        (Value::Object(fields), name) => fields.get(name),
        (Value::Array(items), "{first}") => items.first(),
        (Value::Array(items), "{last}") => items.last(),
        (Value::Array(items), number) => items.get(index(number)?),
        _ => None,
    };
    find(next?, rest)
}

/// A number as PHP writes the keys of a list: digits without a leading zero.
fn index(text: &str) -> Option<usize> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    is_number.then(|| text.parse().ok())?
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
            "odd": {"*": 1, "{first}": 2},
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
        check("items.00.name", None);
        check("items.+0.name", None);
        check("items.18446744073709551616", None);
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

    #[test]
    fn first_and_last_are_the_ends_and_a_backslash_makes_names() {
        check("items.{first}.name", json!("a"));
        check("items.{last}.x", json!(1));
        check("items.0.tags.{last}.t", json!(2));
        check("data.{first}", json!("zero"));
        check("data.id.{first}", None);
        check("odd.\\*", json!(1));
        check("odd.\\{first}", json!(2));
    }
}
