//! The nearest known name to a misspelt one.

/// The name of `known` nearest to `given`, at most a third of its length (and three edits) away.
pub(crate) fn nearest<'k>(given: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    known
        .into_iter()
        .map(|name| (distance(given, name), name))
        .filter(|(edits, name)| *edits <= name.len().div_ceil(3).min(3))
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein's distance between two texts, in characters.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_finds_its_neighbour_and_a_strange_one_none() {
        let known = ["timeout", "retries", "retry_delay", "ttl"];
        assert_eq!(nearest("timeuot", known), Some("timeout"));
        assert_eq!(nearest("retrys", known), Some("retries"));
        assert_eq!(nearest("retry-delay", known), Some("retry_delay"));
        assert_eq!(nearest("ttll", known), Some("ttl"));
        assert_eq!(nearest("colour", known), None);
    }
}
