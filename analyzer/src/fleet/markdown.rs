//! A fleet as Markdown for an issue or a wiki. What comes from the hosts stands in code spans that it cannot break
//! out of.

use super::text::{what, word};
use super::{Fleet, HostLine};
use crate::report::markdown::{code, inline};

/// Everything. `lines` in the order in which they are to be shown.
pub fn render(fleet: &Fleet, lines: &[HostLine]) -> String {
    let mut out = format!("### {}\n", inline(&fleet.summary));
    let holders: Vec<&str> = fleet.holders.iter().map(|it| it.sentence.as_str()).collect();
    let causes: Vec<&str> = fleet.causes.iter().map(|it| it.sentence.as_str()).collect();
    for (title, sentences) in [("Who holds", holders), ("Why", causes)] {
        if !sentences.is_empty() {
            out.push_str(&format!("\n**{title}**\n\n"));
        }
        for sentence in sentences {
            out.push_str(&format!("- {}\n", inline(sentence)));
        }
    }
    out.push_str("\n| | Host | Kernel | What |\n|---|---|---|---|\n");
    for line in lines {
        let kernel = line.host.kernel.as_deref().map(cell).unwrap_or_default();
        out.push_str(&format!(
            "| {} | {} | {kernel} | {} |\n",
            word(line),
            cell(line.name()),
            cell(&what(line))
        ));
    }
    out
}

/// A bar would end the cell, in a code span too.
fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}
