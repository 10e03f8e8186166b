//! Holders of one target at two times.

use super::{HolderChange, count};
use crate::order;
use crate::report::{Effect, Holder, HolderKind, ProcessView, Report, Status};
use crate::resolve::short;
use crate::timeline::clock;

/// The boot time is rounded to a second at each reading, and with it every start time.
const START_TOLERANCE: u64 = 2;

#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) gone: Vec<HolderChange>,
    pub(super) new: Vec<HolderChange>,
    pub(super) still: Vec<HolderChange>,
}

/// Whether two sets of processes have one in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Same {
    /// One has the same pid and the same start.
    Yes,
    /// A pid is the same and no start tells more.
    Perhaps,
    /// None is the same, or a pid was given to another process.
    No,
    /// One side has no processes.
    NoProcess,
}

/// By pid and start; a pid whose start differs is another process.
pub(super) fn same_processes(a: &[&ProcessView], b: &[&ProcessView]) -> Same {
    if a.is_empty() || b.is_empty() {
        return Same::NoProcess;
    }
    let mut perhaps = false;
    for (one, other) in a.iter().flat_map(|one| b.iter().map(move |other| (one, other))) {
        if one.pid != other.pid {
            continue;
        }
        let seconds = |p: &ProcessView| p.started_at.as_deref().and_then(clock::instant).map(|m| m.seconds);
        match (seconds(one), seconds(other)) {
            (Some(x), Some(y)) if x.abs_diff(y) <= START_TOLERANCE => return Same::Yes,
            (Some(_), Some(_)) => {}
            _ => perhaps |= one.comm == other.comm,
        }
    }
    if perhaps { Same::Perhaps } else { Same::No }
}

fn processes(holder: &Holder) -> Vec<&ProcessView> {
    holder.process.iter().chain(&holder.more_processes).collect()
}

/// What a holder is apart from its processes.
fn same_place(a: &Holder, b: &Holder) -> bool {
    let container = |h: &Holder| h.container.as_ref().map(|c| c.id.clone());
    a.mount_namespace == b.mount_namespace && a.unit == b.unit && container(a) == container(b)
}

/// A mount keeps its id as long as it is there (mount ids are unique over all namespaces, but are given again).
fn same_mounts(a: &Holder, b: &Holder) -> bool {
    let shared =
        |m: &&crate::report::MountView| b.mounts.iter().any(|o| o.id == m.id && o.device == m.device);
    a.mounts.is_empty() && b.mounts.is_empty() || a.mounts.iter().any(|m| shared(&m))
}

fn is_same(a: &Holder, b: &Holder) -> bool {
    match same_processes(&processes(a), &processes(b)) {
        // Open files of one process are another thing than its namespace's mounts.
        Same::Yes => a.kind == b.kind && a.mount_namespace == b.mount_namespace,
        Same::Perhaps => a.kind == b.kind && same_place(a, b),
        Same::No => false,
        Same::NoProcess => {
            processes(a).is_empty() == processes(b).is_empty()
                && a.kind == b.kind
                && same_place(a, b)
                && same_mounts(a, b)
        }
    }
}

/// The unit, where it is one program: a login session's scope has many.
fn service(holder: &Holder) -> Option<&str> {
    holder.unit.as_deref().filter(|unit| unit.ends_with(".service"))
}

/// Whether a holder is one that a removal has to do with. While the container runs, its own processes and the
/// runtime's own mount are no leak.
fn counts(report: &Report, holder: &Holder) -> bool {
    let target = &report.target;
    let is_own = target.container_id.is_some()
        && holder.container.as_ref().map(|c| &c.id) == target.container_id.as_ref();
    let is_running = target.state.as_deref() == Some("running");
    let is_runtimes = matches!(holder.kind, HolderKind::Host | HolderKind::Daemon);
    holder.effect != Effect::Unrelated && !(is_running && (is_own || is_runtimes))
}

/// The same service or container with other processes.
fn is_successor(a: &Holder, b: &Holder) -> bool {
    let by_unit = service(a).is_some() && service(a) == service(b) && a.kind == b.kind;
    let by_name = |h: &Holder| h.container.as_ref().and_then(|c| c.name.clone());
    by_unit || (by_name(a).is_some() && by_name(a) == by_name(b))
}

