//! The census as Markdown for an issue. What is the host's stands in code spans or is escaped, as in
//! [`crate::report::markdown`].

use std::fmt::Write;

use super::describe::{container_name, kind_counts, noun};
use super::{Census, CensusGroup, Leftover, SHOWN_GROUPS, more_groups};
use crate::report::Effect;
use crate::report::markdown::{code, inline};

/// So many leftovers of one group are listed.
const SHOWN: usize = 30;

/// The whole census: the answer, then who is at fault, worst first.
pub fn render(census: &Census) -> String {
    let mut out = String::new();
    // Writing into a String cannot fail.
    let _ = write(&mut out, census);
    out
}

fn write(out: &mut String, census: &Census) -> std::fmt::Result {
    writeln!(out, "### {}\n", inline(&census.summary))?;
    let host = &census.host;
    let facts = [&host.name, &host.kernel, &host.runtime, &host.collected_at];
    let facts: Vec<String> = facts.into_iter().flatten().map(|fact| code(fact)).collect();
    writeln!(out, "{}\n", facts.join(" · "))?;
    for (number, group) in (1..).zip(census.groups.iter().take(SHOWN_GROUPS)) {
        write_group(out, number, group)?;
    }
    if let Some(more) = more_groups(census) {
        writeln!(out, "… and {more} more holders\n")?;
    }
    writeln!(out, "**Looked at**\n")?;
    for sentence in &census.looked_at {
        writeln!(out, "- {}", inline(sentence))?;
    }
    for warning in &census.warnings {
        writeln!(out, "- Warning: {}", inline(&warning.message))?;
    }
    Ok(())
}

fn write_group(out: &mut String, number: usize, group: &CensusGroup) -> std::fmt::Result {
    writeln!(
        out,
        "**{number}. {}**: {} left over, {} will block\n",
        inline(&group.label),
        group.total,
        group.blocking
    )?;
    if let Some(process) = &group.process {
        let line = if process.cmdline.is_empty() { &process.comm } else { &process.cmdline };
        writeln!(out, "- pid {}: {}", process.pid, code(line))?;
    }
    for inode in &group.mount_namespaces {
        writeln!(out, "- mount namespace {inode}")?;
    }
    let shown = &group.leftovers[..group.leftovers.len().min(SHOWN)];
    let more = (group.total as usize).saturating_sub(shown.len());
    if more > 0 {
        writeln!(out, "- {}", kind_counts(&group.kinds))?;
    }
    for leftover in shown {
        write_leftover(out, leftover)?;
    }
    if more > 0 {
        writeln!(out, "- … and {more} more")?;
    }
    writeln!(out)
}

fn write_leftover(out: &mut String, leftover: &Leftover) -> std::fmt::Result {
    let effect = if leftover.effect == Effect::Blocking { "will block" } else { "only holds" };
    let of = match &leftover.container {
        Some(container) => container_name(container),
        None => leftover.object.clone(),
    };
    let state = leftover.container_state.as_deref().map(|s| format!(" ({})", inline(s))).unwrap_or_default();
    writeln!(
        out,
        "- {effect}: {} {}{state}. {} {}",
        noun(leftover.kind),
        code(&of),
        inline(&leftover.why),
        inline(&leftover.effect_reason)
    )?;
    if let Some(mount) = &leftover.mount {
        writeln!(out, "  - {}", code(&mount.evidence.text))?;
    }
    for file in leftover.open_files.iter().take(6) {
        writeln!(out, "  - pid {} {}", file.pid, code(&format!("{} {}", file.reference, file.path)))?;
    }
    Ok(())
}
