//! The document as Markdown, for people.

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

use super::document::Document;
use super::events::EventReport;
use super::gateway::{BESIDE, MANY, NAME};
use super::numbers::Range;
use super::peer::{haproxy, nginx};
use super::report::{CaseReport, ProxyReport, Verdict};
use super::targets;

/// Whose costs others are divided by, with the headings of these columns.
const REFERENCES: [(&str, &str); 3] =
    [(nginx::NAME, "÷ nginx"), (nginx::LUA, "÷ nginx + lua"), (haproxy::NAME, "÷ haproxy")];

/// The tables, and a line for everything that is no row of them.
pub(super) fn render(document: &Document) -> String {
    let versions = document.versions.iter().map(|(name, version)| {
        let version = version.as_deref().unwrap_or("not run");
        format!("{name}: {version}")
    });
    let versions: Vec<_> = versions.collect();
    let mut parts = vec![
        format!(
            "{}; {}; {}. {} rounds, {} s a turn, core {}.",
            document.date,
            document.machine,
            versions.join(", "),
            document.rounds,
            document.seconds,
            document.core,
        ),
        targets(document),
    ];
    if !document.cases.is_empty() {
        parts.push(cases(document));
        parts.push(
            "Medians of the rounds, the smallest and the greatest in parentheses. Right of the ratios: information."
                .to_owned(),
        );
    }
    parts.extend(document.cases.iter().filter_map(|case| match case.verdict {
        Verdict::Measured => None,
        Verdict::NotRun => Some(format!("{}: a peer was not run", case.case)),
        Verdict::Inconclusive => Some(format!(
            "{}: INCONCLUSIVE: nginx's own figures lie more than 15 % apart, the machine was busy",
            case.case
        )),
    }));
    parts.extend(document.cases.iter().filter_map(|case| attempts(case.case, case.verdict, case.attempts)));
    parts.extend(document.cases.iter().filter_map(beside));
    if !document.idle_memory.is_empty() {
        parts.push(idle_memory(document));
    }
    if let Some(report) = &document.events {
        parts.push(events(report));
        parts.extend(report.remarks());
    }
    if !document.constant_rate.is_empty() {
        parts.push(constant_rate(document));
    }
    parts.join("\n\n")
}

/// How often a case was measured, where that was more than once.
pub(super) fn attempts(case: &str, verdict: Verdict, attempts: u32) -> Option<String> {
    let busy = if verdict == Verdict::Inconclusive { "each time" } else { "before" };
    (attempts > 1).then(|| format!("{case}: measured {attempts} times: the machine was busy {busy}"))
}

/// What the gateway costs by the other binary's cost; with as many routes where there are many.
fn beside(case: &CaseReport) -> Option<String> {
    let (name, ratio) = [MANY, NAME].into_iter().find_map(|name| Some((name, case.ratio(name, BESIDE)?)))?;
    Some(format!("{}: {name} ÷ {BESIDE}: {}", case.case, range(ratio, 3)))
}

fn targets(document: &Document) -> String {
    let mut table = table(&["target", "must", "aim", "measured", ""]);
    for row in targets::rows(document) {
        table.add_row(row);
    }
    table.to_string()
}

fn cases(document: &Document) -> String {
    let mut headings = vec!["case", "proxy", "CPU µs/request"];
    headings.extend(REFERENCES.iter().map(|(_, heading)| *heading));
    headings.extend(["requests/s", "p50 µs", "p99 µs"]);
    let mut table = table(&headings);
    for case in &document.cases {
        for proxy in &case.proxies {
            table.add_row(row(case, proxy));
        }
    }
    table.to_string()
}

fn row(case: &CaseReport, proxy: &ProxyReport) -> Vec<String> {
    let mut row = vec![case.case.to_owned(), proxy.name.to_owned()];
    let Some(figures) = &proxy.figures else {
        row.push("not run".to_owned());
        return row;
    };
    row.push(range(figures.cpu_us, 2));
    row.extend(
        REFERENCES.iter().map(|(name, _)| figures.to.get(name).map_or_else(String::new, |to| range(*to, 2))),
    );
    row.extend(
        [figures.requests_per_second, figures.p50_us, figures.p99_us]
            .map(|figure| format!("{:.0}", figure.median)),
    );
    row
}

fn idle_memory(document: &Document) -> String {
    let mut table = table(&["1,000 idle connections", "KiB before", "KiB after", "KiB a connection"]);
    for row in &document.idle_memory {
        table.add_row([
            row.proxy.to_owned(),
            row.before_kib.to_string(),
            row.after_kib.to_string(),
            format!("{:.1}", row.per_connection_kib),
        ]);
    }
    table.to_string()
}

fn events(report: &EventReport) -> String {
    let mut table = table(&["events through", "events", "p50 µs", "p99 µs", "most µs"]);
    for row in &report.delays {
        let numbers = [row.p50_us, row.p99_us, row.most_us].map(|figure| figure.to_string());
        let [p50, p99, most] = numbers;
        table.add_row([row.through.to_owned(), row.events.to_string(), p50, p99, most]);
    }
    table.to_string()
}

fn constant_rate(document: &Document) -> String {
    let mut table = table(&["constant rate", "requests/s", "p50 µs", "p99 µs"]);
    for row in &document.constant_rate {
        table.add_row([
            row.proxy.to_owned(),
            format!("{:.0}", row.rate),
            range(row.p50_us, 0),
            range(row.p99_us, 0),
        ]);
    }
    table.to_string()
}

/// An empty table; from the third column on, numbers.
pub(crate) fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(headings);
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// The median, and the smallest and the greatest in parentheses.
pub(super) fn range(range: Range, digits: usize) -> String {
    format!("{:.digits$} ({:.digits$}-{:.digits$})", range.median, range.min, range.max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_that_was_measured_again_says_how_often_and_why() {
        let said = |verdict, number| attempts("get", verdict, number);
        assert_eq!(said(Verdict::Measured, 1), None);
        assert_eq!(said(Verdict::Inconclusive, 1), None);
        let again = "get: measured 3 times: the machine was busy";
        assert_eq!(said(Verdict::Measured, 3).unwrap(), format!("{again} before"));
        assert_eq!(said(Verdict::NotRun, 3).unwrap(), format!("{again} before"));
        assert_eq!(said(Verdict::Inconclusive, 3).unwrap(), format!("{again} each time"));
    }
}
