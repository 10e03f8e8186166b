//! The census as text for a terminal. The first line answers.

use std::fmt::Write;

use super::describe::{container_name, kind_counts, noun};
use super::{Census, CensusGroup, Leftover, SHOWN_GROUPS, more_groups};
use crate::report::{Effect, Evidence};

/// So many leftovers of one group are shown in text.
const SHOWN: usize = 12;

/// The whole census.
pub fn render(census: &Census) -> String {
    let mut out = String::new();
    // Writing into a String cannot fail.
    let _ = write(&mut out, census);
    out
}

fn write(out: &mut String, census: &Census) -> std::fmt::Result {
    let word = match (census.total, census.blocking) {
        (0, _) => "NOTHING LEFT OVER",
        (_, 0) => "HOLDS SPACE",
        _ => "WILL BLOCK",
    };
    writeln!(out, "{word}: {}", census.summary)?;
    writeln!(out)?;
    let host = &census.host;
    for (name, value) in [
        ("host", &host.name),
        ("kernel", &host.kernel),
        ("runtime", &host.runtime),
        ("collected", &host.collected_at),
    ] {
        if let Some(value) = value {
            writeln!(out, "  {name:<10} {value}")?;
        }
    }
    writeln!(out)?;
    for (number, group) in (1..).zip(census.groups.iter().take(SHOWN_GROUPS)) {
        write_group(out, number, group, census)?;
    }
    if let Some(more) = more_groups(census) {
        writeln!(out, "… and {more} more holders ({})\n", where_the_rest_is(census))?;
    }
    writeln!(out, "Looked at")?;
    for sentence in &census.looked_at {
        writeln!(out, "  - {sentence}")?;
    }
    if !census.warnings.is_empty() {
        writeln!(out)?;
        writeln!(out, "Warnings")?;
        for warning in census.warnings.iter().take(20) {
            let file = warning.file.as_ref().map(|f| format!("{f}: ")).unwrap_or_default();
            writeln!(out, "  [{}] {file}{} {}", warning.code, warning.message, warning.advice)?;
        }
    }
    Ok(())
}

/// The option that tells them all.
fn where_the_rest_is(census: &Census) -> String {
    let all = census.groups.iter().all(|group| group.leftovers.len() == group.total as usize);
    if all {
        "see --format json".to_owned()
    } else {
        format!("see --format json --leftovers {}", census.total)
    }
}

fn write_group(out: &mut String, number: usize, group: &CensusGroup, census: &Census) -> std::fmt::Result {
    let pins = group.pinned_bytes.map(|b| format!(", pins {}", bytes(b))).unwrap_or_default();
    writeln!(
        out,
        "{number}. {}: {} left over, {} will block{pins}",
        group.label, group.total, group.blocking
    )?;
    writeln!(out, "   kind       {}", crate::report::text::kind_name(group.kind))?;
    if let Some(unit) = &group.unit {
        writeln!(out, "   unit       {unit}")?;
    }
    if let Some(container) = &group.container {
        writeln!(
            out,
            "   container  {} {}",
            container.name.as_deref().unwrap_or("(name unknown)"),
            container.id
        )?;
    }
    for inode in &group.mount_namespaces {
        writeln!(out, "   namespace  mnt:[{inode}]")?;
    }
    if let Some(process) = &group.process {
        let started = process.started_at.as_deref().map(|t| format!("  since {t}")).unwrap_or_default();
        let line = if process.cmdline.is_empty() { &process.comm } else { &process.cmdline };
        writeln!(out, "   pid {:<8} {line}{started}", process.pid)?;
    }
    if group.pids.len() > 1 {
        let rest: Vec<String> = group.pids.iter().skip(1).take(100).map(u32::to_string).collect();
        writeln!(out, "   more pids  {}", rest.join(" "))?;
    }
    let shown = &group.leftovers[..group.leftovers.len().min(SHOWN)];
    let more = (group.total as usize).saturating_sub(shown.len());
    if more > 0 {
        writeln!(out, "   what       {}", kind_counts(&group.kinds))?;
    }
    for leftover in shown {
        write_leftover(out, leftover)?;
    }
    if more > 0 {
        writeln!(out, "   … and {more} more ({})", where_the_rest_is(census))?;
    }
    writeln!(out)
}

fn write_leftover(out: &mut String, leftover: &Leftover) -> std::fmt::Result {
    let effect = match leftover.effect {
        Effect::Blocking => "will block",
        Effect::Holding | Effect::Unrelated => "only holds",
    };
    let of = match (&leftover.container, &leftover.container_state) {
        (Some(container), Some(state)) => format!(" of {} [{state}]", container_name(container)),
        (Some(container), None) => format!(" of {}", container_name(container)),
        (None, Some(state)) => format!(" {} [{state}]", leftover.object),
        (None, None) => format!(" {}", leftover.object),
    };
    writeln!(out, "   {effect:<10} {}{of}", noun(leftover.kind))?;
    writeln!(out, "              {}", leftover.why)?;
    writeln!(out, "              {}", leftover.effect_reason)?;
    if let Some(device) = &leftover.device {
        let name = device.name.as_deref().map(|n| format!(" {n}")).unwrap_or_default();
        let size = device.size_bytes.map(|b| format!(", {}", bytes(b))).unwrap_or_default();
        writeln!(out, "              device {}{name}{size}", device.number)?;
    }
    if let Some(mount) = &leftover.mount {
        writeln!(out, "              {}: {}", place(&mount.evidence), mount.evidence.text)?;
    }
    for file in leftover.open_files.iter().take(6) {
        writeln!(
            out,
            "              open: pid {} {} {} ({})",
            file.pid,
            file.reference,
            file.path,
            place(&file.evidence)
        )?;
    }
    Ok(())
}

fn place(evidence: &Evidence) -> String {
    match evidence.line {
        Some(line) => format!("{}:{line}", evidence.file),
        None => evidence.file.clone(),
    }
}

/// Bytes in the unit that a person would name.
fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let (mut unit, mut scale) = (0, 1u64);
    while unit + 1 < UNITS.len() && count / scale >= 1024 {
        unit += 1;
        scale *= 1024;
    }
    let (whole, tenths) = (count / scale, count % scale * 10 / scale);
    if unit == 0 || tenths == 0 {
        format!("{whole} {}", UNITS[unit])
    } else {
        format!("{whole}.{tenths} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes_are_read_easily() {
        assert_eq!(super::bytes(512), "512 bytes");
        assert_eq!(super::bytes(10 << 30), "10 GiB");
        assert_eq!(super::bytes((3 << 30) / 2), "1.5 GiB");
        assert_eq!(super::bytes(u64::MAX), "16777215.9 TiB");
    }
}
