//! A file server that does not answer: processes wait in the kernel (state D) with files of it open, and neither
//! umount nor kill comes through.

use super::{Case, Finding, remedy};
use crate::bytes::shell_quote;
use crate::parse::mountinfo::Mount;
use crate::snapshot::Pid;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if case.holder.is_target {
        return None;
    }
    let waits = |p: &&Pid| case.snapshot.processes.get(p).is_some_and(|p| p.state == Some('D'));
    let pid = case.holder.pids.iter().find(waits)?;
    let (point, source, fs_type) = server_of(case)?;
    let process = case.snapshot.processes.get(pid)?;
    Some(Finding {
        id: "hung-server",
        summary: format!(
            "{} (pid {}) waits in the kernel (state D) with files on {source} ({fs_type}), whose server does not answer. It cannot be ended until the server does.",
            process.name(),
            pid.0
        ),
        remedies: vec![
            remedy::now(
                format!("cat /proc/{}/stack", pid.0),
                "Shows whether it waits for the server (nfs_, rpc_, cifs_, ceph_ functions). Bring the server or the network back: then it goes on by itself.",
                "Reads only.",
            ),
            remedy::now(
                format!("umount -f {}", shell_quote(point.as_bytes())),
                "Makes the waiting calls fail with an error instead.",
                "Programs get EIO and may lose what they had not written.",
            ),
        ],
    })
}

/// The network file system that the target is on: mount point, source and type.
fn server_of(case: &Case<'_>) -> Option<(String, String, String)> {
    const NETWORK: [&str; 9] =
        ["nfs", "nfs4", "cifs", "smb3", "ceph", "fuse.glusterfs", "fuse.ceph", "9p", "fuse.sshfs"];
    let of_holder = case.holder.mounts.iter().find(|m| NETWORK.contains(&m.fs_type.as_str()));
    if let Some(m) = of_holder {
        return Some((m.mount_point.clone(), m.source.clone(), m.fs_type.clone()));
    }
    let namespace = case.snapshot.namespaces.get(&case.holder.namespace?)?;
    let mut tables = namespace.tables.iter().filter_map(|t| case.snapshot.table(*t));
    let is_network = |m: &Mount<'_>| std::str::from_utf8(m.fs_type).is_ok_and(|t| NETWORK.contains(&t));
    let mount = tables.find_map(|table| {
        let by_path = case.target.paths.iter().find_map(|p| Some(table.lookup(p)?.1));
        let by_device = || table.mounts().map(|(_, m)| m).find(|m| case.target.devices.contains(&m.device));
        by_path.filter(is_network).or_else(|| by_device().filter(is_network))
    })?;
    let shown = |bytes: &[u8]| crate::bytes::visible(bytes);
    Some((shown(&mount.mount_point()), shown(&mount.source()), shown(mount.fs_type)))
}
