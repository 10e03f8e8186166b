//! A device on top of the target's: a loop device whose file is inside the root file system, an LV or dm device,
//! swap (moby#16380; LOOP_GET_STATUS64 tells where the file is after a lazy umount).

use super::{Case, Finding, remedy};
use crate::bytes::{shell_quote, visible};
use crate::report::HolderKind;

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
    let mut commands = Vec::new();
    for mount in &case.holder.mounts {
        if mount.mount_point != "/" && !mount.mount_point.contains("\\x") {
            commands.push(format!("umount {}", shell_quote(mount.mount_point.as_bytes())));
        }
    }
    let quoted = shell_quote(&device);
    let backing = record.and_then(|d| d.backing_file.as_deref()).map(visible);
    let (id, summary) = match backing {
        Some(file) => {
            commands.push(format!("losetup -d {quoted}"));
            ("loop-file-inside", format!("Loop device {shown} has its file {file} on the target."))
        }
        None => {
            let dm = record.and_then(|d| d.dm_name.as_deref());
            commands.push(match dm {
                Some(name) => format!("dmsetup remove {}", shell_quote(name)),
                None => format!("lsblk {quoted}"),
            });
            ("device-stack", format!("Device {shown} is stacked on the target."))
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
            "What uses that device loses it. In another mount namespace put `nsenter -t PID -m --` before umount.",
        )],
    })
}
