//! The status page for people: one table of instances, one of routes, nothing that runs in a browser.

use std::fmt::Write;

use crate::{documents::InstanceRow, gateway::Shared};

const STYLE: &str = "body{font:14px/1.5 system-ui,sans-serif;margin:2rem;color:#222}\
    table{border-collapse:collapse;margin:0 0 2rem}\
    th,td{text-align:left;padding:.25rem 1rem .25rem 0;border-bottom:1px solid #ddd}\
    .unhealthy{color:#b00}.half_open{color:#b60}.healthy{color:#060}code{font-size:13px}";

/// The whole page.
pub(super) fn render(shared: &Shared, rows: &[InstanceRow]) -> String {
    let snapshot = shared.snapshot.load();
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{name}</title>\
         <style>{STYLE}</style></head><body><h1>{name}</h1><p>{state}; store {store}; {routes} routes</p>",
        name = escaped(shared.name.as_str()),
        state = if shared.is_ready() { "ready" } else { "not ready" },
        store = if shared.metrics.store_is_up() { "up" } else { "down" },
        routes = snapshot.table.entries().len(),
    );
    let instances = rows.iter().map(|row| {
        let status = row.status.as_str();
        format!(
            "<tr><td>{}</td><td><code>{}</code></td><td>{}</td><td class=\"{status}\">{status}</td></tr>",
            escaped(row.service.as_str()),
            escaped(row.url.as_str()),
            row.failures,
        )
    });
    table(&mut page, "Instances", &["Service", "URL", "Failures", "Status"], instances);
    let routes = snapshot.table.entries().iter().map(|entry| {
        format!(
            "<tr><td>{}</td><td>{}</td><td><code>{}</code></td><td><code>{}</code></td></tr>",
            escaped(entry.service.as_str()),
            escaped(entry.route.method.as_str()),
            escaped(entry.uri.as_str()),
            escaped(entry.route.uri.as_str()),
        )
    });
    table(&mut page, "Routes", &["Service", "Method", "URI", "Service URI"], routes);
    let refused = snapshot.table.refused().iter().map(|refused| {
        let uri = format!("{} {}", refused.entry.route.method, refused.entry.uri);
        not_served(refused.entry.service.as_str(), &format!("{uri} belongs to {}", refused.owner))
    });
    let quarantined =
        snapshot.quarantined.iter().map(|(service, reason)| not_served(service.as_str(), reason));
    table(&mut page, "Not served", &["Service", "Reason"], refused.chain(quarantined));
    page.push_str("</body></html>");
    page
}

fn not_served(service: &str, reason: &str) -> String {
    format!("<tr><td>{}</td><td>{}</td></tr>", escaped(service), escaped(reason))
}

fn table(page: &mut String, title: &str, heads: &[&str], rows: impl Iterator<Item = String>) {
    let rows: String = rows.collect();
    if rows.is_empty() {
        return;
    }
    let heads: String = heads.iter().map(|head| format!("<th>{head}</th>")).collect();
    let written =
        write!(page, "<h2>{title}</h2><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>");
    debug_assert!(written.is_ok(), "writing to a String does not fail");
}

/// The text with everything escaped that HTML reads.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_says_of_itself_is_never_read_as_html() {
        assert_eq!(escaped("<b a='1' b=\"2\">&"), "&lt;b a=&#39;1&#39; b=&quot;2&quot;&gt;&amp;");
    }
}
