//! Programs that look at every block device: LVM, multipath, udev's workers, blkid, udisks. They open the device for
//! a moment, mostly right after it changed (moby#11286, moby commit 36cb6efebc, openzfs#10185); some keep it open.

use super::{Case, Finding, remedy};
use crate::report::HolderKind;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if case.holder.kind != HolderKind::OpenFile {
        return None;
    }
    let is_node = |path: &str| path.starts_with("/dev/");
    if case.holder.open_files.is_empty() || !case.holder.open_files.iter().all(|f| is_node(&f.path)) {
        return None;
    }
    let all = || case.holder.pids.iter().filter_map(|p| Some((p.0, case.snapshot.processes.get(p)?)));
    let scanner = |(_, p): &(u32, &crate::snapshot::Process)| kind_of(&p.comm).or(kind_of(p.executable()));
    let kinds: Option<Vec<Kind>> = all().map(|p| scanner(&p)).collect();
    let kind = kinds?.into_iter().max()?;
    let (pid, process) = all().next()?;
    let who = format!("{} (pid {pid})", process.name());
    let node = case.holder.open_files.first().map(|f| f.path.clone()).unwrap_or_default();
    let (what, lasting) = match kind {
        Kind::Passing => (
            format!(
                "{who} looks at {node}, as it does with every new or changed block device: that takes a moment."
            ),
            "Keep scanners off the containers' devices: in /etc/lvm/lvm.conf `global_filter = [ \"r|/dev/mapper/docker-.*|\", \"r|/dev/zd.*|\", \"r|/dev/rbd.*|\" ]`, and for udev a rule with `OPTIONS:=\"nowatch\"`.",
        ),
        Kind::Multipath => (
            format!("{who} has taken {node} for a path of a multipath device and keeps it open."),
            "Blacklist the containers' devices in /etc/multipath.conf (`blacklist { devnode \"^(dm-|zd|rbd|loop)[0-9]*\" }`), then `systemctl reload multipathd`.",
        ),
        Kind::Keeper => (
            format!("{who} watches block devices and keeps {node} open."),
            "Exclude the containers' devices in its configuration.",
        ),
    };
    let mut remedies = vec![remedy::now(
        "udevadm settle --timeout=30".to_owned(),
        "Waits until udev's workers are done with all devices; then try again.",
        "None.",
    )];
    if kind != Kind::Passing {
        remedies.extend(remedy::restart(case));
    }
    remedies.push(remedy::lasting(
        String::new(),
        lasting,
        "Tools then no longer see what is on those devices.",
    ));
    Some(Finding { id: "device-scanner", summary: what, remedies })
}

/// How long such a program keeps a device.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Passing,
    Keeper,
    Multipath,
}

fn kind_of(name: &[u8]) -> Option<Kind> {
    match name {
        b"lvm" | b"pvscan" | b"vgscan" | b"lvscan" | b"vgs" | b"lvs" | b"pvs" | b"vgchange" | b"lvchange"
        | b"blkid" | b"lsblk" | b"dmsetup" | b"mdadm" | b"kpartx" | b"partprobe" | b"systemd-udevd"
        | b"(udev-worker)" | b"udev-worker" | b"udevd" | b"fsck" => Some(Kind::Passing),
        b"multipathd" | b"multipath" => Some(Kind::Multipath),
        b"lvmetad" | b"dmeventd" | b"udisksd" | b"udisks-daemon" | b"smartd" | b"blkmapd" => {
            Some(Kind::Keeper)
        }
        _ => None,
    }
}
