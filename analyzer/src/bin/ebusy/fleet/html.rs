//! `ebusy fleet --format html`: one file without scripts that any browser shows, and that loads nothing.

use ebusy_analyzer::fleet::text::{what, word};
use ebusy_analyzer::fleet::{Fleet, HostLine};

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}\
h1{font-size:1.35rem}h2{font-size:1.1rem;margin-top:2rem}\
table{border-collapse:collapse;width:100%}\
th,td{text-align:left;vertical-align:top;padding:.3rem .75rem .3rem 0;border-bottom:1px solid #8886}\
.held{color:#b3261e;font-weight:600}@media(prefers-color-scheme:dark){.held{color:#ff8a80}}";

/// Everything. `lines` in the order in which they are to be shown.
pub(super) fn render(fleet: &Fleet, lines: &[HostLine]) -> String {
    let summary = escaped(&fleet.summary);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>ebusy: {summary}</title>\n<style>{STYLE}</style>\n<h1>{summary}</h1>\n"
    );
    let holders: Vec<&str> = fleet.holders.iter().map(|it| it.sentence.as_str()).collect();
    let causes: Vec<&str> = fleet.causes.iter().map(|it| it.sentence.as_str()).collect();
    for (title, sentences) in [("Who holds", holders), ("Why", causes)] {
        if sentences.is_empty() {
            continue;
        }
        out.push_str(&format!("<h2>{title}</h2>\n<ul>\n"));
        for sentence in sentences {
            out.push_str(&format!("<li>{}</li>\n", escaped(sentence)));
        }
        out.push_str("</ul>\n");
    }
    out.push_str("<h2>Hosts, worst first</h2>\n<table>\n<thead><tr><th scope=\"col\">Verdict<th scope=\"col\">Host<th scope=\"col\">Kernel<th scope=\"col\">What</thead>\n<tbody>\n");
    for line in lines {
        let word = word(line);
        let class = if word == "HELD" { " class=\"held\"" } else { "" };
        out.push_str(&format!(
            "<tr><td{class}>{word}<th scope=\"row\">{}<td>{}<td>{}\n",
            escaped(line.name()),
            escaped(line.host.kernel.as_deref().unwrap_or_default()),
            escaped(&what(line))
        ));
    }
    out.push_str("</tbody>\n</table>\n</html>\n");
    out
}

/// Foreign text as text.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