/// After a restart nothing is the same any more, whatever its numbers.
pub(super) fn compare(a: &Report, b: &Report, restarted: bool) -> Changes {
    let a: Vec<&Holder> = a.holders.iter().filter(|h| counts(a, h)).collect();
    let b: Vec<&Holder> = b.holders.iter().filter(|h| counts(b, h)).collect();
    let mut changes = Changes::default();
    let mut matched = vec![false; b.len()];
    let mut gone: Vec<&Holder> = Vec::new();
    for before in &a {
        let partner = (0..b.len()).find(|i| !restarted && !matched[*i] && is_same(before, b[*i]));
        match partner {
            Some(i) => {
                matched[i] = true;
                changes.still.push(change(
                    b[i],
                    Some(before.effect),
                    Some(b[i].effect),
                    still_note(before, b[i]),
                ));
            }
            None => gone.push(before),
        }
    }
    let new: Vec<&Holder> = (0..b.len()).filter(|i| !matched[*i]).map(|i| b[i]).collect();
    for before in &gone {
        let note = match new.iter().find(|after| is_successor(before, after)) {
            Some(after) => format!("It was restarted, and holds it again as {}.", process_name(after)),
            None => String::new(),
        };
        changes.gone.push(change(before, Some(before.effect), None, note));
    }
    for after in &new {
        let reused = || a.iter().any(|before| reuses_a_pid(before, after));
        let note = match gone.iter().find(|before| is_successor(before, after)) {
            Some(before) => format!(
                "It held it before, as {}: it was restarted in between and took the mount along again.",
                process_name(before)
            ),
            None if reused() => {
                "Its pid is the same as before, its start is not: another process.".to_owned()
            }
            None => String::new(),
        };
        changes.new.push(change(after, None, Some(after.effect), note));
    }
    for list in [&mut changes.gone, &mut changes.new, &mut changes.still] {
        order::sort_by(list, |x, y| {
            let key = |c: &HolderChange| (c.after.or(c.before), c.label.clone(), c.mount_namespace, c.pid);
            key(x).cmp(&key(y))
        });
    }
    changes
}

fn reuses_a_pid(a: &Holder, b: &Holder) -> bool {
    let pids: Vec<u32> = processes(a).iter().map(|p| p.pid).collect();
    processes(b).iter().any(|p| pids.contains(&p.pid)) && !is_same(a, b)
}

fn still_note(a: &Holder, b: &Holder) -> String {
    if same_processes(&processes(a), &processes(b)) == Same::Perhaps {
        return "Told by pid and name only: a bundle does not tell when its processes started.".to_owned();
    }
    match (a.effect, b.effect) {
        (Effect::Holding, Effect::Blocking) => "It did not block before; now it does.".to_owned(),
        (Effect::Blocking, Effect::Holding) => "It blocked before; now it only holds.".to_owned(),
        _ => String::new(),
    }
}

fn process_name(holder: &Holder) -> String {
    match &holder.process {
        Some(process) => format!("{} ({})", process.comm, process.pid),
        None => "a namespace without a process".to_owned(),
    }
}

fn label(holder: &Holder) -> String {
    match (&holder.container, service(holder), holder.kind) {
        (Some(container), _, _) => {
            format!("container {}", container.name.as_deref().unwrap_or(short(&container.id)))
        }
        (_, Some(unit), _) => unit.to_owned(),
        (_, _, HolderKind::Host) => "the host's own mount namespace".to_owned(),
        (_, _, HolderKind::Pinned) => match holder.mount_namespace {
            Some(inode) => format!("mount namespace {inode} without a process"),
            None => "a mount namespace without a process".to_owned(),
        },
        _ => match &holder.process {
            Some(_) => process_name(holder),
            None => crate::report::text::kind_name(holder.kind).to_owned(),
        },
    }
}

fn change(holder: &Holder, before: Option<Effect>, after: Option<Effect>, note: String) -> HolderChange {
    HolderChange {
        label: label(holder),
        kind: holder.kind,
        before,
        after,
        mount_namespace: holder.mount_namespace,
        unit: holder.unit.clone(),
        container: holder.container.as_ref().map(|c| c.id.clone()),
        pid: holder.process.as_ref().map(|p| p.pid),
        started_at: holder.process.as_ref().and_then(|p| p.started_at.clone()),
        note,
        evidence: holder.evidence.iter().take(4).cloned().collect(),
    }
}

