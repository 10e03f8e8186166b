//! What a member of a bundle is, told by its path. Bundles, sosreports and plain tars of `/proc` all keep the
//! host's own paths below some directory.

use std::borrow::Cow;

use crate::parse;
use crate::snapshot::{NamespaceInode, Pid};

/// A path with the bundle's own top directory taken off.
#[derive(Debug, Clone)]
pub(crate) struct EntryPath<'a> {
    /// As it stands in the archive.
    path: &'a [u8],
    parts: Parts<'a>,
    /// Components of the directory that the host's own paths lie below.
    above: usize,
    /// Where the path there begins; a path without a mark of the host's is shown whole.
    begins: usize,
}

/// Components of a path. A bundle has tens of thousands of members and most of them few components: these need no
/// memory of their own.
#[derive(Debug, Clone)]
struct Parts<'a> {
    few: [&'a [u8]; FEW],
    count: usize,
    /// All of them, where they are more.
    many: Vec<&'a [u8]>,
}

const FEW: usize = 8;

impl<'a> Parts<'a> {
    fn none() -> Self {
        Self { few: [&[]; FEW], count: 0, many: Vec::new() }
    }

    /// Takes the next one, unless it leads nowhere.
    fn push(&mut self, part: &'a [u8]) {
        if matches!(part, b"" | b"." | b"..") {
            return;
        }
        match self.few.get_mut(self.count) {
            Some(place) => *place = part,
            None if self.many.is_empty() => self.many = [&self.few[..], &[part]].concat(),
            None => self.many.push(part),
        }
        self.count += 1;
    }

    fn all(&self) -> &[&'a [u8]] {
        if self.many.is_empty() { &self.few[..self.count] } else { &self.many }
    }
}

