//! What a format cannot show, said once for the whole input. The collector says for itself what it left out.

use super::Snapshot;
use crate::evidence::Diagnostic;

pub(super) fn of(snapshot: &Snapshot) -> Vec<Diagnostic> {
    let format = snapshot.facts.format.as_str();
    let name = match format {
        "sosreport" => "A sosreport",
        "supportconfig" => "A supportconfig",
        "must-gather" => "A must-gather",
        "proc-tree" => "This archive",
        "paste" => "This text",
        _ => return Vec::new(),
    };
    let processes = || snapshot.processes.values().filter(|p| p.table.is_some());
    let mut found = Vec::new();
    let mut say = |code: &str, what: &str, means: &str| {
        found.push(Diagnostic {
            code: code.to_owned(),
            file: None,
            line: None,
            message: format!("{name} {what}"),
            advice: format!("{means} ebusy-collector takes it."),
        });
    };
    if format == "must-gather" {
        say(
            "no-mount-tables",
            "has the cluster's logs, but no mount table and no process of any node.",
            "Who holds a mount cannot be seen in it. On the node that the error names,",
        );
        return found;
    }
    if format == "supportconfig" && snapshot.tables.len() < 2 {
        say(
            "one-mount-table",
            "has the mounts of the host only, of no other mount namespace.",
            "A holder with a mount namespace of its own cannot be seen in it.",
        );
    }
    if processes().next().is_some() && processes().all(|p| p.mount_namespace.is_none()) {
        say(
            "no-namespace-links",
            "has no links of /proc/PID/ns: which processes share a mount namespace is told by their mount ids.",
            "Namespaces without a process cannot be seen.",
        );
    }
    let numbers = snapshot.processes.values().any(|p| !p.links.is_empty());
    let texts = snapshot.processes.values().any(|p| !p.link_texts.is_empty());
    if !numbers && !texts && format != "paste" {
        say(
            "no-open-files",
            "has no links of /proc/PID/fd, cwd and root, and no lsof with device numbers.",
            "A process that has a file open on the target cannot be seen.",
        );
    }
    found
}

/// That the logs have more errors than are kept.
pub(super) fn forgotten_errors(count: u64) -> Option<Diagnostic> {
    (count > 0).then(|| Diagnostic {
        code: "errors-left-out".into(),
        file: None,
        line: None,
        message: format!("The logs have {count} more different busy errors, which appeared earlier than those that are kept."),
        advice: "Give the log of the time that is in question alone.".into(),
    })
}
