//! The references a process keeps: root, working directory, program, open descriptors and mapped files.
//!
//! After a lazy umount they are the only trace of what keeps a file system: their text no longer names the mount,
//! so the device number and mount id behind each are written to `links`.

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::mount_table::{TableFacts, inode_of};
use super::{Process, Vanished, maps};
use crate::bundle::{Kind, Secrets};
use crate::context::Fact;
use crate::host_files::Dir;
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
    /// The mount at `/dev` of the first process. What is kept open there, such as `/dev/null`, keeps nothing busy.
    pub(super) devices: Option<u64>,
}

pub(super) fn read(
    process: &mut Process<'_>,
    wanted: Wanted,
    facts: &TableFacts,
    left: &AtomicUsize,
) -> Result<(), Vanished> {
    let mut lines = Vec::new();
    let names: &[&str] = if wanted.kernel_thread { &["root", "cwd"] } else { &["root", "cwd", "exe"] };
    let mut devices = Vec::new();
    for name in names {
        if *name == "root"
            && !wanted.gentle
            && let Some((text, behind)) = process.seen.root.take()
        {
            process.add(Kind::Symlink, name, &text);
            write_line(&mut lines, name, &behind).ok();
            lines.push(b'\n');
            devices.push(behind.dev);
            continue;
        }
        if !add_text_of(process, name)? {
            continue;
        }
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
        process.add(Kind::File(Secrets::None), "links", &lines);
    } else if !process.live {
        // A recorded copy may bring its own.
        if process.dir.read_virtual_until(b"links", 16 << 20, |_| false, process.buffer).is_ok() {
            process.add_buffer(Kind::File(Secrets::None), "links");
        }
    }
    Ok(())
}

/// Adds one of the links that every process has. `false`: it could not be read.
fn add_text_of(process: &mut Process<'_>, name: &str) -> Result<bool, Vanished> {
    match process.dir.link_into(name.as_bytes(), process.buffer) {
        Ok(()) => {
            process.add_buffer(Kind::Symlink, name);
            Ok(true)
        }
        // A process that is just ending has no program any more, though it is still there.
        Err(error) if name == "exe" && error.raw_os_error() == Some(libc::ENOENT) => Ok(false),
        Err(error) if error.raw_os_error() == Some(libc::EACCES) => {
            process.count("{root,cwd,exe}", name, &error);
            Ok(false)
        }
        Err(error) => process.not_read(name, error).map(|()| false),
    }
}

fn descriptors(process: &mut Process<'_>, wanted: Wanted, left: &AtomicUsize, lines: &mut Vec<u8>) {
    let listed = process.dir.listable(b"fd").and_then(|dir| Ok((dir.numbers()?, dir)));
    let (mut numbers, dir) = match listed {
        Ok(listed) => listed,
        Err(error) => return count_unless_gone(process, "fd", &error),
    };
    let cap = DESCRIPTORS_EACH.min(left.load(Ordering::Relaxed));
    if numbers.len() > cap {
        let why = format!(
            "only the first {DESCRIPTORS_EACH} open files of a process and {DESCRIPTORS_MAX} of the host are looked at"
        );
        process.batch.skips.push(Skip::because("proc/PID/fd", &process.path("fd"), "cap", why));
        numbers.truncate(cap);
    }
    let taken = numbers.len();
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(taken))).ok();
    for number in numbers {
        let name = format!("fd/{number}");
        let inside = &name["fd/".len()..];
        // One that was closed meanwhile is no reference any more.
        if dir.link_into(inside.as_bytes(), process.buffer).is_err() {
            continue;
        }
        let text = process.buffer.bytes();
        if let Some(inode) = inode_of(text, "mnt") {
            process.batch.facts.push(Fact::OpenNamespace { pid: process.pid, fd: number, inode });
        } else if leads_to_a_file(text) {
            let behind = if wanted.gentle || !process.live { None } else { behind(&dir, inside) };
            let mount = behind.and_then(|behind| behind.mount);
            if mount.is_some() && mount == wanted.devices && is_plain_device(process.buffer.bytes()) {
                continue;
            }
            process.add_buffer(Kind::Symlink, &name);
            if let Some(behind) = behind {
                write_line(lines, &name, &behind).ok();
                lines.push(b'\n');
            }
        }
    }
}

/// Devices that every daemon has open and that lead to no data.
fn is_plain_device(text: &[u8]) -> bool {
    matches!(text, b"/dev/null" | b"/dev/zero" | b"/dev/full" | b"/dev/random" | b"/dev/urandom")
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
        return None;
    }
    let behind = behind(process.dir, name)?;
    write_line(lines, name, &behind).ok()?;
    lines.push(b'\n');
    Some(behind)
}

/// Never asked of a recorded link: it would lead to this machine's files.
fn behind(dir: &Dir, name: &str) -> Option<Behind> {
    sys::with_path(name.as_bytes(), |name| sys::behind(dir.fd(), name)).ok()
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
