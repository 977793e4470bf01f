//! The links and headings of a Markdown file, as far as our documents use the language.

/// Every link with its line, 1 for the first; code is left out.
pub(super) fn links(text: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (number, line) in prose(text) {
        let line: String = line.split('`').step_by(2).collect();
        for (begin, _) in line.match_indices("](") {
            let rest = &line[begin + 2..];
            let Some(target) = rest.find(')').map(|end| &rest[..end]) else { continue };
            links.extend(target.split_whitespace().next().map(|target| (number, target.to_owned())));
        }
        if let Some((name, target)) = line.split_once("]: ")
            && name.starts_with('[')
        {
            links.push((number, target.trim().to_owned()));
        }
    }
    links
}

/// The anchors of the headings, as GitHub makes them.
pub(super) fn anchors(text: &str) -> Vec<String> {
    let headings = prose(text).filter(|(_, line)| line.starts_with('#'));
    headings.map(|(_, line)| anchor(line.trim_start_matches('#').trim())).collect()
}

/// Lower case, blanks to hyphens, other punctuation left out.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).flat_map(char::to_lowercase).collect()
}

/// The lines outside fenced blocks.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((index + 1, line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_becomes_an_anchor() {
        assert_eq!(anchors("# A `b`: c, d-e!\n```\n# no\n```\n## F\n"), ["a-b-c-d-e", "f"]);
    }

    #[test]
    fn a_title_is_no_part_of_a_link() {
        assert_eq!(
            links("[a](b.md \"title\") ![c](d.svg)"),
            [(1, "b.md".to_owned()), (1, "d.svg".to_owned())]
        );
    }
}
