//! Mount tables: each distinct one is read once.
//!
//! Printing a table is the expensive part of the whole collection. What `/proc/PID/mountinfo` shows depends on two
//! things only, the process's mount namespace and its root (`show_mountinfo` in the kernel's `fs/proc_namespace.c`
//! leaves out what is not below the root). So a process with the namespace and root of an earlier one is given that
//! one's table; both are looked at, and the namespace once more afterwards. A process that has moved to another one
//! meanwhile is read again.

use std::io;

use super::identity::find;
use super::{KnownTable, Process, rank};
use crate::bundle::Kind;
use crate::context::{Fact, Runtime};
use crate::sys;

/// Longest table taken. 100,000 mounts are about 20 MB.
const TABLE_MAX: usize = 256 << 20;
/// How often a process is read that moves to another namespace each time.
const TRIES: usize = 5;
/// Most mount points remembered of one table.
const REMEMBERED_MAX: usize = 1000;

/// What decides the content of a mount table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TableKey {
    namespace: u64,
    root_text: Vec<u8>,
    root: (u32, u32, u64, u64),
}

pub(super) enum Table {
    /// It is in the batch. `key` is `None` when it must not stand for another process's.
    Read { key: Option<TableKey>, facts: TableFacts },
    /// It is this one.
    Same(KnownTable),
}

/// What the collector itself needs to know of a table.
#[derive(Debug, Default)]
pub(crate) struct TableFacts {
    /// Id of the mount at `/dev`, if there is exactly one and it is the kernel's own (`devtmpfs`).
    pub(super) devices_mount: Option<u64>,
    /// Mount points, other than `/`, of the file system that `/` is on.
    pub(super) same_device_mounts: Vec<Vec<u8>>,
    /// Mount namespaces that are bound to a file: path, inode number.
    pub(crate) bound_namespaces: Vec<(Vec<u8>, u64)>,
    /// Directories of container runtimes, told by the upper directories of overlay mounts.
    pub(super) stores: Vec<(Runtime, Vec<u8>)>,
}

/// Reads the table of a process, or tells whose it shares, and the namespace that it is of: `None` where that may not
/// be seen, and where the process never stayed in one while it was read.
pub(super) fn read(
    process: &mut Process<'_>,
    known: &impl Fn(&TableKey) -> Option<KnownTable>,
) -> (Option<u64>, io::Result<Table>) {
    let mark = process.batch.entries.mark();
    let mut namespace = None;
    let table = steadily(|| {
        process.batch.entries.back_to(mark);
        namespace = process.mount_namespace();
        read_once(process, namespace, known)
    });
    match table {
        Ok((table, true)) => (namespace, Ok(table)),
        Ok((table, false)) => {
            process.moves = true;
            (None, Ok(table))
        }
        Err(error) => (namespace, Err(error)),
    }
}

/// Reads until it tells that nothing changed meanwhile.
fn steadily<T>(mut once: impl FnMut() -> io::Result<(T, bool)>) -> io::Result<(T, bool)> {
    let mut last = once()?;
    for _ in 1..TRIES {
        if last.1 {
            break;
        }
        last = once()?;
    }
    Ok(last)
}

/// The table, and whether the process was in this namespace before and after it was read.
fn read_once(
    process: &mut Process<'_>,
    namespace: Option<u64>,
    known: &impl Fn(&TableKey) -> Option<KnownTable>,
) -> io::Result<(Table, bool)> {
    let key = namespace.and_then(|namespace| key(process, namespace));
    if let Some(key) = &key
        && let Some(known) = known(key)
        && process.mount_namespace() == namespace
    {
        return Ok((Table::Same(known), true));
    }
    let path = [process.prefix.as_slice(), b"mountinfo"];
    let dir = process.dir;
    let read = |bytes: &mut Vec<u8>| dir.append_virtual(b"mountinfo", TABLE_MAX, bytes);
    let facts =
        TableFacts::parse(process.batch.entries.add_read(Kind::Table, rank("mountinfo"), &path, read)?);
    // Asked again: the process may have moved while it was read.
    let same_root = key.is_some() && self::key(process, namespace.unwrap_or_default()) == key;
    let stayed = process.mount_namespace() == namespace;
    Ok((Table::Read { key: key.filter(|_| same_root && stayed), facts }, stayed))
}

