//! The report as Markdown for an issue. Everything from the host stands in code spans or code blocks that it
//! cannot break out of, so that it makes no links, mentions, images or HTML.

use super::text::kind_name;
use super::{Effect, Evidence, Holder, Remedy, Report, Status, When};

/// The whole report: the answer, the holders and remedies, the evidence collapsed.
pub fn render(report: &Report) -> String {
    let mut out = String::new();
    let word = match report.verdict.status {
        Status::Held => "Held",
        Status::Free => "Free",
        Status::Unknown => "Unknown",
    };
    push(&mut out, &format!("### {word}: {}", inline(&report.verdict.summary)));
    push(&mut out, "");
    facts(&mut out, report);
    for (number, holder) in (1..).zip(&report.holders) {
        holder_section(&mut out, number, holder);
    }
    if !report.propagation.is_empty() {
        push(&mut out, "**Why the umount did not reach it**");
        push(&mut out, "");
        for sentence in &report.propagation {
            push(&mut out, &format!("- {}", inline(sentence)));
        }
        push(&mut out, "");
    }
    if !report.next_steps.is_empty() {
        push(&mut out, "**Next**");
        push(&mut out, "");
        for step in &report.next_steps {
            remedy(&mut out, step);
        }
    }
    evidence_section(&mut out, report);
    out
}

fn push(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}

fn facts(out: &mut String, report: &Report) {
    let host = &report.host;
    let facts = [
        ("Host", &host.name),
        ("Kernel", &host.kernel),
        ("Runtime", &host.runtime),
        ("Collected", &host.collected_at),
        ("Container", &report.target.container_id),
        ("Name", &report.target.name),
        ("Driver", &report.target.driver),
    ];
    push(out, "| | |");
    push(out, "|---|---|");
    for (name, value) in facts {
        if let Some(value) = value {
            push(out, &format!("| {name} | {} |", code(value).replace('|', "\\|")));
        }
    }
    push(out, "");
    if report.bundle.is_cut() {
        push(out, "This is about the part of the bundle that could be read.");
        push(out, "");
    }
    if let Some(error) = report.errors.first() {
        push(
            out,
            &format!(
                "Error, seen {} times, last at {}:",
                error.count,
                code(error.last.as_deref().unwrap_or("unknown"))
            ),
        );
        push(out, "");
        block(out, &crate::bytes::visible(error.line.as_bytes()));
    }
}

fn holder_section(out: &mut String, number: usize, holder: &Holder) {
    let effect = match holder.effect {
        Effect::Blocking => "blocking",
        Effect::Holding => "holding, not blocking",
        Effect::Unrelated => "unrelated",
    };
    let mut title = format!("**{number}. {}** ({effect})", kind_name(holder.kind));
    if let Some(namespace) = holder.mount_namespace {
        title.push_str(&format!(", mount namespace {}", code(&namespace.to_string())));
    }
    push(out, &title);
    push(out, "");
    let pids: Vec<String> = holder.pids.iter().take(30).map(u32::to_string).collect();
    if let Some(process) = &holder.process {
        let line = if process.cmdline.is_empty() { &process.comm } else { &process.cmdline };
        push(out, &format!("- Processes: {} {}", code(&pids.join(" ")), code(line)));
    }
    if let Some(unit) = &holder.unit {
        push(out, &format!("- Unit: {}", code(unit)));
    }
    if let Some(container) = &holder.container {
        push(
            out,
            &format!(
                "- Container: {} {}",
                code(container.name.as_deref().unwrap_or("")),
                code(&container.id)
            ),
        );
    }
    push(out, &format!("- Effect: {}", inline(&holder.effect_reason)));
    match &holder.cause {
        Some(cause) => push(out, &format!("- Cause: {} ({})", inline(&cause.summary), code(&cause.id))),
        None => push(out, "- Cause: unknown"),
    }
    for cause in &holder.more_causes {
        push(out, &format!("- And: {} ({})", inline(&cause.summary), code(&cause.id)));
    }
    push(out, "");
    for each in &holder.remedies {
        remedy(out, each);
    }
}

fn remedy(out: &mut String, remedy: &Remedy) {
    let when = match remedy.when {
        When::Now => "Now",
        When::Lasting => "Lasting",
    };
    let risk =
        if remedy.risk.is_empty() { String::new() } else { format!(" Risk: {}", inline(&remedy.risk)) };
    push(out, &format!("{when}: {}{risk}", inline(&remedy.effect)));
    push(out, "");
    if !remedy.command.is_empty() {
        block(out, &remedy.command);
    }
}

fn evidence_section(out: &mut String, report: &Report) {
    let evidence: Vec<&Evidence> = report.holders.iter().flat_map(|h| &h.evidence).take(60).collect();
    if evidence.is_empty() {
        return;
    }
    push(out, "<details><summary>Evidence</summary>");
    push(out, "");
    let lines: Vec<String> = evidence
        .iter()
        .map(|e| match e.line {
            Some(line) => format!("{}:{line}: {}", e.file, e.text),
            None => format!("{}: {}", e.file, e.text),
        })
        .collect();
    block(out, &lines.join("\n"));
    push(out, "</details>");
}

/// A fenced block whose fence is longer than any run of backticks inside.
fn block(out: &mut String, text: &str) {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    push(out, &fence);
    push(out, text);
    push(out, &fence);
    push(out, "");
}

/// A code span whose marks are longer than any run of backticks inside.
pub(crate) fn code(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let text = text.replace('\n', " ");
    let mark = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{mark}{pad}{text}{pad}{mark}")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A sentence with names of the host in it: every character that Markdown or HTML could take as more than itself
/// is escaped, `@` and `#` too (mentions and references).
pub(crate) fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '!' | '|' | '~' | '&' => {
                out.push('\\');
                out.push(c);
            }
            // A mention or an issue reference is broken by a zero-width joiner that no reader sees.
            '@' | '#' => {
                out.push(c);
                out.push('\u{2060}');
            }
            ':' => out.push_str("&#58;"),
            '\n' => out.push(' '),
            c => out.push(c),
        }
    }
    // Only `://` and `www.` make links by themselves; a colon elsewhere stays readable.
    out.replace("&#58;//", ":\u{2060}//").replace("&#58;", ":").replace("www.", "www\u{2060}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_text() {
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`x"), "`` `x ``");
        assert_eq!(
            inline("<img src=x> [a](http://b) @all"),
            "\\<img src=x\\> \\[a\\](http:\u{2060}//b) @\u{2060}all"
        );
        let mut out = String::new();
        block(&mut out, "```\n<script>");
        assert!(out.starts_with("````\n"), "{out}");
    }
}
