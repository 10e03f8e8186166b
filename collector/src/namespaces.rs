//! Mount namespaces that no process shows whole. Most have no process: a bind mount of their nsfs file keeps them, or
//! an open descriptor. Of others all processes are in a chroot (a sandboxed service), and a table leaves out what is
//! not below its process's root (`show_mountinfo` in the kernel's `fs/proc_namespace.c`).
//!
//! No `/proc/PID/mountinfo` has those mounts, so a grep over them misses what they hold. A thread enters the namespace
//! and reads its own table there.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use crate::bundle::Entry;
use crate::context::{Context, Fact};
use crate::host_files::{Content, Dir};
use crate::process::mount_table::TableFacts;
use crate::summary::Skip;
use crate::watchdog::Batch;
use crate::{host_files, sys};

const TABLE_MAX: usize = 256 << 20;
const KIND: &str = "ns/mnt-INODE/mountinfo";

/// One thing that keeps a namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Keeper {
    /// A bind mount of the namespace's file, at this path as the process sees it.
    Bind { pid: u32, path: Vec<u8> },
    /// An open descriptor.
    Descriptor { pid: u32, fd: u32 },
    /// A thread whose process is in another namespace.
    Thread { pid: u32, thread: u32 },
    /// A bind mount that only exists inside a namespace without a process.
    BindInside { outer: Box<Pinned>, path: Vec<u8> },
    /// A process in a chroot.
    Process { pid: u32 },
}

/// A namespace to enter, and everything that is known to keep it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pinned {
    pub(crate) inode: u64,
    pub(crate) keepers: Vec<Keeper>,
}

/// The namespaces that something keeps, that no process shows whole, and that were not read yet.
pub(crate) fn not_shown(facts: &[Fact], entered: &[Pinned]) -> Vec<Pinned> {
    let mut known: BTreeSet<u64> = entered.iter().map(|pinned| pinned.inode).collect();
    let mut kept: BTreeMap<u64, BTreeSet<Keeper>> = BTreeMap::new();
    // Of each namespace, how many of its processes are not in a chroot.
    let mut outside: BTreeMap<u64, isize> = BTreeMap::new();
    for fact in facts {
        let (inode, keeper) = match fact {
            Fact::Process { namespace, .. } => {
                namespace.iter().for_each(|inode| *outside.entry(*inode).or_default() += 1);
                continue;
            }
            Fact::Chroot { pid, inode } => {
                *outside.entry(*inode).or_default() -= 1;
                (inode, Keeper::Process { pid: *pid })
            }
            Fact::Bound { pid, path, inode } => (inode, Keeper::Bind { pid: *pid, path: path.clone() }),
            Fact::OpenNamespace { pid, fd, inode } => (inode, Keeper::Descriptor { pid: *pid, fd: *fd }),
            Fact::ThreadNamespace { pid, thread, inode } => {
                (inode, Keeper::Thread { pid: *pid, thread: *thread })
            }
            Fact::BoundInside { outer, path, inode } => {
                let Some(outer) = entered.iter().find(|pinned| pinned.inode == *outer) else { continue };
                (inode, Keeper::BindInside { outer: Box::new(outer.clone()), path: path.clone() })
            }
            _ => continue,
        };
        kept.entry(*inode).or_default().insert(keeper);
    }
    known.extend(outside.into_iter().filter(|(_, count)| *count > 0).map(|(inode, _)| inode));
    kept.retain(|inode, _| !known.contains(inode));
    kept.into_iter()
        .map(|(inode, keepers)| Pinned { inode, keepers: keepers.into_iter().collect() })
        .collect()
}

/// Stores what keeps the namespace and, where the kernel and the privilege allow, its table.
pub(crate) fn read(context: &Arc<Context>, pinned: &Pinned) -> Batch<Fact> {
    let mut batch = Batch::new();
    let path = format!("ns/mnt-{}/mountinfo", pinned.inode).into_bytes();
    let table = inside(context, pinned, own_table);
    match table {
        Ok(content) => {
            let outer = pinned.inode;
            batch.facts.push(Fact::NamespaceRead { inode: outer });
            for (path, inode) in TableFacts::parse(&content.bytes).bound_namespaces {
                batch.facts.push(Fact::BoundInside { outer, path, inode });
            }
            batch.entries.push(Entry::Table { path, data: content.bytes });
        }
        Err(error) => {
            let mut skip = Skip::new(KIND, &path, &error);
            if matches!(error.raw_os_error(), Some(libc::EPERM | libc::EACCES)) {
                skip.why =
                    "entering a mount namespace needs CAP_SYS_ADMIN and CAP_SYS_CHROOT; run as root".into();
            }
            batch.skips.push(skip);
        }
    }
    let lines = kept_by_lines(&pinned.keepers);
    if !lines.is_empty() {
        batch.entries.push(Entry::plain(format!("ns/mnt-{}/kept-by", pinned.inode).into_bytes(), lines));
    }
    batch
}