/// `None` on a recorded copy, and where the kernel does not tell the root's mount id.
fn key(process: &mut Process<'_>, namespace: u64) -> Option<TableKey> {
    if !process.live {
        return None;
    }
    let root_text = process.link("root").ok()?.to_vec();
    let root = sys::behind(process.dir.fd(), c"root").ok()?;
    process.seen.root = Some((root_text.clone(), root));
    Some(TableKey { namespace, root_text, root: (root.dev.0, root.dev.1, root.ino, root.mount?) })
}

/// The number in `KIND:[N]`.
pub(crate) fn inode_of(text: &[u8], kind: &str) -> Option<u64> {
    let number = text.strip_prefix(kind.as_bytes())?.strip_prefix(b":[")?.strip_suffix(b"]")?;
    std::str::from_utf8(number).ok()?.parse().ok()
}

impl TableFacts {
    /// Lines that do not look like mountinfo are passed over: the analyzer, not the collector, judges them.
    ///
    /// Few lines are of interest, so only those are taken apart that have the text in question somewhere.
    pub(crate) fn parse(table: &[u8]) -> Self {
        let mut facts = Self::default();
        for (at, mount) in mounts_with(table, b" /dev ").filter(|m| m.mount_point == b"/dev").enumerate() {
            facts.devices_mount = mount.id().filter(|_| at == 0 && mount.kind() == Some(b"devtmpfs"));
        }
        // The options that follow are always `rw` or `ro`.
        if let Some(root) = mounts_with(table, b" / r").find(|mount| mount.mount_point == b"/") {
            let needle = [b" ", root.device, b" "].concat();
            let is_beside = |mount: &Mount<'_>| mount.device == root.device && mount.mount_point != b"/";
            let beside = mounts_with(table, &needle).filter(is_beside).take(REMEMBERED_MAX);
            facts.same_device_mounts = beside.map(|mount| unescape(mount.mount_point)).collect();
        }
        for mount in mounts_with(table, b" mnt:[") {
            if let Some(inode) = inode_of(mount.root, "mnt") {
                facts.bound_namespaces.push((unescape(mount.mount_point), inode));
            }
        }
        for mount in mounts_with(table, b",upperdir=") {
            if let Some(options) = mount.overlay_options()
                && let Some(at) = find(options, b",upperdir=")
            {
                facts.stores.extend(store_of(&options[at + b",upperdir=".len()..]));
            }
        }
        facts.stores.sort();
        facts.stores.dedup();
        facts
    }

    /// Reports what later steps need, for the process that this table was read from.
    pub(super) fn report(&self, pid: u32, facts: &mut Vec<Fact>) {
        for (path, inode) in &self.bound_namespaces {
            facts.push(Fact::Bound { pid, path: path.clone(), inode: *inode });
        }
        for (runtime, path) in &self.stores {
            facts.push(Fact::Directory { runtime: *runtime, path: path.clone() });
        }
    }
}

/// What is looked at of a line: `ID PARENT DEVICE ROOT MOUNT_POINT OPTIONS [TAG…] - TYPE SOURCE OPTIONS`.
struct Mount<'a> {
    id: &'a [u8],
    device: &'a [u8],
    root: &'a [u8],
    mount_point: &'a [u8],
    rest: &'a [u8],
}

/// The mounts whose line has this text anywhere.
fn mounts_with<'a>(table: &'a [u8], text: &'a [u8]) -> impl Iterator<Item = Mount<'a>> {
    let finder = memchr::memmem::Finder::new(text);
    let mut rest = table;
    std::iter::from_fn(move || {
        let at = finder.find(rest)?;
        let start = memchr::memrchr(b'\n', &rest[..at]).map_or(0, |at| at + 1);
        let end = memchr::memchr(b'\n', &rest[at..]).map_or(rest.len(), |length| at + length);
        let line = &rest[start..end];
        rest = &rest[end..];
        Some(Mount::parse(line))
    })
    .flatten()
}

