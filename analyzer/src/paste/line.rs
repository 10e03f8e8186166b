//! What one line of a paste is.

use super::command::{self, Command};
use crate::parse::mountinfo::{self, Mount};
use crate::parse::{device_trees, kernel_release, mounts_table, namespace_link, whole_number};
use crate::snapshot::Pid;

/// Mount tables of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProcFile {
    /// With mount ids and device numbers.
    Mountinfo,
    /// `/proc/PID/mounts`, findmnt(8), mount(8).
    Mounts,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// A mount, of that process where a prefix tells; the mount begins at that byte.
    Mount(Option<Pid>, ProcFile, usize),
    /// Meant to be a line of mountinfo.
    BadMount,
    /// A line of another file of a process, from that byte on.
    OfProcess(Pid, &'static str, usize),
    /// `NAME -> TARGET`, as `ls -l` shows links.
    Link(&'a [u8], &'a [u8]),
    /// `/proc/622/fd:`, which `ls` writes above a directory.
    Directory(String),
    /// A shell's prompt with a command.
    Prompt(Command<'a>),
    /// Only the name of a process's mount table, as `grep -l` prints it.
    Named(Pid),
    /// `Key=value` of `systemctl show`.
    Property,
    /// `uname -a`, from that byte on.
    Kernel(usize),
    /// A line of `losetup -a` or of the long form of `dmsetup info`.
    Device,
    /// Anything else.
    Unknown,
}

/// A mount may stand behind a time stamp or another prefix of so many words.
const MOST_PREFIX_WORDS: usize = 8;

impl<'a> Line<'a> {
    pub(super) fn of(text: &'a [u8]) -> Self {
        if let Some((pid, name, at)) = grep_prefix(text) {
            let rest = &text[at..];
            return match name {
                b"mountinfo" => Self::Mount(Some(pid), ProcFile::Mountinfo, at),
                b"mounts" if mounts_table::parse_line(rest, 1).is_some() => {
                    Self::Mount(Some(pid), ProcFile::Mounts, at)
                }
                b"cgroup" => Self::OfProcess(pid, "cgroup", at),
                b"comm" => Self::OfProcess(pid, "comm", at),
                b"status" => Self::OfProcess(pid, "status", at),
                _ => Self::Unknown,
            };
        }
        if let Some(at) = mount_at(text) {
            return Self::Mount(None, ProcFile::Mountinfo, at);
        }
        if let Some((name, target)) = link(text) {
            return Self::Link(name, target);
        }
        if mounts_table::parse_line(text, 1).is_some() {
            return Self::Mount(None, ProcFile::Mounts, 0);
        }
        if let Some(directory) = text.strip_suffix(b":").filter(|d| d.starts_with(b"/proc/")) {
            return Self::Directory(crate::bytes::visible(directory));
        }
        if let Some(at) = kernel_at(text) {
            return Self::Kernel(at);
        }
        if let Some(pid) = lone_table(text) {
            return Self::Named(pid);
        }
        if is_device(text) {
            return Self::Device;
        }
        if is_property(text) {
            return Self::Property;
        }
        if is_meant_as_mount(text) {
            return Self::BadMount;
        }
        command::of(text).map_or(Self::Unknown, Self::Prompt)
    }
}

/// A line of `losetup -a`, of the long form of `dmsetup info` or of `dmsetup ls`.
fn is_device(text: &[u8]) -> bool {
    const BEGIN: [&[u8]; 3] = [b"Name: ", b"Open count:", b"Major, minor:"];
    let is_loop = || text.strip_prefix(b"/dev/loop").is_some_and(|t| t.iter().take(5).any(|b| *b == b':'));
    BEGIN.iter().any(|begin| text.starts_with(begin))
        || is_loop()
        || (text.ends_with(b")") && !device_trees::dmsetup_ls(text).is_empty())
}

/// `PrivateTmp=yes`: systemd's names begin with a capital and are one word.
fn is_property(text: &[u8]) -> bool {
    let Some(equals) = memchr::memchr(b'=', text).filter(|at| *at > 1) else { return false };
    text[0].is_ascii_uppercase()
        && text[..equals].iter().all(u8::is_ascii_alphanumeric)
        && text[..equals].iter().any(u8::is_ascii_lowercase)
}

/// 12 and more hexadecimal digits.
pub(super) fn is_id(word: &[u8]) -> bool {
    word.len() >= 12 && word.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// `/proc/622/mountinfo:`, with `-n` a line number after it; also relative (`622/mountinfo:`) and of a thread.
fn grep_prefix(text: &[u8]) -> Option<(Pid, &[u8], usize)> {
    const FILES: [&[u8]; 5] = [b"mountinfo", b"mounts", b"cgroup", b"comm", b"status"];
    let colon = (0..text.len().min(200)).find(|&i| text[i] == b':')?;
    let path: Vec<&[u8]> = text[..colon].trim_ascii_start().split(|&b| b == b'/').collect();
    let (name, directories) = path.split_last()?;
    let name = FILES.iter().find(|f| *f == name)?;
    let pid = match directories {
        [.., pid, b"task", _] | [.., pid] => whole_number(pid)?,
        [] => return None,
    };
    let mut at = colon + 1;
    // The number of grep -n: no file of these begins with a number and a colon but cgroup, whose first field is
    // followed by another one.
    let digits = text[at..].iter().take_while(|b| b.is_ascii_digit()).count();
    let numbered = digits > 0 && text.get(at + digits) == Some(&b':');
    let fields = text[at..].split(|&b| b == b':').take(4).count();
    if numbered && (*name != b"cgroup" || (fields == 4 && text[at + digits + 1].is_ascii_digit())) {
        at += digits + 1;
    }
    Some((Pid(pid), name, at))
}

/// The process whose mount table a lone path names: `/proc/622/mountinfo`.
fn lone_table(text: &[u8]) -> Option<Pid> {
    let path = text.trim_ascii();
    let parts: Vec<&[u8]> = crate::bytes::components(path).collect();
    match parts[..] {
        [b"proc", pid, b"mountinfo" | b"mounts"] if path.starts_with(b"/") => whole_number(pid).map(Pid),
        [b"proc", pid, b"task", _, b"mountinfo" | b"mounts"] => whole_number(pid).map(Pid),
        _ => None,
    }
}

/// Where in a line a mount begins that makes sense as one.
fn mount_at(text: &[u8]) -> Option<usize> {
    // Logs are long: most lines are turned away by this alone.
    memchr::memmem::find(text, b" - ")?;
    let starts = std::iter::once(0).chain(
        (1..text.len()).filter(|&i| text[i].is_ascii_digit() && matches!(text[i - 1], b' ' | b'\t' | b':')),
    );
    starts
        .take_while(|&at| text[..at].iter().filter(|b| **b == b' ').count() <= MOST_PREFIX_WORDS)
        .take(4 * MOST_PREFIX_WORDS)
        .find(|&at| mountinfo::parse_line(&text[at..]).is_ok_and(|m| makes_sense(&m)))
}

fn makes_sense(mount: &Mount<'_>) -> bool {
    mount.raw_mount_point.starts_with(b"/")
        && (mount.raw_root.starts_with(b"/") || namespace_link::parse(&mount.root()).is_some())
}

/// Two numbers at the beginning and a path somewhere: a line of mountinfo that was damaged.
fn is_meant_as_mount(text: &[u8]) -> bool {
    let words: Vec<&[u8]> = crate::parse::words(text).take(6).collect();
    let number = |i: usize| words.get(i).is_some_and(|w| w.iter().all(u8::is_ascii_digit));
    let paths = words.iter().filter(|w| w.starts_with(b"/")).count();
    number(0) && number(1) && words.len() >= 4 && paths >= 2
}

/// The name and target of a line of `ls -l`; the name alone of `find -printf '%p -> %l'`.
fn link(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let arrow = memchr::memmem::find(text, b" -> ")?;
    let (before, target) = (&text[..arrow], &text[arrow + 4..]);
    let name = before.rsplit(|&b| b == b' ').next()?;
    let is_listing = before.trim_ascii_start().starts_with(b"l") || name.starts_with(b"/proc/");
    (is_listing && !target.is_empty()).then_some((name, target))
}

/// The whole path of a link of a process: from its name, or from the directory that is listed.
pub(super) fn path_of_link(name: &[u8], directory: Option<&str>) -> Option<String> {
    let shown = crate::bytes::visible(name);
    let path = if shown.starts_with('/') { shown } else { format!("{}/{shown}", directory?) };
    let path = path.trim_start_matches('/').to_owned();
    let pid = path.strip_prefix("proc/")?.split('/').next()?;
    pid.bytes().all(|b| b.is_ascii_digit()).then_some(path)
}

/// `Linux HOST RELEASE …`.
fn kernel_at(text: &[u8]) -> Option<usize> {
    let at = memchr::memmem::find(text, b"Linux ")?;
    let words: Vec<&[u8]> = crate::parse::words(&text[at..]).take(4).collect();
    let [_, _, release, version] = words[..] else { return None };
    (at < 40 && kernel_release::parse(release).is_some() && version.starts_with(b"#")).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grep_prefixes_of_every_kind() {
        for prefix in [
            "/proc/622/mountinfo:",
            "/proc/622/mountinfo:37:",
            "622/mountinfo:",
            "/proc/622/task/623/mountinfo:4:",
        ] {
            let line = format!("{prefix}97 61 0:54 / /m rw - overlay overlay rw");
            let expected = Line::Mount(Some(Pid(622)), ProcFile::Mountinfo, prefix.len());
            assert_eq!(Line::of(line.as_bytes()), expected, "{line}");
        }
        let cgroup = b"/proc/9/cgroup:1:name=systemd:/docker/x";
        assert_eq!(Line::of(cgroup), Line::OfProcess(Pid(9), "cgroup", 15));
        let numbered = b"/proc/9/cgroup:3:1:name=systemd:/docker/x";
        assert_eq!(Line::of(numbered), Line::OfProcess(Pid(9), "cgroup", 17));
    }

    #[test]
    fn a_mount_behind_a_time_stamp() {
        let line = b"[+1136s] # 61 1 0:30 /root / rw shared:1 - btrfs /dev/sda5 rw";
        assert_eq!(Line::of(line), Line::Mount(None, ProcFile::Mountinfo, 11));
    }

    #[test]
    fn links_prompts_and_sentences() {
        let ls = b"lrwxrwxrwx 1 root root 0 Nov 22 08:40 /proc/622/ns/mnt -> mnt:[4026532255]";
        assert_eq!(Line::of(ls), Line::Link(b"/proc/622/ns/mnt", b"mnt:[4026532255]"));
        assert_eq!(path_of_link(b"7", Some("/proc/622/fd")).as_deref(), Some("proc/622/fd/7"));
        let Line::Prompt(command) = Line::of(b"[root@web1 ~]# ls -l /proc/1/ns") else { panic!("a prompt") };
        assert_eq!(command.text, b"ls -l /proc/1/ns");
        assert_eq!(Line::of(b"/proc/622/mountinfo"), Line::Named(Pid(622)));
        assert_eq!(Line::of(b"PrivateTmp=yes"), Line::Property);
        assert_eq!(Line::of(b"docker-8:1-77-pool (253:1)"), Line::Device);
        assert_eq!(Line::of(b"I removed it -> still busy"), Line::Unknown);
        assert_eq!(Line::of(b"224 62 foo:0 /a /b rw - x y z"), Line::BadMount);
    }
}
