//! The references a process keeps: root, working directory, program, open descriptors and mapped files.
//!
//! After a lazy umount they are the only trace of what keeps a file system: their text no longer names the mount,
//! so the device number and mount id behind each are written to `links`.

use std::io::{self, Write};

use super::mount_table::{TableFacts, inode_of};
use super::{Process, Vanished, maps};
use crate::bundle::Entry;
use crate::context::Fact;
use crate::summary::Skip;
use crate::sys::{self, Behind};

/// Most descriptors looked at in one process.
const DESCRIPTORS_EACH: usize = 4096;
/// Most descriptors looked at on the whole host.
pub(super) const DESCRIPTORS_MAX: usize = 500_000;

/// What of a process's references is asked for.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    /// Only the texts, without looking behind them.
    pub(super) gentle: bool,
    /// Kernel threads have neither a program nor descriptors of their own.
    pub(super) kernel_thread: bool,
    pub(super) descriptors: bool,
}

pub(super) fn read(
    process: &mut Process<'_>,
    wanted: Wanted,
    facts: &TableFacts,
    left: &mut usize,
) -> Result<(), Vanished> {
    let mut lines = Vec::new();
    let names: &[&str] = if wanted.kernel_thread { &["root", "cwd"] } else { &["root", "cwd", "exe"] };
    let mut devices = Vec::new();
    for name in names {
        let Some(text) = text_of(process, name)? else { continue };
        process.batch.entries.push(Entry::symlink(process.path(name), text));
        let behind = if wanted.gentle { None } else { line(process, name, &mut lines) };
        if let Some(behind) = behind
            && *name != "cwd"
        {
            devices.push(behind.dev);
        }
    }
    if wanted.descriptors && !wanted.kernel_thread {
        descriptors(process, wanted, left, &mut lines);
        if !wanted.gentle && process.live {
            maps::read(process, &devices, facts, &mut lines);
        }
    }
    if !lines.is_empty() {
        process.batch.entries.push(Entry::plain(process.path("links"), lines));
    } else if !process.live {
        // A recorded copy may bring its own.
        if let Ok(content) = process.dir.read_virtual(b"links", 16 << 20) {
            process.batch.entries.push(Entry::plain(process.path("links"), content.bytes));
        }
    }
    Ok(())
}

fn text_of(process: &mut Process<'_>, name: &str) -> Result<Option<Vec<u8>>, Vanished> {
    match process.dir.link(name.as_bytes()) {
        Ok(text) => Ok(Some(text)),
        // A process that is just ending has no program any more, though it is still there.
        Err(error) if name == "exe" && error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
        Err(error) if error.raw_os_error() == Some(libc::EACCES) => {
            process.count("{root,cwd,exe}", name, &error);
            Ok(None)
        }
        Err(error) => process.not_read(name, error).map(|()| None),
    }
}

fn descriptors(process: &mut Process<'_>, wanted: Wanted, left: &mut usize, lines: &mut Vec<u8>) {
    let names = match process.dir.list(b"fd") {
        Ok(names) => names,
        Err(error) => return count_unless_gone(process, "fd", &error),
    };
    let mut numbers: Vec<u32> =
        names.iter().filter_map(|name| std::str::from_utf8(name).ok()?.parse().ok()).collect();
    numbers.sort_unstable();
    let cap = DESCRIPTORS_EACH.min(*left);
    if numbers.len() > cap {
        let why = format!(
            "only the first {DESCRIPTORS_EACH} open files of a process and {DESCRIPTORS_MAX} of the host are looked at"
        );
        process.batch.skips.push(Skip::because("proc/PID/fd", &process.path("fd"), "cap", why));
        numbers.truncate(cap);
    }
    *left -= numbers.len();
    for number in numbers {
        let name = format!("fd/{number}");
        // One that was closed meanwhile is no reference any more.
        let Ok(text) = process.dir.link(name.as_bytes()) else { continue };
        if let Some(inode) = inode_of(&text, "mnt") {
            process.batch.facts.push(Fact::OpenNamespace { pid: process.pid, fd: number, inode });
        } else if leads_to_a_file(&text) {
            process.batch.entries.push(Entry::symlink(process.path(&name), text));
            if !wanted.gentle {
                line(process, &name, lines);
            }
        }
    }
}

fn count_unless_gone(process: &mut Process<'_>, name: &str, error: &io::Error) {
    if !matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH)) {
        process.count(name, name, error);
    }
}

/// Whether a link text names a file or device, and not a socket, a pipe, an anonymous inode or memory.
pub(super) fn leads_to_a_file(text: &[u8]) -> bool {
    const MEMORY: [&[u8]; 6] =
        [b"/memfd:", b"/SYSV", b"/dmabuf:", b"/anon_hugepage", b"/[aio]", b"/dev/zero (deleted)"];
    text.starts_with(b"/") && !MEMORY.iter().any(|memory| text.starts_with(memory))
}

/// Writes the line of one link and returns what it told.
fn line(process: &Process<'_>, name: &str, lines: &mut Vec<u8>) -> Option<Behind> {
    if !process.live {
        // Following a recorded link would lead to this machine's files.
        return None;
    }
    let behind = sys::behind(process.dir.fd(), &sys::c_path(name.as_bytes()).ok()?).ok()?;
    write_line(lines, name, &behind).ok()?;
    lines.push(b'\n');
    Some(behind)
}

/// `NAME dev=… ino=… mnt=… type=… rdev=…`, without the end of the line.
pub(super) fn write_line(lines: &mut Vec<u8>, name: &str, behind: &Behind) -> io::Result<()> {
    write!(lines, "{name} dev={}:{} ino={}", behind.dev.0, behind.dev.1, behind.ino)?;
    if let Some(mount) = behind.mount {
        write!(lines, " mnt={mount}")?;
    }
    let kind = match behind.mode & libc::S_IFMT {
        libc::S_IFREG => "reg",
        libc::S_IFDIR => "dir",
        libc::S_IFCHR => "chr",
        libc::S_IFBLK => "blk",
        libc::S_IFIFO => "fifo",
        libc::S_IFSOCK => "sock",
        libc::S_IFLNK => "lnk",
        _ => return Ok(()),
    };
    write!(lines, " type={kind}")?;
    if matches!(kind, "chr" | "blk") {
        write!(lines, " rdev={}:{}", behind.rdev.0, behind.rdev.1)?;
    }
    Ok(())
}
