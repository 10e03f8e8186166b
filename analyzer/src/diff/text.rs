//! The comparison as text for a terminal. The first line answers.

use std::fmt::Write;

use super::{CensusChanges, Diff, HolderChange, LeftoverChange};
use crate::report::Effect;

/// So many leftovers of a kind are shown in text.
const SHOWN: usize = 20;

/// The whole comparison.
pub fn render(diff: &Diff) -> String {
    let mut out = String::new();
    // Writing into a String cannot fail.
    let _ = write(&mut out, diff);
    out
}

fn write(out: &mut String, diff: &Diff) -> std::fmt::Result {
    writeln!(out, "{}", diff.summary)?;
    writeln!(out)?;
    for warning in &diff.warnings {
        writeln!(out, "  [{}] {} {}", warning.code, warning.message, warning.advice)?;
    }
    for (name, side) in [("first", &diff.a), ("second", &diff.b)] {
        let unknown = || "(unknown)".to_owned();
        let host = side.host.name.clone().unwrap_or_else(unknown);
        let taken = side.host.collected_at.clone().unwrap_or_else(unknown);
        let booted = side.booted_at.as_ref().map(|b| format!(", booted {b}")).unwrap_or_default();
        writeln!(out, "  {name:<8} {host}, taken {taken}{booted}")?;
    }
    writeln!(out)?;
    for (title, list) in [("Still there", &diff.still), ("New", &diff.new), ("Gone", &diff.gone)] {
        write_holders(out, title, list)?;
    }
    match &diff.census {
        Some(census) => write_census(
            out,
            census,
            if diff.a.bundle.complete && diff.b.bundle.complete { "" } else { " in what could be read" },
        ),
        None => Ok(()),
    }
}

fn write_holders(out: &mut String, title: &str, list: &[HolderChange]) -> std::fmt::Result {
    if list.is_empty() {
        return Ok(());
    }
    writeln!(out, "{title}")?;
    for change in list {
        let word = match change.after.or(change.before) {
            Some(Effect::Blocking) => "blocking",
            _ => "holding",
        };
        let namespace = change.mount_namespace.map(|n| format!(", mnt:[{n}]")).unwrap_or_default();
        let pid = change.pid.map(|p| format!(", pid {p}")).unwrap_or_default();
        let since = change.started_at.as_ref().map(|s| format!(" since {s}")).unwrap_or_default();
        writeln!(out, "  {word:<9} {}{namespace}{pid}{since}", change.label)?;
        if !change.note.is_empty() {
            writeln!(out, "            {}", change.note)?;
        }
    }
    writeln!(out)
}

fn write_census(out: &mut String, changes: &CensusChanges, caution: &str) -> std::fmt::Result {
    writeln!(out, "Left over on the whole host")?;
    for (word, count, list) in [
        ("still", changes.still_count, &changes.still),
        ("new", changes.new_count, &changes.new),
        ("gone", changes.gone_count, &changes.gone),
    ] {
        for change in list.iter().take(SHOWN) {
            writeln!(out, "  {word:<6} {}", line(change))?;
        }
        let more = (count as usize).saturating_sub(list.len().min(SHOWN));
        if more > 0 {
            let place = if list.len() == count as usize {
                "see --format json".to_owned()
            } else {
                format!("--format json has the first {}", list.len())
            };
            writeln!(out, "  {word:<6} … and {more} more ({place})")?;
        }
    }
    if changes.still.is_empty() && changes.new.is_empty() && changes.gone.is_empty() {
        writeln!(out, "  nothing{caution}")?;
    }
    Ok(())
}

fn line(change: &LeftoverChange) -> String {
    let leftover = &change.leftover;
    let of = match &leftover.container {
        Some(container) => {
            container.name.clone().unwrap_or_else(|| crate::resolve::short(&container.id).to_owned())
        }
        None => leftover.object.clone(),
    };
    let state = leftover.container_state.as_ref().map(|s| format!(" [{s}]")).unwrap_or_default();
    let kind = crate::report::text::kebab(&leftover.kind);
    format!("{}: {kind} of {of}{state}", change.holder)
}
