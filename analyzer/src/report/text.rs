//! The report as text for a terminal. The first line answers.

use std::fmt::Write;

use super::{Effect, Evidence, Holder, HolderKind, Remedy, Report, Status, When};

/// So many mounts, files and processes of one holder are shown in text; the JSON has them all.
const SHOWN: usize = 6;

/// The whole report.
pub fn render(report: &Report) -> String {
    let mut out = String::new();
    // Writing into a String cannot fail.
    let _ = write(&mut out, report);
    out
}

fn write(out: &mut String, report: &Report) -> std::fmt::Result {
    let word = match report.verdict.status {
        Status::Held => "HELD",
        Status::Free => "FREE",
        Status::Unknown => "UNKNOWN",
    };
    writeln!(out, "{word}: {}", report.verdict.summary)?;
    writeln!(out)?;
    write_facts(out, report)?;
    for (number, holder) in (1..).zip(&report.holders) {
        write_holder(out, number, holder)?;
    }
    crate::timeline::text::write(out, &report.timeline)?;
    write_list(out, "Why the umount did not reach it", &report.propagation)?;
    if !report.next_steps.is_empty() {
        writeln!(out, "Next")?;
        for step in &report.next_steps {
            write_remedy(out, step)?;
        }
    }
    write_list(out, "Looked at", &report.looked_at)?;
    if !report.warnings.is_empty() {
        writeln!(out, "Warnings")?;
        for warning in report.warnings.iter().take(20) {
            let place = match (&warning.file, warning.line) {
                (Some(file), Some(line)) => format!("{file}:{line}: "),
                (Some(file), None) => format!("{file}: "),
                _ => String::new(),
            };
            writeln!(out, "  [{}] {place}{} {}", warning.code, warning.message, warning.advice)?;
        }
        if report.warnings.len() > 20 {
            writeln!(out, "  … and {} more (see --format json)", report.warnings.len() - 20)?;
        }
    }
    Ok(())
}

fn write_facts(out: &mut String, report: &Report) -> std::fmt::Result {
    let host = &report.host;
    let facts = [
        ("host", host.name.clone()),
        ("kernel", host.kernel.clone()),
        ("runtime", host.runtime.clone()),
        ("collected", host.collected_at.clone()),
        ("container", report.target.container_id.clone()),
        ("name", report.target.name.clone()),
        ("state", report.target.state.clone()),
        ("driver", report.target.driver.clone()),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            writeln!(out, "  {name:<10} {value}")?;
        }
    }
    if report.bundle.is_cut() {
        writeln!(out, "  {:<10} only the part of the bundle that could be read", "about")?;
    }
    for alias in &report.target.aliases {
        let from = alias.evidence.first().map(|e| format!("  ({})", place(e))).unwrap_or_default();
        writeln!(out, "  {:<10} {} {}{from}", "also", kebab(&alias.kind), alias.value)?;
    }
    if let Some(error) = report.errors.first() {
        let times = match (&error.first, &error.last) {
            (Some(first), Some(last)) if first != last => format!(" from {first} to {last}"),
            (Some(first), _) => format!(" at {first}"),
            _ => String::new(),
        };
        let often = if error.count == 1 { "once".to_owned() } else { format!("{} times", error.count) };
        writeln!(out, "  {:<10} {often}{times}: {}", "error", crate::bytes::visible(error.line.as_bytes()))?;
    }
    writeln!(out)
}

