//! The document as a bar chart: CPU time for each request, one group of bars for each case, as SVG.

use std::fmt::Write;

use super::document::Document;
use super::gateway;

const LABELS: u32 = 190;
const BARS: u32 = 520;
const WIDTH: u32 = LABELS + BARS + 90;
const ROW: u32 = 20;
const TITLE: u32 = 34;
const MARGIN: u32 = 16;

/// Each case has a scale of its own: a large answer costs more than everything else.
pub(super) fn svg(document: &Document) -> String {
    let mut body = String::new();
    let mut y = MARGIN;
    text(
        &mut body,
        MARGIN,
        y + 12,
        "title",
        "CPU time of the proxy for each request, in µs (less is better)",
    );
    y += 26;
    for case in &document.cases {
        text(&mut body, MARGIN, y + 22, "case", case.case);
        y += TITLE;
        let costs = case.proxies.iter().map(|proxy| proxy.figures.as_ref().map(|figures| figures.cpu_us));
        let greatest = costs.clone().flatten().map(|cost| cost.max).fold(0.0, f64::max);
        for (proxy, cost) in case.proxies.iter().zip(costs) {
            text(&mut body, MARGIN, y + 13, "name", proxy.name);
            let Some(cost) = cost else {
                text(&mut body, LABELS + 6, y + 13, "name", "not run");
                y += ROW;
                continue;
            };
            let length = |figure: f64| figure / greatest * f64::from(BARS);
            let class = match proxy.name {
                gateway::NAME | gateway::MANY => "mesh",
                _ => "peer",
            };
            // Writing to a text cannot fail.
            let _ = writeln!(
                body,
                "<rect class=\"{class}\" x=\"{LABELS}\" y=\"{}\" width=\"{:.1}\" height=\"{}\"/>",
                y + 2,
                length(cost.median),
                ROW - 5,
            );
            let end = LABELS + length(cost.median).ceil() as u32;
            text(&mut body, end + 6, y + 13, "name", &format!("{:.2}", cost.median));
            y += ROW;
        }
    }
    let height = y + MARGIN;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\">
<style>
text {{ font: 12px sans-serif; fill: #222 }}
.title, .case {{ font-weight: bold }}
.peer {{ fill: #9aa5b1 }}
.mesh {{ fill: #d2691e }}
</style>
<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>
{body}</svg>
"
    )
}

fn text(svg: &mut String, x: u32, y: u32, class: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(svg, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{words}</text>");
}