impl<'a> Mount<'a> {
    fn parse(line: &'a [u8]) -> Option<Self> {
        let mut fields = line.splitn(6, |&b| b == b' ');
        let (id, _parent) = (fields.next()?, fields.next()?);
        let (device, root) = (fields.next()?, fields.next()?);
        Some(Self { id, device, root, mount_point: fields.next()?, rest: fields.next()? })
    }

    fn id(&self) -> Option<u64> {
        std::str::from_utf8(self.id).ok()?.parse().ok()
    }

    /// The file system's type.
    fn kind(&self) -> Option<&'a [u8]> {
        self.rest.split(|&b| b == b' ').skip_while(|field| *field != b"-").nth(1)
    }

    /// The last field, if this is an overlay.
    fn overlay_options(&self) -> Option<&'a [u8]> {
        let mut fields = self.rest.split(|&b| b == b' ').skip_while(|field| *field != b"-").skip(1);
        (fields.next()? == b"overlay").then_some(())?;
        fields.nth(1)
    }
}

/// `ROOT/overlay2/ID/diff` is docker's layout, `ROOT/overlay/ID/diff` that of containers/storage and older dockers.
fn store_of(options: &[u8]) -> Vec<(Runtime, Vec<u8>)> {
    let upper = options.split(|&b| b == b',' || b == b' ').next().unwrap_or_default();
    let parts: Vec<&[u8]> = upper.rsplitn(4, |&b| b == b'/').collect();
    let [_, _, driver, root] = parts.as_slice() else { return vec![] };
    let root = unescape(root);
    match (*driver, root.starts_with(b"/")) {
        (b"overlay2", true) => vec![(Runtime::Docker, root)],
        (b"overlay", true) => vec![(Runtime::Docker, root.clone()), (Runtime::Storage, root)],
        _ => vec![],
    }
}

/// Undoes the octal escapes of mountinfo (`\040`).
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|d| byte == b'\\' && d.iter().all(|b| (b'0'..=b'7').contains(b)));
        if let Some(digits) = digits {
            plain.push(digits.iter().fold(0u8, |n, d| n.wrapping_mul(8).wrapping_add(d - b'0')));
            rest = &after[3..];
        } else {
            plain.push(byte);
            rest = after;
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_tells_bound_namespaces_and_stores() {
        let table = b"21 1 253:1 / / rw shared:1 - ext4 /dev/x rw\n\
            30 21 0:4 mnt:[4026532999] /run/my\\040ns/a rw - nsfs nsfs rw\n\
            31 21 0:4 net:[4026532000] /run/netns/b rw - nsfs nsfs rw\n\
            32 21 253:1 /data /srv rw - ext4 /dev/x rw\n\
            33 21 0:50 / /m rw - overlay overlay rw,lowerdir=/l,upperdir=/var/lib/docker/overlay2/89f5/diff,workdir=/w\n";
        let facts = TableFacts::parse(table);
        assert_eq!(facts.bound_namespaces, [(b"/run/my ns/a".to_vec(), 4_026_532_999)]);
        assert_eq!(facts.same_device_mounts, [b"/srv".to_vec()]);
        assert_eq!(facts.stores, [(Runtime::Docker, b"/var/lib/docker".to_vec())]);
    }

    #[test]
    fn a_process_that_moves_is_read_until_it_stays_and_not_for_ever() {
        let read = |moves: usize| {
            let mut count = 0;
            let (last, stayed) = steadily(|| {
                count += 1;
                Ok((count, count > moves))
            })
            .unwrap();
            (last, stayed)
        };
        assert_eq!(read(0), (1, true));
        assert_eq!(read(2), (3, true));
        assert_eq!(read(100), (TRIES, false));
    }

    #[test]
    fn garbage_is_no_table() {
        let facts = TableFacts::parse(b"\n1 2\n\xff\xff ,upperdir= \n,upperdir=x/overlay2/y/z\n");
        assert!(facts.bound_namespaces.is_empty() && facts.stores.is_empty());
    }
}
