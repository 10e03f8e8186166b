//! A device on top of the target's: a loop device whose file is inside the root file system, an LV or dm device,
//! swap (moby#16380; LOOP_GET_STATUS64 tells where the file is after a lazy umount).

use super::{Case, Finding, remedy, unmount};
use crate::bytes::{shell_quote, visible};
use crate::report::{HolderKind, MountView};
use crate::snapshot::{BlockDevice, MountId};

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if case.holder.kind != HolderKind::Device {
        return None;
    }
    let device = case.holder.device.clone()?;
    let shown = visible(&device);
    if let Some(area) = device.strip_prefix(b"swap on ") {
        return Some(Finding {
            id: "swap-on-device",
            summary: format!("The kernel swaps to {}.", visible(area)),
            remedies: vec![remedy::now(
                format!("swapoff {}", shell_quote(area)),
                "Moves what is swapped out back to memory and closes the device.",
                "Needs as much free memory as is in use there.",
            )],
        });
    }
    let kernel_name = device.strip_prefix(b"/dev/").unwrap_or(&device);
    let record = case.snapshot.devices.get(kernel_name);
    let mut commands: Vec<String> = unmount_commands(case);
    let quoted = shell_quote(&device);
    let of_file = record.filter(|d| d.backing_node.is_none());
    let backing = of_file.and_then(|d| d.backing_file.as_deref()).map(visible);
    let (id, summary) = match backing {
        Some(file) => {
            commands.push(format!("losetup -d {quoted}"));
            ("loop-file-inside", format!("Loop device {shown} has its file {file} on the target."))
        }
        None => {
            let (what, close) = closing(kernel_name, record);
            commands.push(close.unwrap_or_else(|| format!("lsblk {quoted}")));
            ("device-stack", format!("Device {shown}{what} is stacked on the target."))
        }
    };
    let mounted = match &case.holder.mounts[..] {
        [] => " It is mounted nowhere in this bundle.".to_owned(),
        [one, ..] => format!(" It is mounted at {}.", one.mount_point),
    };
    Some(Finding {
        id,
        summary: summary + &mounted,
        remedies: vec![remedy::now(
            commands.join("\n"),
            "Takes the stack down from its top; the target's device is closed with it.",
            "What uses that device loses it.",
        )],
    })
}

/// The mounts of the device, each in its own namespace.
fn unmount_commands(case: &Case<'_>) -> Vec<String> {
    let host = case.snapshot.host_namespace().map(|n| n.key);
    let mut commands = Vec::new();
    let told = |m: &&MountView| m.mount_point != "/" && !m.mount_point.contains("\\x");
    for mount in case.holder.mounts.iter().filter(told).take(unmount::MOST) {
        let has_it = |n: &&crate::snapshot::MountNamespace| {
            case.snapshot.parent_of(n.key, MountId(mount.id)).is_some()
        };
        let namespace = case.snapshot.namespaces.values().find(has_it);
        let enter = match namespace.and_then(|n| n.pids.first().filter(|_| Some(n.key) != host)) {
            Some(pid) => format!("nsenter -t {} -m -- ", pid.0),
            None => String::new(),
        };
        commands.push(format!("{enter}umount {}", shell_quote(mount.mount_point.as_bytes())));
    }
    commands
}

/// What the device is, and the command that takes it down.
fn closing(kernel_name: &[u8], record: Option<&BlockDevice>) -> (String, Option<String>) {
    let device = [b"/dev/", kernel_name].concat();
    if kernel_name.starts_with(b"md") {
        return (" (an array of md)".to_owned(), Some(format!("mdadm --stop {}", shell_quote(&device))));
    }
    if let Some(below) = record.filter(|d| d.backing_node.is_some()).and_then(|d| d.backing_file.as_deref()) {
        let what = format!(" (a loop device on {})", visible(below));
        return (what, Some(format!("losetup -d {}", shell_quote(&device))));
    }
    let Some(name) = record.and_then(|d| d.dm_name.as_deref()) else { return (String::new(), None) };
    let quoted = shell_quote(name);
    let shown = visible(name);
    // The uuid's prefix names the subsystem that made it (lvm2, multipath-tools, cryptsetup).
    match record.and_then(|d| d.dm_uuid.as_deref()).unwrap_or_default() {
        [b'L', b'V', b'M', b'-', ..] => (
            format!(" (logical volume {shown})"),
            Some(format!("lvchange -an {}", shell_quote(&volume(name)))),
        ),
        uuid if uuid.starts_with(b"mpath-") => {
            (format!(" (multipath {shown})"), Some(format!("multipath -f {quoted}")))
        }
        uuid if uuid.starts_with(b"CRYPT-") => {
            (format!(" (encrypted volume {shown})"), Some(format!("cryptsetup close {quoted}")))
        }
        _ => (format!(" ({shown})"), Some(format!("dmsetup remove {quoted}"))),
    }
}

/// `vg--data-lv` is the logical volume `lv` of the group `vg-data`: hyphens of names are doubled (lvm(8)).
fn volume(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = name.iter().copied().peekable();
    let mut split = false;
    while let Some(b) = bytes.next() {
        match b {
            b'-' if bytes.peek() == Some(&b'-') => {
                bytes.next();
                out.push(b'-');
            }
            b'-' if !split => {
                split = true;
                out.push(b'/');
            }
            b => out.push(b),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn logical_volumes_are_named_as_lvm_does() {
        assert_eq!(super::volume(b"vg0-root"), b"vg0/root");
        assert_eq!(super::volume(b"vg--data-lv--a"), b"vg-data/lv-a");
    }
}
