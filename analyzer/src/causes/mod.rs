//! Holder → cause and remedies. One rule a file: what it needs, what proves it, what to do. The first rule
//! that proves itself names the cause; a holder that none fits has no cause, and "unknown" is an answer. Conditions
//! are what let it come to that: they are named beside the cause, in their order.

mod archive_mounts;
mod attached_volume;
mod cgroup_members;
mod container_running;
mod container_shm;
mod daemon_in_host_namespace;
mod daemon_namespaces;
mod device_scanner;
mod docker_upgrade;
mod entered_container;
mod host_bind;
mod hung_server;
mod leftover_mount;
mod lxd;
mod more_of_paste;
mod namespace_file;
mod nfs_silly_rename;
mod old_kernel;
mod open_reference;
mod orphaned_pod;
mod overlay_in_use;
mod pinned_namespace;
mod plugin_directory;
mod remedy;
mod retry;
mod runc_self_bind;
mod security_agent;
mod shim_survivor;
mod stacked_device;
mod storage_on_mount_point;
mod storage_root;
mod systemd_namespace;
mod udevd;
mod unmount;
mod unshared_copy;
mod versions;
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
const RULES: [Rule; 31] = [
    cgroup_members::check,
    container_running::check,
    overlay_in_use::check,
    hung_server::check,
    virtual_machine::check,
    shim_survivor::check,
    device_scanner::check,
    security_agent::check,
    nfs_silly_rename::check,
    open_reference::check,
    stacked_device::check,
    pinned_namespace::check,
    namespace_file::check,
    daemon_namespaces::check,
    lxd::check,
    entered_container::check,
    udevd::check,
    attached_volume::check,
    systemd_namespace::check,
    container_shm::check,
    host_bind::check,
    plugin_directory::check,
    runc_self_bind::check,
    archive_mounts::check,
    orphaned_pod::check,
    storage_on_mount_point::check,
    leftover_mount::check,
    storage_root::check,
    unshared_copy::check,
    daemon_in_host_namespace::check,
    old_kernel::check,
];

/// What makes such holders possible on this host, whatever made this one.
const CONDITIONS: [Rule; 4] = [
    old_kernel::condition,
    daemon_in_host_namespace::condition,
    storage_root::condition,
    docker_upgrade::condition,
];

/// Names the causes of a holder, the nearest first, and what to do about them.
pub fn explain(snapshot: &Snapshot, target: &Target, holder: &Found) -> (Vec<Cause>, Vec<Remedy>) {
    let case = Case { snapshot, target, holder };
    let nearest = RULES.iter().find_map(|rule| rule(&case));
    let mut remedies = if nearest.is_none() { unmount::for_any_holder(&case) } else { Vec::new() };
    let mut causes: Vec<Cause> = Vec::new();
    // A condition explains a holder further, it does not say who it is.
    let conditions = CONDITIONS.iter().filter_map(|rule| rule(&case));
    let conditions: Vec<Finding> = if causes_nothing(holder) { Vec::new() } else { conditions.collect() };
    for finding in nearest.into_iter().chain(conditions) {
        remedies.extend(finding.remedies);
        if causes.iter().all(|known| known.id != finding.id) {
            causes.push(Cause { id: finding.id.to_owned(), summary: finding.summary });
        }
    }
    let mut seen: Vec<Remedy> = Vec::new();
    for remedy in remedies {
        if !seen.iter().any(|r| r.command == remedy.command && r.effect == remedy.effect) {
            seen.push(remedy);
        }
    }
    order::sort_by_key(&mut seen, |r| r.when);
    if holder.effect == Effect::Unrelated {
        seen.clear();
    }
    (causes, seen)
}

/// The runtime's own mounts and the container's own processes need no further explanation.
fn causes_nothing(holder: &Found) -> bool {
    holder.is_daemons || holder.is_target
}
