//! A volume that was attached for a pod (rbd, iSCSI, CSI, a cloud disk) and is still mounted in a namespace where
//! nobody unmounts it, mostly a monitoring agent's `/rootfs`: it cannot be detached (kubernetes#54214,
//! kubernetes#104785, rook#7787).

use super::{Case, Finding, remedy, unmount};
use crate::bytes::{components, shell_quote};
use crate::report::{BusyKind, HolderKind, MountView};

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if case.holder.is_daemons
        || case.holder.is_target
        || matches!(case.holder.kind, HolderKind::Host | HolderKind::OpenFile | HolderKind::Device)
        || !matches!(case.target.busy, BusyKind::Device | BusyKind::Directory | BusyKind::Umount)
    {
        return None;
    }
    let mount = case.holder.mounts.iter().find(|m| is_volume(m))?;
    let who = case.holder.name(case.snapshot);
    let rbd = mount.source.strip_prefix("/dev/rbd").is_some();
    let mut remedies: Vec<_> =
        unmount::remove_mount_point(case).into_iter().chain(remedy::restart(case)).collect();
    remedies.extend(unmount::inside(case));
    if rbd {
        remedies.push(remedy::now(
            format!("rbd unmap {}", shell_quote(mount.source.as_bytes())),
            "Detaches the image, once the copy is gone.",
            "Do not use `-o force` while anything has it mounted: what was not written is lost.",
        ));
    }
    remedies.push(remedy::lasting(
        String::new(),
        "Bind the host's files into agents with `mountPropagation: HostToContainer` (docker: `:rslave`), or leave /var/lib/kubelet out of the bind.",
        "The agent's pods must be made anew.",
    ));
    Some(Finding {
        id: "volume-in-foreign-namespace",
        summary: format!(
            "{who} has a copy of the volume {} at {}, which the kubelet's umount did not reach: the device stays open and cannot be detached.",
            mount.source, mount.mount_point
        ),
        remedies,
    })
}

/// A mount where kubelet or its CSI drivers put volumes, or of a device that only comes with one.
fn is_volume(mount: &MountView) -> bool {
    let parts: Vec<&[u8]> = components(mount.mount_point.as_bytes()).collect();
    let kubelets = parts
        .windows(2)
        .any(|w| matches!(w, [b"kubelet", b"pods" | b"plugins"]) || matches!(w, [_, b"globalmount"]));
    let is_block = !mount.device.starts_with("0:");
    (kubelets && is_block) || mount.source.starts_with("/dev/rbd")
}
