//! The short files of `/proc/PID`: `stat`, `status`, `cmdline`, `comm` (proc(5)).
//!
//! ```
//! use ebusy_analyzer::parse::process_files::{cmdline, status};
//!
//! let read = status(b"Name:\thttpd\nState:\tD (disk sleep)\nUid:\t48\t48\t48\t48\n");
//! assert_eq!((read.state, read.uid), (Some('D'), Some(48)));
//! assert_eq!(cmdline(b"tail\0-f\0/a b\0"), [&b"tail"[..], b"-f", b"/a b"]);
//! ```

use nom::Parser;
use nom::bytes::complete::tag;
use nom::character::complete::char;

use super::{number, numbered_lines};

/// What `/proc/PID/stat` tells that matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stat<'a> {
    /// Short name; may hold blanks and parentheses.
    pub comm: &'a [u8],
    /// `R`, `S`, `D`, `Z`, …
    pub state: Option<char>,
    /// Parent's pid.
    pub parent: u32,
    /// Threads, with the first one even where that has ended.
    pub threads: u32,
    /// Start time in clock ticks after boot.
    pub start_ticks: Option<u64>,
}

/// Parses `PID (COMM) STATE PPID …`. The name ends at the LAST closing parenthesis: it may hold some itself.
pub fn stat(text: &[u8]) -> Option<Stat<'_>> {
    let begin = || (number::<u32>, char::<&[u8], nom::error::Error<&[u8]>>(' '), tag(&b"("[..]));
    let (after, _) = begin().parse(text).ok()?;
    let end = memchr::memrchr(b')', after)?;
    let mut fields = after[end + 1..].trim_ascii().split(|&b| b == b' ');
    Some(Stat {
        comm: &after[..end],
        state: fields.next().and_then(|f| f.first()).map(|&b| char::from(b)),
        parent: fields.next().and_then(super::whole_number).unwrap_or(0),
        // The 20th in all, and the 22nd (proc_pid_stat(5)).
        threads: fields.nth(15).and_then(super::whole_number).unwrap_or(0),
        start_ticks: fields.nth(1).and_then(super::whole_number),
    })
}

/// What `/proc/PID/status` tells that matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status<'a> {
    /// Short name, with the kernel's escapes.
    pub name: Option<&'a [u8]>,
    /// State letter.
    pub state: Option<char>,
    /// Threads.
    pub threads: u32,
    /// Effective user id.
    pub uid: Option<u32>,
    /// Pids from the outermost to the innermost pid namespace.
    pub namespace_pids: Vec<u32>,
}

/// Parses `Key:\tvalue` lines.
pub fn status(text: &[u8]) -> Status<'_> {
    let mut status = Status::default();
    for (_, line) in numbered_lines(text) {
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let (key, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        let mut numbers = value.split(u8::is_ascii_whitespace).filter_map(super::whole_number::<u32>);
        match key {
            b"Name" => status.name = Some(value),
            b"State" => status.state = value.first().map(|&b| char::from(b)),
            b"Threads" => status.threads = numbers.next().unwrap_or(0),
            b"Uid" => status.uid = numbers.nth(1),
            b"NSpid" => status.namespace_pids = numbers.collect(),
            _ => {}
        }
    }
    status
}

/// Arguments of a command line; the last NUL ends an argument and begins none.
pub fn cmdline(text: &[u8]) -> Vec<&[u8]> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let mut arguments: Vec<&[u8]> = text.split(|&b| b == 0).collect();
    while arguments.last().is_some_and(|a| a.is_empty()) {
        arguments.pop();
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let s = stat(b"42 (a) b (c)) D 7 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 6641 0 0\n").unwrap();
        assert_eq!(s.comm, b"a) b (c)");
        assert_eq!((s.state, s.parent, s.start_ticks), (Some('D'), 7, Some(6641)));
        assert_eq!(stat(b"x"), None);
    }

    #[test]
    fn status_tells_user_and_inner_pid() {
        let s = status(b"Name:\tsh\nState:\tS (sleeping)\nUid:\t0\t33\t0\t0\nNSpid:\t900\t7\n");
        assert_eq!((s.state, s.uid, s.namespace_pids), (Some('S'), Some(33), vec![900, 7]));
    }

    #[test]
    fn arguments_are_split_at_nuls() {
        assert_eq!(cmdline(b"a\0b c\0\0"), vec![&b"a"[..], b"b c"]);
        assert!(cmdline(b"").is_empty());
    }
}