/// Race or leak, in a sentence. A holder that does not block is no reason for an error, but is still named.
pub(super) fn summary(
    changes: &Changes,
    a: &Report,
    b: &Report,
    target: Option<&str>,
    was_restarted: bool,
) -> String {
    let Some(target) = target else {
        return format!("Neither bundle knows what was asked for: {}.", b.target.query);
    };
    if !b.target.found {
        let target = capital(target);
        return match a.target.container_id {
            // Its container may stand in the part that is missing.
            Some(_) if !b.bundle.complete => {
                format!("{target} is in the first bundle, and not in what could be read of the second.")
            }
            Some(_) => format!("{target} is in the first bundle only: it was removed in between."),
            // An error's line or path may be all that the first bundle knew of it.
            None => format!("The second bundle knows nothing of what was asked for: {target}."),
        };
    }
    let names = |list: &[HolderChange]| {
        let mut names: Vec<&str> = list.iter().map(|c| c.label.as_str()).collect();
        names.dedup();
        match names.len() {
            0..=3 => names.join(", "),
            n => format!("{} and {} more", names[..3].join(", "), n - 3),
        }
    };
    let still_blocks = changes.still.iter().any(|c| c.after == Some(Effect::Blocking));
    let restarted = changes.new.iter().filter(|c| c.note.starts_with("It held it before")).count();
    let rest = |gone: bool, new: bool| {
        let mut rest = String::new();
        if gone && !changes.gone.is_empty() {
            rest.push_str(&format!(" Gone: {}.", names(&changes.gone)));
        }
        if new && !changes.new.is_empty() {
            rest.push_str(&format!(" New: {}.", names(&changes.new)));
        }
        rest
    };
    if was_restarted && b.verdict.status != Status::Unknown {
        return match (changes.gone.is_empty(), changes.new.is_empty()) {
            (true, true) => {
                format!("Nothing holds {target} in either bundle; the host was restarted in between.")
            }
            (false, true) => format!(
                "The host was restarted in between, which ended what held {target} ({}): that tells neither race nor leak.",
                names(&changes.gone)
            ),
            (_, false) => format!(
                "{} took hold of {target} since the host was restarted: it comes back by itself.{}",
                capital(&names(&changes.new)),
                rest(true, false)
            ),
        };
    }
    match (changes.still.is_empty(), changes.gone.is_empty(), changes.new.is_empty()) {
        (true, true, true) if b.verdict.status == Status::Free && a.verdict.status == Status::Free => {
            format!("Nothing holds {target} in either bundle.")
        }
        (true, true, true) => format!("No holder of {target} is in either bundle."),
        (false, _, _) => {
            let what = if still_blocks { "a leak, not a race" } else { "a leak, though none of them blocks" };
            format!(
                "{} held {target} at both times: {what}.{}",
                capital(&names(&changes.still)),
                rest(true, true)
            )
        }
        (true, false, true) => match b.verdict.status {
            Status::Unknown => format!(
                "{} no longer held by {}, but the second bundle cannot tell whether anything else does.",
                is_are(target),
                names(&changes.gone)
            ),
            _ => format!(
                "What held {target} is gone by itself ({}): it was a race, not a leak. Try the removal again.",
                names(&changes.gone)
            ),
        },
        (true, true, false) => {
            format!("{} took hold of {target} in between; nothing did before.", capital(&names(&changes.new)))
        }
        (true, false, false) if restarted > 0 => format!(
            "{} holds {target} again after a restart: it takes the mount along each time it starts.{}",
            capital(&names(&changes.new)),
            rest(true, false)
        ),
        (true, false, false) => {
            format!(
                "{} held {target} at first, {} later: something new takes hold of it each time.",
                capital(&names(&changes.gone)),
                count(changes.new.len(), "other holder does", "other holders do"),
            ) + &rest(false, true)
        }
    }
}

fn is_are(target: &str) -> String {
    format!("{} is", capital(target))
}

fn capital(text: &str) -> String {
    // Units and programs keep the case in which they are typed.
    match text.strip_prefix("container ").map(|rest| format!("Container {rest}")) {
        Some(text) => text,
        None => text.strip_prefix("the ").map_or_else(|| text.to_owned(), |rest| format!("The {rest}")),
    }
}
