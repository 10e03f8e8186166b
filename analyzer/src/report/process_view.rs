//! A process as reports show it.

use super::ProcessView;
use crate::bytes::visible;
use crate::parse::process_files::cmdline;
use crate::snapshot::{Pid, Snapshot};

/// A command line is cut for the report after so many characters.
const CMDLINE_LIMIT: usize = 400;

/// A process as the report shows it.
pub(crate) fn process_view(snapshot: &Snapshot, pid: Pid) -> Option<ProcessView> {
    let process = snapshot.processes.get(&pid)?;
    let words: Vec<String> = cmdline(&process.cmdline).into_iter().map(visible).collect();
    let mut line = words.join(" ");
    if let Some((cut, _)) = line.char_indices().nth(CMDLINE_LIMIT) {
        line.truncate(cut);
        line.push('…');
    }
    Some(ProcessView {
        pid: pid.0,
        comm: process.name(),
        cmdline: line,
        state: process.state,
        started_at: snapshot.started_at(process),
    })
}
