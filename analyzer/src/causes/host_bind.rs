//! A container that sees the host's file system: `/`, `/var/lib/docker` or `/run` bound into it without `rslave`,
//! as monitoring and log agents do (cadvisor#771, node_exporter#602, moby#34198, moby#22260).

use super::{Case, Finding, remedy, unmount, versions};
use crate::bytes::{position_of_any, visible};
use crate::report::{HolderKind, MountView};
use crate::resolve::short;
use crate::snapshot::MountId;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if case.holder.kind != HolderKind::Container || case.holder.is_target {
        return None;
    }
    let container = case.holder.container.as_ref()?;
    let mount = case.holder.mounts.iter().find(|m| m.mount_point != "/")?;
    let name = container.name.clone().unwrap_or_else(|| short(&container.id).to_owned());
    let below = bound_at(case, mount);
    let private = mount.master.is_none();
    let how = if private {
        "its copy receives no umount from the host (no master: tag)"
    } else {
        "its copy is a slave, but was made after the host's mount had left that peer group"
    };
    let summary = format!(
        "Container {name} sees the host's files below {below}. The bind took a copy of every mount there, this one among them, and {how}.",
    );
    let mut remedies: Vec<_> = unmount::remove_mount_point(case).into_iter().collect();
    remedies.extend(remedy::restart_container(case));
    remedies.extend(unmount::inside(case));
    let by_itself = match versions::docker(case) {
        Some(own) if own >= (18, 3) => {
            " This docker does so by itself for what lies above its own root, unless another mode is asked for."
        }
        _ => " docker 18.03 and newer do so by themselves for anything above the docker root (moby#36055).",
    };
    remedies.push(remedy::lasting(
        String::new(),
        format!("Bind the host's files into {name} with `:ro,rslave` (docker: `-v /:/rootfs:ro,rslave`; Kubernetes: `mountPropagation: HostToContainer`), so that umounts reach it. Or bind only what it needs.{by_itself}"),
        "The container must be made anew.",
    ));
    Some(Finding { id: "host-bind-without-rslave", summary, remedies })
}

/// Where the container has the host's files: `/rootfs` of `/rootfs/var/lib/docker/…`, or the mount that the copy
/// is on where the path is the host's own.
fn bound_at(case: &Case<'_>, mount: &MountView) -> String {
    let at = position_of_any(mount.mount_point.as_bytes(), &[b"/var/lib/", b"/run/", b"/var/run/"]);
    if let Some(prefix) = at.filter(|at| *at > 0).and_then(|at| mount.mount_point.get(..at)) {
        return prefix.to_owned();
    }
    let parent = case.holder.namespace.and_then(|key| case.snapshot.parent_of(key, MountId(mount.id)));
    parent.map_or_else(|| mount.mount_point.clone(), |(_, _, parent)| visible(&parent.mount_point()))
}
