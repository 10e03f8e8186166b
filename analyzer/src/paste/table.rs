//! Tables that tools print: told by their header, read by the parsers of [`crate::parse`].

use crate::parse::{
    below_drawing, container_list, device_number, device_tools, device_trees, fuser, lsof, namespace_link,
    whole_number, words,
};
use crate::snapshot::Pid;

/// A table whose rows follow its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Table {
    /// `ps`, with the column of the pid.
    Processes(usize),
    /// `dmsetup info -c`.
    Devices,
    /// `lsof`.
    OpenFiles,
    /// `lsns`: columns of namespace, type and pid.
    Namespaces(usize, usize, usize),
    /// `PID NAME MNTNS`, as scripts that look for a busy mount print it.
    MountNamespaces,
    /// `docker ps`, `podman ps`, `crictl ps`, `crictl pods`, `ctr tasks ls`.
    Containers,
    /// `lsblk`.
    DeviceTree,
    /// `losetup` without `-a`.
    Loops,
    /// `fuser -v`.
    Users,
    /// `swapon`.
    Swaps,
    /// `rbd showmapped`.
    Images,
    /// `zfs list`.
    Datasets,
    /// Processes below the `CGroup:` of `systemctl status`.
    Unit,
}

impl Table {
    pub(super) fn begun_by(header: &[u8]) -> Option<Self> {
        if lsof::is_header(header) {
            return Some(Self::OpenFiles);
        }
        if fuser::is_header(header) {
            return Some(Self::Users);
        }
        if header.trim_ascii_start().starts_with(b"CGroup: /") {
            return Some(Self::Unit);
        }
        let columns: Vec<&[u8]> = words(header).collect();
        if device_trees::is_lsblk(&columns) {
            return Some(Self::DeviceTree);
        }
        if device_tools::is_swapon(&columns) {
            return Some(Self::Swaps);
        }
        if device_tools::is_showmapped(&columns) {
            return Some(Self::Images);
        }
        if device_tools::is_zfs_list(&columns) {
            return Some(Self::Datasets);
        }
        if container_list::is_pods(&columns) || container_list::is_tasks(&columns) {
            return Some(Self::Containers);
        }
        let column = |name: &[u8]| columns.iter().position(|c| *c == name);
        match columns[..] {
            [b"PID", b"NAME", b"MNTNS"] => return Some(Self::MountNamespaces),
            [b"CONTAINER", b"ID", b"IMAGE", ..] | [b"CONTAINER", b"IMAGE", ..] => {
                return Some(Self::Containers);
            }
            _ => {}
        }
        if let (Some(0), Some(_), Some(_)) = (column(b"Name"), column(b"Maj"), column(b"Min")) {
            return Some(Self::Devices);
        }
        if column(b"NAME").is_some() && column(b"BACK-FILE").is_some() {
            return Some(Self::Loops);
        }
        if let (Some(ns), Some(kind), Some(pid)) = (column(b"NS"), column(b"TYPE"), column(b"PID")) {
            return Some(Self::Namespaces(ns, kind, pid));
        }
        column(b"COMMAND").or_else(|| column(b"CMD"))?;
        column(b"PID").map(Self::Processes)
    }

    /// Whose parser reads the rows.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Processes(_) => "ps",
            Self::Devices => "dmsetup",
            Self::OpenFiles => "lsof",
            Self::Namespaces(..) => "lsns",
            Self::MountNamespaces => "mntns",
            Self::Containers => "containers",
            Self::DeviceTree => "lsblk",
            Self::Loops => "losetup",
            Self::Users => "fuser",
            Self::Swaps => "swapon",
            Self::Images => "rbd",
            Self::Datasets => "zfs",
            Self::Unit => "status",
        }
    }

    /// Whether a line still belongs to the table.
    pub(super) fn has_row(&self, line: &[u8]) -> bool {
        let cells: Vec<&[u8]> = words(line).collect();
        let number = |i: usize| cells.get(i).is_some_and(|c| whole_number::<u64>(c).is_some());
        match self {
            Self::Processes(pid) => number(*pid),
            Self::Devices => number(1) && number(2),
            Self::OpenFiles => number(1),
            Self::Namespaces(ns, _, pid) => number(*ns) && number(*pid),
            Self::MountNamespaces => number(0) && cells.len() == 3,
            Self::Containers => {
                cells.len() >= 3 && cells[0].len() >= 12 && cells[0].iter().all(u8::is_ascii_hexdigit)
            }
            Self::DeviceTree => words(below_drawing(line).1)
                .nth(1)
                .is_some_and(|w| device_number(w).is_ok_and(|(rest, _)| rest.is_empty())),
            Self::Loops => line.starts_with(b"/dev/loop"),
            Self::Users => cells[0].starts_with(b"/") || (number(1) && cells.len() > 2),
            Self::Swaps => line.starts_with(b"/"),
            Self::Images => cells.last().is_some_and(|c| c.starts_with(b"/dev/rbd")),
            Self::Datasets => cells.len() >= 5,
            Self::Unit => below_drawing(line.trim_ascii_start()).0 > 0,
        }
    }

    /// The process that a script, which looks for a busy mount, names as its holder.
    pub(super) fn holder_in(&self, line: &[u8]) -> Option<Pid> {
        let pid = words(line).next().filter(|_| *self == Self::MountNamespaces)?;
        whole_number(pid).map(Pid)
    }

    /// Namespace links that a row tells.
    pub(super) fn links_in(&self, line: &[u8]) -> Option<(String, Vec<u8>)> {
        let cells: Vec<&[u8]> = words(line).collect();
        let text = |i: usize| cells.get(i).map(|c| crate::bytes::visible(c));
        match self {
            Self::Namespaces(ns, kind, pid) if cells.get(*kind) == Some(&&b"mnt"[..]) => {
                Some((format!("proc/{}/ns/mnt", text(*pid)?), format!("mnt:[{}]", text(*ns)?).into_bytes()))
            }
            Self::MountNamespaces => {
                namespace_link::parse(cells.get(2)?)?;
                Some((format!("proc/{}/ns/mnt", text(0)?), cells.get(2)?.to_vec()))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lsns_tells_the_namespace_of_its_first_process() {
        let table = Table::begun_by(b"        NS TYPE NPROCS   PID USER COMMAND").unwrap();
        assert_eq!(
            table.links_in(b"4026532255 mnt       3   622 root unshare -m top"),
            Some(("proc/622/ns/mnt".into(), b"mnt:[4026532255]".to_vec()))
        );
        assert_eq!(table.links_in(b"4026531836 pid       3   622 root top"), None);
        assert!(!table.has_row(b"Error response from daemon"));
    }
}
