//! A virtual machine has the device open as its disk: QEMU, kata containers (kata#944, virtcontainers#435).

use super::{Case, Finding, remedy};
use crate::report::HolderKind;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if case.holder.kind != HolderKind::OpenFile {
        return None;
    }
    let machine = case.holder.pids.iter().filter_map(|p| Some((p.0, case.snapshot.processes.get(p)?))).find(
        |(_, p)| {
            let name = p.executable();
            name.starts_with(b"qemu-system")
                || matches!(name, b"qemu-kvm" | b"cloud-hypervisor" | b"firecracker" | b"crosvm")
        },
    );
    let (pid, process) = machine?;
    let file = case.holder.open_files.first()?;
    Some(Finding {
        id: "virtual-machine",
        summary: format!(
            "{} (pid {pid}) is a virtual machine that has {} open as a disk ({}).",
            process.name(),
            file.path,
            file.reference
        ),
        remedies: vec![remedy::now(
            format!("tr '\\0' ' ' < /proc/{pid}/cmdline"),
            "Shows which machine it is. Stop it with the tool that started it (kata: remove its container; libvirt: `virsh shutdown`), or detach the disk.",
            "Ending the process itself is like pulling the machine's plug.",
        )],
    })
}
