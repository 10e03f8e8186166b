//! The comparison as Markdown for an issue. What is the host's stands in code spans or is escaped, as in
//! [`crate::report::markdown`].

use std::fmt::Write;

use super::{Diff, HolderChange, LeftoverChange};
use crate::report::Effect;
use crate::report::markdown::{code, inline};

/// So many leftovers of a kind are listed.
const SHOWN: usize = 30;

/// The whole comparison.
pub fn render(diff: &Diff) -> String {
    let mut out = String::new();
    // Writing into a String cannot fail.
    let _ = write(&mut out, diff);
    out
}

fn write(out: &mut String, diff: &Diff) -> std::fmt::Result {
    writeln!(out, "### {}\n", inline(&diff.summary))?;
    for warning in &diff.warnings {
        writeln!(out, "- Warning: {} {}", inline(&warning.message), inline(&warning.advice))?;
    }
    for (name, side) in [("First", &diff.a), ("Second", &diff.b)] {
        let facts = [&side.host.name, &side.host.collected_at, &side.booted_at];
        let facts: Vec<String> = facts.into_iter().flatten().map(|fact| code(fact)).collect();
        writeln!(out, "- {name} bundle: {}", facts.join(" · "))?;
    }
    writeln!(out)?;
    for (title, list) in [("Still there", &diff.still), ("New", &diff.new), ("Gone", &diff.gone)] {
        write_holders(out, title, list)?;
    }
    let Some(census) = &diff.census else { return Ok(()) };
    for (title, count, list) in [
        ("Left over at both times", census.still_count, &census.still),
        ("Newly left over", census.new_count, &census.new),
        ("No longer left over", census.gone_count, &census.gone),
    ] {
        write_leftovers(out, title, count, list)?;
    }
    Ok(())
}

fn write_holders(out: &mut String, title: &str, list: &[HolderChange]) -> std::fmt::Result {
    if list.is_empty() {
        return Ok(());
    }
    writeln!(out, "**{title}**\n")?;
    for change in list {
        let word =
            if change.after.or(change.before) == Some(Effect::Blocking) { "blocking" } else { "holding" };
        let pid = change.pid.map(|p| format!(", pid {p}")).unwrap_or_default();
        let since = change.started_at.as_ref().map(|s| format!(" since {}", code(s))).unwrap_or_default();
        let note = if change.note.is_empty() { String::new() } else { format!(". {}", inline(&change.note)) };
        writeln!(out, "- {} ({word}{pid}{since}){note}", inline(&change.label))?;
    }
    writeln!(out)
}

fn write_leftovers(out: &mut String, title: &str, count: u32, list: &[LeftoverChange]) -> std::fmt::Result {
    if list.is_empty() {
        return Ok(());
    }
    writeln!(out, "**{title}**\n")?;
    for change in list.iter().take(SHOWN) {
        let at = change
            .leftover
            .mount
            .as_ref()
            .map(|m| format!(" at {}", code(&m.mount_point)))
            .unwrap_or_default();
        writeln!(out, "- {}: {}{at}", inline(&change.holder), code(&change.leftover.object))?;
    }
    let more = (count as usize).saturating_sub(list.len().min(SHOWN));
    if more > 0 {
        writeln!(out, "- … and {more} more")?;
    }
    writeln!(out)
}
