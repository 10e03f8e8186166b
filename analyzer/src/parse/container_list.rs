//! `docker ps`, `podman ps` and `crictl ps`: short ids, names and states, where a support archive has no more.
//!
//! ```
//! use ebusy_analyzer::parse::container_list;
//!
//! let text = b"CONTAINER ID   IMAGE     COMMAND   CREATED       STATUS         PORTS     NAMES
//! f18f43d2bdf7   httpd     \"httpd\"   2 hours ago   Up 2 hours               shop
//! ";
//! let rows = container_list::parse(text);
//! assert_eq!(rows[0].record.id, "f18f43d2bdf7");
//! assert_eq!(rows[0].record.name.as_deref(), Some("shop"));
//! ```

use super::runtime_state::ContainerRecord;
use super::{numbered_lines, words};

/// A row, with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it tells; the id may be short.
    pub record: ContainerRecord,
    /// Line, from 1.
    pub line: u32,
}

/// The rows; empty for any other text.
pub fn parse(text: &[u8]) -> Vec<Row> {
    let mut lines = numbered_lines(text);
    let Some((_, header)) = lines.next() else { return Vec::new() };
    let columns: Vec<&[u8]> = words(header).collect();
    let row: fn(&[u8]) -> Option<ContainerRecord> = match columns[..] {
        [b"CONTAINER", b"ID", b"IMAGE", .., b"NAMES"] => docker_row,
        // `POD ID` and, newer, `POD` follow.
        [b"CONTAINER", ..] if columns.windows(3).any(|w| w == [&b"STATE"[..], b"NAME", b"ATTEMPT"]) => {
            crictl_row
        }
        _ if is_pods(&columns) => pod_row,
        _ if is_tasks(&columns) => task_row,
        [b"CONTAINER", b"IMAGE", b"RUNTIME"] => ctr_row,
        _ => return Vec::new(),
    };
    lines.filter_map(|(line, text)| Some(Row { record: row(text)?, line })).collect()
}

/// Words of the STATUS column with the state that they stand for (moby `container/state.go`).
const STATES: [(&str, &str); 7] = [
    (" Up ", "running"),
    (" Exited (", "exited"),
    (" Created ", "created"),
    (" Dead ", "dead"),
    (" Removal In Progress ", "removing"),
    (" Removing ", "removing"),
    (" Restarting (", "restarting"),
];

fn docker_row(line: &[u8]) -> Option<ContainerRecord> {
    let cells: Vec<&[u8]> = words(line).collect();
    let [id, image, .., name] = cells[..] else { return None };
    let has = |mark: &str| memchr::memmem::find(line, mark.as_bytes()).is_some();
    let state = STATES.iter().find(|(mark, _)| has(mark)).map(|(_, state)| (*state).to_owned());
    record(id, image, name, if has(" (Paused)") { Some("paused".into()) } else { state })
}

fn crictl_row(line: &[u8]) -> Option<ContainerRecord> {
    let cells: Vec<&[u8]> = words(line).collect();
    let at = cells.iter().position(|c| matches!(*c, b"Running" | b"Exited" | b"Created" | b"Unknown"))?;
    let state = text(cells.get(at)?)?.to_ascii_lowercase();
    let mut found = record(cells.first()?, cells.get(1)?, cells.get(at + 1)?, Some(state))?;
    found.sandbox = cells.get(at + 3).and_then(|c| text(c));
    Some(found)
}

/// Whether a table's header is that of `crictl pods`.
pub(crate) fn is_pods(columns: &[&[u8]]) -> bool {
    columns.starts_with(&[b"POD", b"ID", b"CREATED", b"STATE", b"NAME"])
}

/// Whether a table's header is that of `ctr tasks ls`.
pub(crate) fn is_tasks(columns: &[&[u8]]) -> bool {
    columns == [&b"TASK"[..], b"PID", b"STATUS"]
}

/// A pod is its sandbox: a container that keeps the pod's namespaces.
fn pod_row(line: &[u8]) -> Option<ContainerRecord> {
    let cells: Vec<&[u8]> = words(line).collect();
    let at = cells.iter().position(|c| matches!(*c, b"Ready" | b"NotReady"))?;
    let name = cells.get(at + 1)?;
    let mut found = record(cells.first()?, b"", name, Some(text(cells.get(at)?)?.to_ascii_lowercase()))?;
    found.pod = text(name);
    Some(found)
}

fn task_row(line: &[u8]) -> Option<ContainerRecord> {
    let cells: Vec<&[u8]> = words(line).collect();
    let [id, pid, state] = cells[..] else { return None };
    let mut found = record(id, b"", b"", Some(text(state)?.to_ascii_lowercase()))?;
    found.pid = super::whole_number(pid);
    Some(found)
}

fn ctr_row(line: &[u8]) -> Option<ContainerRecord> {
    let cells: Vec<&[u8]> = words(line).collect();
    record(cells.first()?, cells.get(1)?, b"", None)
}

fn record(id: &[u8], image: &[u8], name: &[u8], state: Option<String>) -> Option<ContainerRecord> {
    let id = text(id).filter(|id| id.len() >= 12 && id.bytes().all(|b| b.is_ascii_hexdigit()))?;
    Some(ContainerRecord { id, image: text(image), name: text(name), state, ..ContainerRecord::default() })
}

fn text(word: &[u8]) -> Option<String> {
    std::str::from_utf8(word).ok().filter(|w| !w.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_states_of_docker_and_crictl() {
        let rows = parse(
            b"CONTAINER ID   IMAGE   COMMAND   CREATED   STATUS   PORTS   NAMES\n\
              ac0512ab34cd   nginx   \"nginx -g\"  2 days ago  Up 2 days  80/tcp  web\n\
              bc0512ab34cd   nginx   \"nginx -g\"  2 days ago  Removal In Progress   old\n",
        );
        let of = |i: usize| (rows[i].record.name.as_deref(), rows[i].record.state.as_deref());
        assert_eq!(of(0), (Some("web"), Some("running")));
        assert_eq!(of(1), (Some("old"), Some("removing")));
        let rows = parse(
            b"CONTAINER IMAGE CREATED STATE NAME ATTEMPT POD ID POD\n\
              ac0512ab34cd5 9e1 3 hours ago Running api 0 77aa88bb99cc0 api-1\n",
        );
        assert_eq!(rows[0].record.name.as_deref(), Some("api"));
        assert_eq!(rows[0].record.sandbox.as_deref(), Some("77aa88bb99cc0"));
        let pods = parse(b"POD ID CREATED STATE NAME NAMESPACE ATTEMPT RUNTIME\n77aa88bb99cc0 2 days ago NotReady api-1 shop 0 (default)\n");
        assert_eq!(
            (pods[0].record.pod.as_deref(), pods[0].record.state.as_deref()),
            (Some("api-1"), Some("notready"))
        );
        let tasks = parse(b"TASK PID STATUS\nac0512ab34cd5ac0512ab34cd5 4242 RUNNING\n");
        assert_eq!((tasks[0].record.pid, tasks[0].record.name.as_deref()), (Some(4242), None));
        assert!(parse(b"hello\n").is_empty());
    }
}