/// What a member is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role<'a> {
    Manifest,
    Summary,
    /// A file or link of `/proc/PID`, by its name below that.
    OfProcess(Pid, Cow<'a, [u8]>),
    /// A file of `/proc` itself.
    OfProc(Cow<'a, [u8]>),
    /// The table of a namespace without a process.
    PinnedTable(Option<NamespaceInode>),
    PinnedBy(NamespaceInode),
    /// `sys/block/NAME/…`.
    OfBlockDevice(&'a [u8], Vec<u8>),
    /// `…/image/DRIVER/layerdb/mounts/ID/mount-id` (or `init-id`).
    LayerOf {
        driver: &'a [u8],
        container: &'a [u8],
        init: bool,
    },
    Containers,
    DockerConfig,
    UnitProperties(&'a [u8]),
    Log,
    HostName,
    /// A text whose first line tells what it is.
    ToolOutput,
    /// A file beside the host's directories: a log or the output of some command, or anything else.
    Loose,
    Other,
}

const TOPS: [&[u8]; 23] = [
    b"proc",
    b"sys",
    b"ns",
    b"nsfs",
    b"runtime",
    b"systemd",
    b"logs",
    b"journal",
    b"var",
    b"etc",
    b"run",
    b"dm",
    b"docker",
    b"tools",
    b"sos_commands",
    b"sos_reports",
    b"sos_logs",
    // must-gather of OpenShift (`oc adm must-gather`).
    b"host_service_logs",
    b"namespaces",
    b"cluster-scoped-resources",
    b"hostname",
    b"manifest.json",
    b"summary.json",
];

impl<'a> EntryPath<'a> {
    /// A path without a mark of the host's lies below its parent directory.
    #[inline]
    pub(crate) fn new(path: &'a [u8]) -> Self {
        let mut new = Self { path, parts: Parts::none(), above: 0, begins: 0 };
        new.take_apart();
        new
    }

    /// Fills it where it stays: to move it would cost as much.
    fn take_apart(&mut self) {
        let mut begin = 0;
        for (at, _) in self.path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
            self.parts.push(&self.path[begin..at]);
            begin = at + 1;
        }
        self.parts.push(&self.path[begin..]);
        let all = self.parts.all();
        // A process's directory is the surest mark; it may lie below anything.
        let process = all.windows(2).position(|w| w[0] == b"proc" && is_pid(w[1]));
        (self.above, self.begins) = match process.or_else(|| all.iter().position(|c| TOPS.contains(c))) {
            Some(top) => (top, top),
            None => (all.len().saturating_sub(1), 0),
        };
    }

    /// The directory that the host's own paths lie below.
    pub(super) fn root(&self) -> &[&'a [u8]] {
        &self.parts.all()[..self.above]
    }

    /// Components of the path there.
    pub(super) fn inside(&self) -> &[&'a [u8]] {
        &self.parts.all()[self.begins..]
    }

    /// Whether it is called `proc/PID/FILE`, and the process's number is written as we would.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.inside(), [b"proc", pid, _] if !pid.starts_with(b"0"))
    }

    /// As shown in evidence.
    pub(super) fn shown(&self) -> String {
        crate::bytes::visible(&self.joined(self.inside()))
    }

    /// Its last components as a path. As nearly all paths are written, that is their end.
    fn joined(&self, parts: &[&'a [u8]]) -> Cow<'a, [u8]> {
        if let [only] = parts {
            return Cow::Borrowed(only);
        }
        let length = parts.iter().map(|part| part.len() + 1).sum::<usize>().saturating_sub(1);
        let end = &self.path[self.path.len().saturating_sub(length)..];
        match end.split(|byte| *byte == b'/').eq(parts.iter().copied()) {
            true => Cow::Borrowed(end),
            false => Cow::Owned(parts.join(&b'/')),
        }
    }

    pub(super) fn role(&self) -> Role<'a> {
        match self.inside() {
            [b"manifest.json"] => Role::Manifest,
            [b"summary.json"] => Role::Summary,
            [b"proc", pid, rest @ ..] if is_pid(pid) && !rest.is_empty() => match parse::whole_number(pid) {
                Some(pid) => Role::OfProcess(Pid(pid), self.joined(rest)),
                None => Role::Other,
            },
            [b"proc", rest @ ..] => Role::OfProc(self.joined(rest)),
            [b"ns", name, b"kept-by"] => inode_in(name).map_or(Role::Other, Role::PinnedBy),
            [b"ns" | b"nsfs", rest @ ..] if !rest.is_empty() => {
                Role::PinnedTable(rest.iter().rev().find_map(|c| inode_in(c)))
            }
            [b"sys", b"block", name, rest @ ..] => Role::OfBlockDevice(name, rest.join(&b'/')),
            [.., b"image", driver, b"layerdb", b"mounts", container, file @ (b"mount-id" | b"init-id")] => {
                Role::LayerOf { driver, container, init: *file == b"init-id" }
            }
            [b"runtime", b"containers.json"] => Role::Containers,
            [.., b"config.v2.json"] => Role::DockerConfig,
            [b"docker", name] if name.starts_with(b"inspect") => Role::DockerConfig,
            // sos 3 has them in `docker`, sos 4 in `docker/containers`; `crictl_inspect` and `podman_inspect` alike.
            [b"sos_commands", .., name] if memchr::memmem::find(name, b"_inspect").is_some() => {
                Role::DockerConfig
            }
            [b"systemd", name] if name.ends_with(b".show") => Role::UnitProperties(&name[..name.len() - 5]),
            [b"logs" | b"journal" | b"sos_logs", ..] => Role::Log,
            [b"var", b"log", ..] => Role::Log,
            [b"host_service_logs", ..] => Role::Log,
            // Logs of pods, those of CSI drivers among them.
            [b"namespaces", .., b"logs", name] if name.ends_with(b".log") || name.ends_with(b".log.gz") => {
                Role::Log
            }
            [b"rm.txt"] => Role::Log,
            // sos 4 keeps the outputs of `ps` and others at the top, too.
            [b"etc", b"hostname"] | [b"hostname"] | [b"sos_commands", b"host" | b"general", b"hostname"] => {
                Role::HostName
            }
            [b"sos_commands", _, name] if name.starts_with(b"journalctl") => Role::Log,
            [b"dm" | b"tools" | b"docker" | b"sos_commands", ..] => Role::ToolOutput,
            [] => Role::Loose,
            [first] | [first, _] if !TOPS.contains(first) => Role::Loose,
            _ => Role::Other,
        }
    }
}

fn is_pid(component: &[u8]) -> bool {
    !component.is_empty() && component.iter().all(u8::is_ascii_digit)
}

/// The namespace inode that a name such as `mnt-4026532255` or `mnt:[4026532255]` holds.
fn inode_in(name: &[u8]) -> Option<NamespaceInode> {
    name.split(|b| !b.is_ascii_digit())
        .rfind(|digits| digits.len() >= 8)
        .and_then(parse::whole_number)
        .map(NamespaceInode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_leads_to_the_same_roles() {
        for top in ["", "./", "ebusy-web1-20260101T000000Z/", "var/tmp/capture/", "sosreport-x/"] {
            let path = format!("{top}proc/42/mountinfo");
            let entry = EntryPath::new(path.as_bytes());
            assert_eq!(entry.role(), Role::OfProcess(Pid(42), Cow::Borrowed(b"mountinfo")), "{path}");
            assert_eq!(entry.shown(), "proc/42/mountinfo");
        }
        let entry = EntryPath::new(b"x/var/lib/docker/image/overlay2/layerdb/mounts/ab/mount-id");
        assert_eq!(entry.role(), Role::LayerOf { driver: b"overlay2", container: b"ab", init: false });
        let entry = EntryPath::new(b"nsfs/mnt:[4026532255].mountinfo");
        assert_eq!(entry.role(), Role::PinnedTable(Some(NamespaceInode(4026532255))));
        let pod = EntryPath::new(
            b"must-gather.local.1/quay-io-x/namespaces/shop/pods/api-1/api/api/logs/current.log",
        );
        assert_eq!(
            (pod.role(), pod.shown().as_str()),
            (Role::Log, "namespaces/shop/pods/api-1/api/api/logs/current.log")
        );
        assert_eq!(EntryPath::new(b"m/x/host_service_logs/masters/kubelet_service.log").role(), Role::Log);
        assert_eq!(EntryPath::new(b"m/x/cluster-scoped-resources/core/nodes/n1.yaml").role(), Role::Other);
        assert_eq!(EntryPath::new(b"a/manifest.json").role(), Role::Manifest);
        assert_eq!(EntryPath::new(b"../../etc/passwd").role(), Role::Other);
    }
}
