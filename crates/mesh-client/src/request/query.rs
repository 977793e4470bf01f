//! Values of a query as PHP's `http_build_query` writes them: nested lists and maps in brackets.

use serde_json::Value;

/// Adds the pairs of `name`: `l[0]=3&l[1]=4` for a list, `f[a]=1` for a map. True is 1, false 0; null and what is empty
/// leave nothing.
pub(super) fn flatten(name: String, value: &Value, pairs: &mut Vec<(String, String)>) {
    let text = match value {
        Value::Null => return,
        Value::Bool(yes) => u8::from(*yes).to_string(),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            // 1.0 is written as 1.
            Some(float) => float.to_string(),
            None => number.to_string(),
        },
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                flatten(format!("{name}[{index}]"), item, pairs);
            }
            return;
        }
        Value::Object(fields) => {
            for (key, item) in fields {
                flatten(format!("{name}[{key}]"), item, pairs);
            }
            return;
        }
    };
    pairs.push((name, text));
}

/// Puts `given` after `earlier`, of which those are left out that belong to a name in `given` (`l[0]` belongs to `l`).
pub(super) fn merge(earlier: &mut Vec<(String, String)>, given: Vec<(String, String)>, names: &[String]) {
    earlier.retain(|(pair, _)| names.iter().all(|name| root(name) != root(pair)));
    earlier.extend(given);
}

fn root(name: &str) -> &str {
    name.split_once('[').filter(|(root, _)| !root.is_empty()).map_or(name, |(root, _)| root)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(value: &Value, expected: &[(&str, &str)]) {
        let mut pairs = Vec::new();
        flatten("n".to_owned(), value, &mut pairs);
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (&name[..], &value[..])).collect();
        assert_eq!(pairs, expected, "{value}");
    }

    #[test]
    fn a_value_is_written_as_php_writes_it() {
        check(&json!("a b"), &[("n", "a b")]);
        check(&json!(true), &[("n", "1")]);
        check(&json!(false), &[("n", "0")]);
        check(&json!(-7), &[("n", "-7")]);
        check(&json!(1.5), &[("n", "1.5")]);
        check(&json!(2.0), &[("n", "2")]);
        check(&json!(null), &[]);
        check(&json!([]), &[]);
        check(&json!({}), &[]);
        check(&json!(""), &[("n", "")]);
        check(&json!([3, null, [4]]), &[("n[0]", "3"), ("n[2][0]", "4")]);
        check(&json!({"a": 1, "b": [1, 2]}), &[("n[a]", "1"), ("n[b][0]", "1"), ("n[b][1]", "2")]);
    }

    #[test]
    fn a_name_given_again_replaces_all_that_belonged_to_it() {
        let pair = |name: &str| (name.to_owned(), "1".to_owned());
        let mut pairs = vec![pair("l[0]"), pair("l[1]"), pair("lx"), pair("[l]")];
        merge(&mut pairs, vec![pair("l")], &["l".to_owned()]);
        assert_eq!(pairs, [pair("lx"), pair("[l]"), pair("l")]);
        merge(&mut pairs, Vec::new(), &["lx".to_owned()]);
        assert_eq!(pairs, [pair("[l]"), pair("l")]);
    }
}
