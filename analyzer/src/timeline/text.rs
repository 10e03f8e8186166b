//! The timeline as a section of the report's text.

use std::fmt::Write;

use crate::report::TimelineEvent;

/// Writes the section; nothing where nothing is dated.
pub(crate) fn write(out: &mut String, events: &[TimelineEvent]) -> std::fmt::Result {
    if events.is_empty() {
        return Ok(());
    }
    let time = |e: &TimelineEvent| e.at.clone().or_else(|| e.written.clone()).unwrap_or_default();
    let width = events.iter().map(|e| time(e).chars().count()).max().unwrap_or_default();
    writeln!(out, "Timeline")?;
    for event in events {
        let from = match event.evidence.first() {
            Some(e) => match e.line {
                Some(line) => format!("  ({}:{line})", e.file),
                None => format!("  ({})", e.file),
            },
            None => String::new(),
        };
        writeln!(out, "  {:<width$}  {}{from}", time(event), event.what)?;
    }
    writeln!(out)
}
