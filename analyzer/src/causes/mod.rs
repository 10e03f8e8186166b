//! Holder → cause and remedies. One rule a file: what it needs, what proves it, what to do. The first rule
//! that proves itself names the cause; a holder that none fits has no cause, and "unknown" is an answer.

mod container_running;
mod container_shm;
mod daemon_namespaces;
mod entered_container;
mod host_bind;
mod leftover_mount;
mod more_of_paste;
mod old_kernel;
mod open_reference;
mod pinned_namespace;
mod remedy;
mod retry;
mod stacked_device;
mod systemd_namespace;
mod unshared_copy;

use crate::holders::Found;
use crate::report::{Cause, Effect, Remedy};
use crate::resolve::Target;
use crate::snapshot::Snapshot;

pub(crate) use daemon_namespaces::is_runtime_process;
pub(crate) use retry::holder_name;
pub use retry::next_steps;
pub(crate) use systemd_namespace::marks as systemd_marks;

/// What a rule looks at.
pub(crate) struct Case<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) target: &'a Target,
    pub(crate) holder: &'a Found,
}

/// What a rule says.
pub(crate) struct Finding {
    /// Stable name.
    pub(crate) id: &'static str,
    /// About this very holder.
    pub(crate) summary: String,
    /// The gentlest first.
    pub(crate) remedies: Vec<Remedy>,
}

type Rule = fn(&Case<'_>) -> Option<Finding>;

/// The most specific first. To add a cause, add a file and a line here.
const RULES: [Rule; 12] = [
    container_running::check,
    open_reference::check,
    stacked_device::check,
    pinned_namespace::check,
    daemon_namespaces::check,
    entered_container::check,
    systemd_namespace::check,
    container_shm::check,
    host_bind::check,
    leftover_mount::check,
    unshared_copy::check,
    old_kernel::check,
];

/// Names the cause of a holder and what to do about it.
pub fn explain(snapshot: &Snapshot, target: &Target, holder: &Found) -> (Option<Cause>, Vec<Remedy>) {
    let case = Case { snapshot, target, holder };
    let finding = RULES.iter().find_map(|rule| rule(&case));
    let (cause, mut remedies) = match finding {
        Some(f) => (Some(Cause { id: f.id.to_owned(), summary: f.summary }), f.remedies),
        None => (None, remedy::for_any_holder(&case)),
    };
    // What is true of the kernel holds beside every other cause.
    remedies.extend(old_kernel::lasting(&case));
    remedies.dedup_by(|a, b| a.command == b.command && a.effect == b.effect);
    remedies.sort_by_key(|r| r.when);
    if holder.effect == Effect::Unrelated {
        remedies.clear();
    }
    (cause, remedies)
}