fn write_holder(out: &mut String, number: usize, holder: &Holder) -> std::fmt::Result {
    let effect = match holder.effect {
        Effect::Blocking => "BLOCKING",
        Effect::Holding => "holding, not blocking",
        Effect::Unrelated => "unrelated",
    };
    let namespace = holder.mount_namespace.map(|n| format!(", mount namespace {n}")).unwrap_or_default();
    writeln!(out, "{number}. {effect}: {}{namespace}", kind_name(holder.kind))?;
    writeln!(out, "   {}", holder.effect_reason)?;
    if let Some(unit) = &holder.unit {
        writeln!(out, "   unit       {unit}")?;
    }
    if let Some(container) = &holder.container {
        let name = container.name.as_deref().unwrap_or("(name unknown)");
        writeln!(out, "   container  {name} {}", container.id)?;
    }
    let processes: Vec<_> = holder.process.iter().chain(&holder.more_processes).collect();
    for process in processes.iter().take(SHOWN) {
        let started = process.started_at.as_deref().map(|t| format!("  since {t}")).unwrap_or_default();
        let line = if process.cmdline.is_empty() { &process.comm } else { &process.cmdline };
        writeln!(out, "   pid {:<8} {line}{started}", process.pid)?;
    }
    if holder.pids.len() > SHOWN {
        let rest: Vec<String> = holder.pids.iter().skip(SHOWN).take(200).map(u32::to_string).collect();
        writeln!(out, "   more pids  {}", rest.join(" "))?;
    }
    for mount in holder.mounts.iter().take(SHOWN) {
        writeln!(out, "   mount      {} ({}, {})", mount.mount_point, mount.matched_by, mount.propagation())?;
        writeln!(out, "              {}", line(&mount.evidence))?;
    }
    if holder.mounts.len() > SHOWN {
        writeln!(out, "   …          {} more mounts", holder.mounts.len() - SHOWN)?;
    }
    for file in holder.open_files.iter().take(SHOWN) {
        writeln!(
            out,
            "   open       pid {} {} {} ({})",
            file.pid,
            file.reference,
            file.path,
            place(&file.evidence)
        )?;
    }
    if holder.open_files.len() > SHOWN {
        writeln!(out, "   …          {} more open files", holder.open_files.len() - SHOWN)?;
    }
    match &holder.cause {
        Some(cause) => writeln!(out, "   cause      {} [{}]", cause.summary, cause.id)?,
        None => writeln!(out, "   cause      unknown")?,
    }
    for cause in &holder.more_causes {
        writeln!(out, "   and        {} [{}]", cause.summary, cause.id)?;
    }
    for remedy in &holder.remedies {
        write_remedy(out, remedy)?;
    }
    writeln!(out)
}

fn write_remedy(out: &mut String, remedy: &Remedy) -> std::fmt::Result {
    let when = match remedy.when {
        When::Now => "now",
        When::Lasting => "lasting",
    };
    let mut lead = format!("   {when:<10} ");
    for command in remedy.command.lines() {
        writeln!(out, "{lead}# {command}")?;
        lead = " ".repeat(14);
    }
    writeln!(out, "{lead}{}", remedy.effect)?;
    if !remedy.risk.is_empty() {
        writeln!(out, "{:14}Risk: {}", "", remedy.risk)?;
    }
    Ok(())
}

fn write_list(out: &mut String, title: &str, sentences: &[String]) -> std::fmt::Result {
    if sentences.is_empty() {
        return Ok(());
    }
    writeln!(out, "{title}")?;
    for sentence in sentences {
        writeln!(out, "  - {sentence}")?;
    }
    writeln!(out)
}

fn place(evidence: &Evidence) -> String {
    match evidence.line {
        Some(line) => format!("{}:{line}", evidence.file),
        None => evidence.file.clone(),
    }
}

fn line(evidence: &Evidence) -> String {
    format!("{}: {}", place(evidence), evidence.text)
}

/// What kind of holder, in words.
pub fn kind_name(kind: HolderKind) -> &'static str {
    match kind {
        HolderKind::Host => "the host's own mount namespace",
        HolderKind::Daemon => "the container runtime",
        HolderKind::Container => "a container",
        HolderKind::SystemdUnit => "a systemd service with its own mount namespace",
        HolderKind::Unshared => "an unshared mount namespace",
        HolderKind::Pinned => "a mount namespace without a process",
        HolderKind::OpenFile => "open files",
        HolderKind::Device => "a device on top of it",
    }
}

/// The name that serde gives a unit variant.
pub(crate) fn kebab<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).map(|quoted| quoted.trim_matches('"').to_owned()).unwrap_or_default()
}
