//! `grep -l ID /proc/*/mountinfo` prints only whose tables have it: processes that are known to hold, without a line
//! of a mount. What was looked for is in the command, or in the error beside it.

use super::line;
use crate::errors;
use crate::errors::BusyError;
use crate::snapshot::Pid;

/// Shorter patterns are no ids.
const SHORTEST: usize = 4;

/// A process that some listing names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) pid: Pid,
    /// Its line, from 0.
    pub(super) index: usize,
    pub(super) text: Vec<u8>,
    /// What was looked for, where a command tells.
    pub(super) pattern: Option<Vec<u8>>,
}

/// What a process named so has mounted: a path or an id, as the target is known by. `None` where nothing tells.
pub(super) fn object(errors: &[BusyError], pattern: Option<&[u8]>) -> Option<Vec<u8>> {
    let Some(pattern) = pattern else {
        // Without the command only one failure leaves no doubt.
        let failures = errors::failures::group(errors.to_vec());
        return match &failures[..] {
            [one] => of_error(one),
            _ => None,
        };
    };
    if pattern.len() < SHORTEST {
        return None;
    }
    if pattern.starts_with(b"/") {
        return Some(pattern.to_vec());
    }
    let text = std::str::from_utf8(pattern).ok()?;
    if let Some(error) = errors.iter().find(|e| ids(e).any(|id| id.starts_with(text))) {
        let in_path = error.path.as_ref().filter(|p| p.split('/').any(|c| c.starts_with(text)));
        let id = || ids(error).filter(|id| id.starts_with(text)).max_by_key(|id| id.len());
        return in_path.map(String::as_str).or_else(id).map(|o| o.as_bytes().to_vec());
    }
    line::is_id(pattern).then(|| pattern.to_vec())
}

/// Path before layer before container: a container's id is seldom in a mount.
fn of_error(error: &BusyError) -> Option<Vec<u8>> {
    let path = error.all().find_map(|e| e.path.as_ref());
    let device = || error.all().find_map(|e| e.device.as_ref());
    let layer = || error.all().flat_map(|e| &e.other_ids).find(|id| id.len() == 64);
    let found = path.or_else(device).or_else(layer).or(error.container_id.as_ref())?;
    Some(found.as_bytes().to_vec())
}

fn ids(error: &BusyError) -> impl Iterator<Item = &str> {
    let placed = error.path.iter().chain(&error.device).flat_map(|o| o.split(['/', '-']));
    let named = error.container_id.iter().chain(&error.other_ids).map(String::as_str);
    placed.chain(named).filter(|id| line::is_id(id.as_bytes()))
}
