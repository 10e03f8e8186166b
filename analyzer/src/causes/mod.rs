//! Holder → cause and remedies. One rule a file: what it needs, what proves it, what to do. The first rule
//! that proves itself names the cause; a holder that none fits has no cause, and "unknown" is an answer.

mod cgroup_members;
mod container_running;
mod container_shm;
mod daemon_namespaces;
mod docker_upgrade;
mod entered_container;
mod host_bind;
mod leftover_mount;
mod lxd;
mod more_of_paste;
mod nfs_silly_rename;
mod old_kernel;
mod open_reference;
mod overlay_in_use;
mod pinned_namespace;
mod plugin_directory;
mod remedy;
mod retry;
mod runc_self_bind;
mod stacked_device;
mod storage_on_mount_point;
mod systemd_namespace;
mod unshared_copy;
mod virtual_machine;

use crate::holders::Found;
use crate::order;
use crate::report::{Cause, Effect, Remedy};
use crate::resolve::Target;
use crate::snapshot::Snapshot;

pub use retry::next_steps;

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
const RULES: [Rule; 20] = [
    cgroup_members::check,
    container_running::check,
    overlay_in_use::check,
    virtual_machine::check,
    nfs_silly_rename::check,
    open_reference::check,
    stacked_device::check,
    pinned_namespace::check,
    daemon_namespaces::check,
    lxd::check,
    entered_container::check,
    systemd_namespace::check,
    container_shm::check,
    host_bind::check,
    plugin_directory::check,
    runc_self_bind::check,
    storage_on_mount_point::check,
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
    remedies.extend(docker_upgrade::lasting(&case));
    remedies.dedup_by(|a, b| a.command == b.command && a.effect == b.effect);
    order::sort_by_key(&mut remedies, |r| r.when);
    if holder.effect == Effect::Unrelated {
        remedies.clear();
    }
    (cause, remedies)
}