fn kept_by_lines(keepers: &[Keeper]) -> Vec<u8> {
    let plain = |path: &[u8]| path.iter().map(|&b| if b == b'\n' { b'?' } else { b }).collect();
    let mut lines = Vec::new();
    for keeper in keepers {
        let (head, path): (String, Vec<u8>) = match keeper {
            Keeper::Bind { pid, path } => (format!("bind {pid} "), plain(path)),
            Keeper::Descriptor { pid, fd } => (format!("fd {pid} {fd}"), vec![]),
            Keeper::Thread { pid, thread } => (format!("thread {pid} {thread}"), vec![]),
            Keeper::BindInside { outer, path } => (format!("bind mnt:[{}] ", outer.inode), plain(path)),
            // Its link to the namespace says so.
            Keeper::Process { .. } => continue,
        };
        lines.extend_from_slice(head.as_bytes());
        lines.extend_from_slice(&path);
        lines.push(b'\n');
    }
    lines
}

/// Does something inside the namespace, in a thread of its own that ends right after: nobody else must find itself
/// in there. Tries one keeper after the other until the namespace opens.
fn inside<T: Send + 'static>(
    context: &Arc<Context>,
    pinned: &Pinned,
    act: impl FnOnce(&Context) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let mut failure = io::Error::from_raw_os_error(libc::ENOENT);
    for keeper in &pinned.keepers {
        match open(context, keeper, pinned.inode) {
            Ok(namespace) => {
                let context = Arc::clone(context);
                let thread = thread::Builder::new().name("in-namespace".into()).spawn(move || {
                    sys::unshare_fs()?;
                    sys::enter_mount_namespace(&namespace)?;
                    act(&context)
                })?;
                return thread.join().unwrap_or_else(|_| Err(io::Error::from_raw_os_error(libc::EIO)));
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn open(context: &Arc<Context>, keeper: &Keeper, inode: u64) -> io::Result<OwnedFd> {
    let proc = &context.proc.dir;
    let file = match keeper {
        Keeper::Bind { pid, path } => proc.sub_root(format!("{pid}/root").as_bytes())?.node(path)?,
        Keeper::Descriptor { pid, fd } => proc.node(format!("{pid}/fd/{fd}").as_bytes())?,
        Keeper::Thread { pid, thread } => proc.node(format!("{pid}/task/{thread}/ns/mnt").as_bytes())?,
        Keeper::Process { pid } => proc.node(format!("{pid}/ns/mnt").as_bytes())?,
        Keeper::BindInside { outer, path } => {
            let path = path.clone();
            inside(context, outer, move |_| Dir::host_root(Path::new("/"))?.node(&path))?
        }
    };
    // Another mount may lie on top of the bind by now.
    if sys::stat_fd(&file)?.st_ino == inode {
        Ok(file)
    } else {
        Err(io::Error::from_raw_os_error(libc::ENOENT))
    }
}

/// The table of this thread, through a `/proc` that was opened outside: in here there may be none.
fn own_table(context: &Context) -> io::Result<Content> {
    let thread = format!("self/task/{}/mountinfo", sys::thread_id());
    let names = ["thread-self/mountinfo", thread.as_str()];
    let mut file = names.iter().find_map(|name| context.proc.dir.file(name.as_bytes()).ok());
    let file = file.as_mut().ok_or_else(|| io::Error::from_raw_os_error(libc::ENOENT))?;
    host_files::read_up_to(file, TABLE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_namespaces_without_a_process_are_entered() {
        let process = |namespace| Fact::Process { namespace: Some(namespace), unit: None };
        let bound = |inode| Fact::Bound { pid: 7, path: b"/run/ns".to_vec(), inode };
        let facts =
            [process(10), bound(10), bound(11), Fact::OpenNamespace { pid: 8, fd: 3, inode: 11 }, bound(11)];
        let pinned = not_shown(&facts, &[]);
        assert_eq!(pinned.len(), 1);
        assert_eq!(pinned[0].inode, 11);
        assert_eq!(kept_by_lines(&pinned[0].keepers), b"bind 7 /run/ns\nfd 8 3\n");
    }

    #[test]
    fn a_namespace_is_entered_where_all_of_its_processes_are_in_a_chroot() {
        let process = |namespace| Fact::Process { namespace: Some(namespace), unit: None };
        let chroot = |pid, inode| Fact::Chroot { pid, inode };
        let facts = [process(10), chroot(5, 10), process(10), process(11), chroot(7, 11)];
        let pinned = not_shown(&facts, &[]);
        assert_eq!(pinned, [Pinned { inode: 11, keepers: vec![Keeper::Process { pid: 7 }] }]);
        assert!(kept_by_lines(&pinned[0].keepers).is_empty());
    }
}
