//! The runtimes' logs: the journal where there is one, else files, and what the user adds.

mod files;
mod journal;
mod newest;
mod relevance;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::bundle::{Entry, Secrets};
use crate::context::{Context, Fact};
use crate::summary::LogNote;
use crate::watchdog::Batch;

/// Most of one log that is kept, the newest of it.
const LOG_MAX: usize = 8 << 20;

/// A log as it was found.
#[derive(Debug, Default)]
struct Log {
    /// Without `logs/` and `.log`.
    name: String,
    /// The file or command it came from.
    source: String,
    text: Vec<u8>,
    truncated: bool,
}

/// Reads all logs. Large ones are handed over as they come, so that only one is in memory.
pub(crate) fn read(context: &Arc<Context>, hand_over: impl Fn(Batch<Fact>) -> bool) -> Batch<Fact> {
    let mut names = BTreeSet::new();
    let mut batch = Batch::new();
    let mut add = |log: Log, batch: &mut Batch<Fact>| {
        if log.text.is_empty() {
            return;
        }
        let file = unused_name(&mut names, &log.name);
        batch.logs.push(LogNote {
            file: file.clone(),
            source: log.source,
            lines: log.text.split(|&b| b == b'\n').filter(|line| !line.is_empty()).count(),
            truncated: log.truncated,
        });
        batch.entries.push(Entry::File { path: file.into_bytes(), data: log.text, secrets: Secrets::Lines });
        hand_over(std::mem::replace(batch, Batch::new()));
    };
    for path in &context.options.logs {
        files::given(path, &mut batch).into_iter().for_each(|log| add(log, &mut batch));
    }
    let has_journal = journal::read(context, &mut batch, &mut add);
    files::standard(context, has_journal, &mut batch, &mut add);
    batch
}

/// `logs/NAME.log`, with a number when another log has that name.
fn unused_name(names: &mut BTreeSet<String>, name: &str) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let stem: String = name.trim_start_matches('.').chars().map(fit).take(80).collect();
    let stem = stem.strip_suffix(".gz").unwrap_or(&stem);
    let stem = stem.strip_suffix(".log").unwrap_or(stem);
    let stem = if stem.is_empty() { "log" } else { stem };
    let mut file = format!("logs/{stem}.log");
    let mut number = 2;
    while !names.insert(file.clone()) {
        file = format!("logs/{stem}-{number}.log");
        number += 1;
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_unique() {
        let mut names = BTreeSet::new();
        assert_eq!(unused_name(&mut names, "docker.log"), "logs/docker.log");
        assert_eq!(unused_name(&mut names, "docker.log.gz"), "logs/docker-2.log");
        assert_eq!(unused_name(&mut names, "../a b\n"), "logs/_a_b_.log");
        assert_eq!(unused_name(&mut names, "..."), "logs/log.log");
    }
}
