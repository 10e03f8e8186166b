//! Mapped files, of `/proc/PID/maps`: a library or a data file keeps its mount busy even when no descriptor is open.
//!
//! Most mappings say nothing that `root` and `exe` do not say already. Kept are those on another device than these
//! two, those that were deleted, and those below another mount of the root's device (a bind mount). Their mount id
//! comes from `map_files`, which wants privilege; without it the device and inode are still there.

use std::collections::BTreeSet;
use std::io::Write;

use super::Process;
use super::identity::find;
use super::links::{leads_to_a_file, write_line};
use super::mount_table::TableFacts;
use crate::summary::Skip;
use crate::sys;

/// Most of `maps` that is read; large Java programs have about 10 MB.
const MAPS_MAX: usize = 16 << 20;
/// Most mapped files written for one process.
const FILES_MAX: usize = 256;

/// One line of `maps`.
#[derive(Debug, PartialEq, Eq)]
struct Mapping<'a> {
    /// `START-END`, as in the names of `map_files`.
    range: &'a str,
    dev: (u32, u32),
    ino: u64,
    path: &'a [u8],
}

/// Appends the lines of the mapped files that are worth it.
pub(super) fn read(
    process: &mut Process<'_>,
    devices: &[(u32, u32)],
    facts: &TableFacts,
    lines: &mut Vec<u8>,
) {
    match process.dir.read_virtual_until(b"maps", MAPS_MAX, is_whole, process.buffer) {
        Ok(()) => {}
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH)) => return,
        Err(error) => return process.count("maps", "maps", &error),
    }
    let mut seen = BTreeSet::new();
    let mut cut = process.buffer.truncated;
    let mut last: &[u8] = b"";
    let mut rest = process.buffer.bytes();
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        // A file is mapped in several pieces, one after another.
        let file = file_in(line);
        if std::mem::replace(&mut last, file) == file {
            continue;
        }
        let Some(mapping) = parse(line) else { continue };
        if !is_wanted(&mapping, devices, facts) || !seen.insert((mapping.dev, mapping.ino)) {
            continue;
        }
        if seen.len() > FILES_MAX {
            cut = true;
            break;
        }
        write_mapping(process, &mapping, lines);
    }
    if cut {
        let why = format!("only the first {FILES_MAX} mapped files of a process are kept");
        process.batch.skips.push(Skip::because("proc/PID/maps", &process.path("maps"), "cap", why));
    }
}

/// Whether this text of `maps` is all of it: x86-64 ends it with a page at an address that no process can map itself.
fn is_whole(text: &[u8]) -> bool {
    let line = text.strip_suffix(b"\n").unwrap_or_default();
    let start = memchr::memrchr(b'\n', line).map_or(0, |at| at + 1);
    line[start..].starts_with(b"ffffffffff600000-")
}

/// `MAJOR:MINOR INODE  PATH` of a line.
fn file_in(line: &[u8]) -> &[u8] {
    line.splitn(4, |&b| b == b' ').nth(3).unwrap_or_default()
}

fn is_wanted(mapping: &Mapping<'_>, devices: &[(u32, u32)], facts: &TableFacts) -> bool {
    leads_to_a_file(mapping.path)
        && (!devices.contains(&mapping.dev)
            || mapping.path.ends_with(b" (deleted)")
            || facts.same_device_mounts.iter().any(|mount| is_below(mapping.path, mount)))
}

/// Whether the path is the mount point or lies below it, by whole components.
fn is_below(path: &[u8], mount: &[u8]) -> bool {
    path.strip_prefix(mount).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

fn write_mapping(process: &Process<'_>, mapping: &Mapping<'_>, lines: &mut Vec<u8>) {
    let start = mapping.range.split('-').next().unwrap_or_default();
    let name = format!("map/{start}");
    let link = format!("map_files/{}", mapping.range);
    let behind = sys::c_path(link.as_bytes()).and_then(|link| sys::behind(process.dir.fd(), &link));
    let written = match behind {
        Ok(behind) => write_line(lines, &name, &behind),
        Err(_) => {
            let ((major, minor), ino) = (mapping.dev, mapping.ino);
            write!(lines, "{name} dev={major}:{minor} ino={ino} type=reg")
        }
    };
    if written.is_ok() {
        lines.extend_from_slice(b" path=");
        escape(mapping.path, lines);
        lines.push(b'\n');
    }
}

/// `START-END PERMS OFFSET MAJOR:MINOR INODE  PATH`; `None` for memory without a file.
fn parse(line: &[u8]) -> Option<Mapping<'_>> {
    let path_at = memchr::memchr(b'/', line)?;
    let head = std::str::from_utf8(&line[..path_at]).ok()?;
    let mut fields = head.split_ascii_whitespace();
    let range = fields.next()?;
    let (major, minor) = fields.nth(2)?.split_once(':')?;
    let dev = (u32::from_str_radix(major, 16).ok()?, u32::from_str_radix(minor, 16).ok()?);
    let ino = fields.next()?.parse().ok()?;
    (ino != 0).then_some(Mapping { range, dev, ino, path: &line[path_at..] })
}

/// Escapes as mountinfo does. maps itself escapes the line feed only.
fn escape(path: &[u8], lines: &mut Vec<u8>) {
    let mut rest = path;
    while let Some((&byte, after)) = rest.split_first() {
        if rest.starts_with(b"\\012") {
            lines.extend_from_slice(b"\\012");
            rest = &rest[4..];
            continue;
        }
        match byte {
            b' ' => lines.extend_from_slice(b"\\040"),
            b'\t' => lines.extend_from_slice(b"\\011"),
            b'\\' => lines.extend_from_slice(b"\\134"),
            _ => lines.push(byte),
        }
        rest = after;
    }
    debug_assert!(find(lines, b"\n\n").is_none());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_maps() {
        let line =
            b"7f1c00000000-7f1c00021000 r-xp 00000000 fd:0a 40                 /rootfs/lib/a b.so (deleted)";
        let mapping = parse(line).unwrap();
        assert_eq!(mapping.range, "7f1c00000000-7f1c00021000");
        assert_eq!((mapping.dev, mapping.ino), ((253, 10), 40));
        let mut out = Vec::new();
        escape(mapping.path, &mut out);
        assert_eq!(out, b"/rootfs/lib/a\\040b.so\\040(deleted)");
        assert_eq!(parse(b"7ffe-7fff rw-p 00000000 00:00 0      [stack]"), None);
        assert_eq!(parse(b"7ffe-7fff rw-p 00000000 00:00 0 "), None);
    }

    #[test]
    fn only_mappings_that_say_more_than_root_and_program() {
        let facts = TableFacts { same_device_mounts: vec![b"/srv/bind".to_vec()], ..TableFacts::default() };
        let wanted = |path: &str, dev| {
            let mapping = Mapping { range: "1-2", dev, ino: 1, path: path.as_bytes() };
            is_wanted(&mapping, &[(8, 1)], &facts)
        };
        assert!(!wanted("/usr/lib/libc.so", (8, 1)));
        assert!(wanted("/usr/lib/libc.so (deleted)", (8, 1)));
        assert!(wanted("/mnt/data", (8, 2)));
        assert!(wanted("/srv/bind/data", (8, 1)));
        assert!(!wanted("/srv/bindings/data", (8, 1)));
        assert!(!wanted("/memfd:x (deleted)", (0, 1)));
    }
}
