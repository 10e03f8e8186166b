//! A fleet as text for a terminal: the answer, what the hosts have in common, one line a host.

use std::fmt::Write;

use super::{Fleet, HostLine};
use crate::report::Status;

/// So many holders and causes are shown in text; the JSON has them all.
const SHOWN: usize = 20;

/// Everything. `lines` in the order in which they are to be shown.
pub fn render(fleet: &Fleet, lines: &[HostLine]) -> String {
    let mut out = String::new();
    // Writing into a String cannot fail.
    let _ = write(&mut out, fleet, lines);
    out
}

fn write(out: &mut String, fleet: &Fleet, lines: &[HostLine]) -> std::fmt::Result {
    writeln!(out, "{}", fleet.summary)?;
    let holders: Vec<&str> = fleet.holders.iter().map(|it| it.sentence.as_str()).collect();
    let causes: Vec<&str> = fleet.causes.iter().map(|it| it.sentence.as_str()).collect();
    for (title, sentences) in [("Who holds", holders), ("Why", causes)] {
        if !sentences.is_empty() {
            writeln!(out, "\n{title}")?;
        }
        for sentence in sentences.iter().take(SHOWN) {
            writeln!(out, "  {sentence}")?;
        }
        if sentences.len() > SHOWN {
            writeln!(out, "  … and {} more (see --format json)", sentences.len() - SHOWN)?;
        }
    }
    let width = lines.iter().map(|line| line.name().chars().count()).max().unwrap_or(0).min(32);
    writeln!(out, "\nHosts, worst first")?;
    for line in lines {
        writeln!(out, "  {:<8} {:<width$}  {}", word(line), line.name(), what(line))?;
    }
    Ok(())
}

/// The verdict in a word.
pub fn word(line: &HostLine) -> &'static str {
    match line.status {
        Some(Status::Held) => "HELD",
        Some(Status::Free) if line.will_block > 0 => "LEFTOVER",
        Some(Status::Unknown) if line.errors == 0 && line.will_block > 0 => "LEFTOVER",
        Some(Status::Free) => "free",
        Some(Status::Unknown) if line.errors == 0 && line.complete => "quiet",
        Some(Status::Unknown) => "unknown",
        None => "UNREAD",
    }
}

/// Who holds what there, or why nobody can tell.
pub fn what(line: &HostLine) -> String {
    let mut parts = Vec::new();
    if let Some(target) = &line.target {
        parts.push(target.clone());
    }
    if let Some(holders) = by(line) {
        parts.push(holders);
    }
    if line.leftovers > 0 {
        parts.push(format!("{} left over, {} will block", line.leftovers, line.will_block));
    }
    match &line.failure {
        Some(failure) => format!("{} [{}]", line.summary, failure.code),
        None if parts.is_empty() => line.summary.clone(),
        None => parts.join("; "),
    }
}

fn by(line: &HostLine) -> Option<String> {
    let names: Vec<&str> = line.holders.iter().take(2).map(|it| it.who.as_str()).collect();
    let rest = line.holders.len().saturating_sub(names.len());
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    (!names.is_empty()).then(|| format!("by {}{more}", names.join(", ")))
}
