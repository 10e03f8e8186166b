//! LXD, LXC and Incus keep namespaces of their own: lxcfs, the container's monitor, and the snap's namespace below
//! `/run/snapd/ns` (lxd#4656, lxd#6815, lxd#11168, lxd-pkg-snap#61).

use super::{Case, Finding, remedy, unmount};
use crate::report::HolderKind;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if !matches!(case.holder.kind, HolderKind::SystemdUnit | HolderKind::Unshared | HolderKind::Daemon)
        || case.holder.is_daemons
    {
        return None;
    }
    let keeper = case.holder.pids.iter().filter_map(|p| Some((p.0, case.snapshot.processes.get(p)?))).find(
        |(_, p)| {
            matches!(&p.comm[..], b"lxcfs" | b"lxd" | b"incusd" | b"lxc-monitord")
                || p.cmdline.starts_with(b"[lxc monitor]")
        },
    );
    let (pid, process) = keeper?;
    let mut remedies: Vec<_> =
        unmount::remove_mount_point(case).into_iter().chain(unmount::inside(case)).collect();
    remedies.push(remedy::lasting(
        String::new(),
        "Upgrade LXD or Incus: newer ones follow the host's umounts. For the snap, `nsenter --mount=/run/snapd/ns/lxd.mnt` leads into its namespace.",
        "Restarting lxcfs breaks the /proc view of running containers; prefer the umount.",
    ));
    Some(Finding {
        id: "lxd-namespace",
        summary: format!(
            "{} (pid {pid}) of LXD lives in a mount namespace of its own that has a copy of the mount.",
            process.name()
        ),
        remedies,
    })
}
