//! The document as a table for people.

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

use super::document::Document;
use super::numbers::Range;
use super::report::{CaseReport, ProxyReport, Verdict};

const HEADINGS: [&str; 7] = ["case", "proxy", "CPU µs/request", "÷ nginx", "requests/s", "p50 µs", "p99 µs"];

/// The table, and a line for everything that is no row of it.
pub(super) fn render(document: &Document) -> String {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(HEADINGS);
    for case in &document.cases {
        for proxy in &case.proxies {
            table.add_row(row(case, proxy));
        }
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let rss = document.mesh.rss_kib as f64 / 1024.0;
    let mut lines = vec![
        table.to_string(),
        "medians of the rounds, their smallest and greatest in parentheses; figures right of ÷ nginx are information".to_owned(),
        format!("mesh, idle: {rss:.1} MiB; {:.1} ms from its start to the first 200", document.mesh.ready_ms),
        format!(
            "one core (number {}) for proxy, backend and load; {} s a turn; nginx: {}",
            document.core,
            document.seconds,
            document.nginx.as_deref().unwrap_or("not run"),
        ),
    ];
    for case in &document.cases {
        match case.verdict {
            Verdict::Measured => {}
            Verdict::NotRun => lines.push(format!("{}: no ratio: nginx was not run", case.case)),
            Verdict::Inconclusive => lines.push(format!(
                "{}: INCONCLUSIVE: nginx's own figures lie too far apart, the machine is busy",
                case.case
            )),
        }
    }
    lines.join("\n")
}

fn row(case: &CaseReport, proxy: &ProxyReport) -> [String; 7] {
    let Some(figures) = proxy.figures else {
        let mut row = [""; 7].map(str::to_owned);
        (row[0], row[1], row[2]) = (case.case.to_owned(), proxy.name.to_owned(), "not run".to_owned());
        return row;
    };
    let range = |range: Range| format!("{:.2} ({:.2}-{:.2})", range.median, range.min, range.max);
    [
        case.case.to_owned(),
        proxy.name.to_owned(),
        range(figures.cpu_us),
        figures.to_nginx.map_or_else(String::new, range),
        format!("{:.0}", figures.requests_per_second.median),
        format!("{:.0}", figures.p50_us.median),
        format!("{:.0}", figures.p99_us.median),
    ]
}
