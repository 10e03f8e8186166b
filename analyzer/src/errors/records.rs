//! A log → the few records worth reading: lines with one of the stems, joined with the lines that they
//! were wrapped from.

use super::{clean, frame, locale, wording};
use memchr::memmem::{FindIter, Finder};

/// How many lines before a busy line may belong to it.
const LINES_BACK: usize = 8;
/// Of longer lines only this much around the stem is read.
const WINDOW: usize = 16 * 1024;

/// One line that may be a busy error, with the lines it continues.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Line of its beginning, counted from 1.
    pub(crate) line: u32,
    /// The lines as they stand in the log.
    pub(crate) raw: String,
    /// The lines as one.
    pub(crate) joined: String,
    /// `__REALTIME_TIMESTAMP` of the entry, in journald's export format.
    pub(crate) micros: Option<i64>,
}

/// Whether a line has one of the stems that are searched for in a long log.
pub(crate) fn may_tell(line: &[u8]) -> bool {
    let mut stems = wording::STEMS.iter().chain(wording::LINK_STEMS);
    stems.any(|stem| memchr::memmem::find(line, stem).is_some())
}

/// Calls `each` for every candidate; returns the number of lines of the log.
pub(crate) fn each_candidate(log: &[u8], mut each: impl FnMut(Candidate)) -> u64 {
    let local = (log.len() <= locale::LONGEST).then(locale::stems).into_iter().flatten();
    let all = wording::STEMS.iter().chain(wording::LINK_STEMS).copied().chain(local);
    let finders: Vec<Finder> = all.map(Finder::new).collect();
    let mut stems: Vec<(FindIter, Option<usize>)> = finders
        .iter()
        .map(|f| {
            let mut found = f.find_iter(log);
            let first = found.next();
            (found, first)
        })
        .collect();
    let mut lines = LineCounter { counted_to: 0, line: 1 };
    let (mut done, mut joined_to) = (0, 0);
    while let Some(at) = next_hit(&mut stems, done) {
        let start = memchr::memrchr(b'\n', &log[..at]).map_or(0, |n| n + 1);
        let end = memchr::memchr(b'\n', &log[at..]).map_or(log.len(), |n| at + n);
        let (candidate, used) = build(log, (start, at, end), joined_to, &mut lines);
        each(candidate);
        done = used;
        // A line that only tells a link may still be the beginning of a wrapped error.
        if wording::STEMS.iter().any(|s| memchr::memmem::find(&log[start..end], s).is_some()) {
            joined_to = used;
        }
    }
    let newlines = memchr::memchr_iter(b'\n', log).count() as u64;
    newlines + u64::from(!log.is_empty() && !log.ends_with(b"\n"))
}

/// The next stem at or after `from`.
fn next_hit(stems: &mut [(FindIter, Option<usize>)], from: usize) -> Option<usize> {
    for (found, next) in stems.iter_mut() {
        while next.is_some_and(|at| at < from) {
            *next = found.next();
        }
    }
    stems.iter().filter_map(|(_, next)| *next).min()
}

struct LineCounter {
    counted_to: usize,
    line: u32,
}

impl LineCounter {
    fn at(&mut self, log: &[u8], offset: usize) -> u32 {
        if offset < self.counted_to {
            // A wrapped error begins before a line that was looked at already.
            let less = memchr::memchr_iter(b'\n', &log[offset..self.counted_to]).count();
            return self.line.saturating_sub(u32::try_from(less).unwrap_or(u32::MAX));
        }
        if let Some(part) = log.get(self.counted_to..offset) {
            let more = memchr::memchr_iter(b'\n', part).count();
            self.line = self.line.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
            self.counted_to = offset;
        }
        self.line
    }
}

/// Joins the line at `start..end` with its predecessors, not before `done`; returns where to go on.
fn build(
    log: &[u8],
    (start, at, end): (usize, usize, usize),
    done: usize,
    lines: &mut LineCounter,
) -> (Candidate, usize) {
    let current = readable(&log[start..end], at - start);
    let mut parts = vec![current];
    let mut first = start;
    while parts.len() <= LINES_BACK && first > done {
        let previous_start = memchr::memrchr(b'\n', &log[..first - 1]).map_or(0, |n| n + 1);
        let bytes = &log[previous_start..first - 1];
        let previous = readable(bytes, bytes.len());
        if previous_start < done || !continues(&previous, parts.first().map_or("", |p| p)) {
            break;
        }
        parts.insert(0, previous);
        first = previous_start;
    }
    let mut after = (end + 1).min(log.len());
    let tail = parts.last().map_or("", |p| p.trim_end());
    // umount(8) before 2.23 named the mount point in a second line.
    let umount2 = tail.trim_start().starts_with("umount2: ");
    if tail.ends_with("usy:") || tail.ends_with("-job") || umount2 {
        let next_end = memchr::memchr(b'\n', &log[after..]).map_or(log.len(), |n| after + n);
        let next = readable(&log[after..next_end], 0);
        let names = next.trim_start();
        if if umount2 { names.starts_with("umount: ") } else { names.starts_with(['\'', '"', '/']) } {
            parts.push(next);
            after = (next_end + 1).min(log.len());
        }
    }
    let candidate = Candidate {
        line: lines.at(log, first),
        micros: export_time(log, first),
        joined: join(&parts),
        raw: parts.join("\n"),
    };
    (candidate, after)
}

/// The line as text without colours; of very long ones the part around `at`.
fn readable(line: &[u8], at: usize) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let from = at.saturating_sub(WINDOW).min(line.len());
    let to = (at + WINDOW).min(line.len());
    let mut text = clean::lossy(&clean::strip_ansi(&line[from..to]));
    if from > 0 {
        text.insert_str(0, &format!("[{from} bytes left out] "));
    }
    if to < line.len() {
        text.push_str(&format!(" [{} bytes left out]", line.len() - to));
    }
    text
}

/// Whether `line` goes on where `previous` stopped.
fn continues(previous: &str, line: &str) -> bool {
    let (before, after) = (previous.trim_end(), strip_mark(line));
    if before.trim().is_empty() || after.is_empty() || frame::starts_record(line) || before.len() > 4 * 1024 {
        return false;
    }
    let lower = before.to_ascii_lowercase();
    let said =
        ["busy", "= err"].iter().any(|w| lower.contains(w)) && !lower.ends_with(':') && !lower.ends_with(',');
    if said {
        return false;
    }
    // rbd says in two lines that it failed; it, and others, name no object but in the command above.
    if lower.ends_with("rbd: sysfs write failed") || names_nothing(after) && runs_tool_of(&lower, after) {
        return true;
    }
    // mount-utils print the command and what it said in lines of their own.
    let parts_of_message = ["unmounting arguments: ", "mounting arguments: ", "output: "];
    let first = after.to_ascii_lowercase();
    if parts_of_message.iter().any(|p| first.starts_with(p))
        && (lower.contains("exit status") || lower.starts_with("unmounting arguments: "))
    {
        return true;
    }
    // btrfs-progs name the subvolume in the line before.
    if lower.contains("delete subvolume (") && after.starts_with("ERROR") {
        return true;
    }
    let cut_phrase = ["device or", "device or resource", "resource", "device is", "target is", "dataset is"];
    let cut_here =
        cut_phrase.iter().any(|p| lower.ends_with(p)) || before.ends_with("while waiting for device");
    let starts_low =
        ["device or resource busy", "or resource busy", "resource busy", "busy", "device is busy", "=> "];
    if cut_here || starts_low.iter().any(|p| first.starts_with(p)) && (opens(&lower) || before.ends_with(':'))
    {
        return true;
    }
    let command = [
        "umount:", "rm:", "rmdir:", "mv:", "error:", "error ", "rbd:", "docker:", "losetup:", "mount:",
        "cannot ", "sed:",
    ];
    let own_start = command.iter().any(|c| first.starts_with(c)) && !cut_word(before, after);
    if own_start && !(opens(&lower) && before.ends_with(':')) {
        return false;
    }
    cut_word(before, after)
        || before.ends_with([':', '\\'])
        || before.ends_with("=>")
        || open_quote(before) && open_quote(after)
        || opens(&lower)
}

/// `rbd: unmap failed: (16) Device or resource busy`: a tool's message without a path.
fn names_nothing(line: &str) -> bool {
    !line.contains('/')
}

/// Whether `before` is a prompt with the command whose message `line` begins with the command's name.
fn runs_tool_of(before: &str, line: &str) -> bool {
    let Some((tool, _)) = line.split_once(": ") else { return false };
    let command = before.split_once("# ").or_else(|| before.split_once("$ ")).map(|(_, c)| c.trim());
    let Some(command) = command else { return false };
    let command = command.strip_prefix("sudo ").unwrap_or(command);
    tool.bytes().all(|b| b.is_ascii_lowercase()) && command.split(' ').next() == Some(tool)
}

/// Words with which runtimes begin a message that is often wrapped.
fn opens(lower: &str) -> bool {
    const OPENINGS: [&str; 16] = [
        "error response from daemon",
        "root filesystem",
        "remove filesystem",
        "cannot destroy container",
        "cannot start container",
        "unlinkat",
        "error removing",
        "failed to unmount",
        "cleaning up storage",
        "removing container",
        "exit status",
        "zfs destroy",
        "error occurred",
        "waiting for device",
        "failed to remove",
        "teardown failed",
    ];
    OPENINGS.iter().any(|o| lower.contains(o))
}

/// `"msg=\"error unmounting device` without the closing quote.
fn open_quote(line: &str) -> bool {
    line.matches('"').count() % 2 == 1
}

/// A terminal cut an id or a UUID in two: `…206c` and `d0dc…`.
fn cut_word(before: &str, after: &str) -> bool {
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let tail = before.len() - before.trim_end_matches(hex).len();
    let head = after.len() - after.trim_start_matches(hex).len();
    tail > 0 && head > 0 && tail + head == 64 || before.ends_with('-') && head >= 4 && before.contains('/')
}

/// Without blanks and the marks of quotes.
fn strip_mark(line: &str) -> &str {
    line.trim_start_matches([' ', '\t', '>', '|']).trim_end()
}

fn join(parts: &[String]) -> String {
    let mut joined = String::new();
    for (i, part) in parts.iter().enumerate() {
        if i == 0 {
            joined.push_str(part.trim_end());
            continue;
        }
        let part = strip_mark(part);
        if !cut_word(&joined, part) {
            joined.push(' ');
        }
        joined.push_str(part);
    }
    joined
}

/// The time of an entry in journald's export format stands in a line of its own above.
fn export_time(log: &[u8], first: usize) -> Option<i64> {
    const KEY: &[u8] = b"__REALTIME_TIMESTAMP=";
    let line = log.get(first..)?;
    if !line.starts_with(b"MESSAGE=") {
        return None;
    }
    let head = &log[first.saturating_sub(16 * 1024)..first];
    let entry = memchr::memmem::rfind(head, b"\n\n").map_or(head, |n| &head[n..]);
    let at = memchr::memmem::rfind(entry, KEY)? + KEY.len();
    let digits = entry[at..].split(|b| !b.is_ascii_digit()).next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(log: &str) -> Vec<(u32, String)> {
        let mut found = Vec::new();
        each_candidate(log.as_bytes(), |c| found.push((c.line, c.joined)));
        found
    }

    #[test]
    fn wrapped_lines_become_one() {
        let log = "hello\nError: Unable to remove filesystem for\n0a1b:\nremove /x/shm:\nDevice or resource busy\nbye\n";
        assert_eq!(
            all(log),
            [(
                2,
                "Error: Unable to remove filesystem for 0a1b: remove /x/shm: Device or resource busy".into()
            )]
        );
    }

    #[test]
    fn lines_of_their_own_stay_apart() {
        let log = "rmdir: /a: device busy\r\numount: /b: target is busy.\numount: /c: target is busy.";
        let lines: Vec<u32> = all(log).iter().map(|c| c.0).collect();
        assert_eq!(lines, [1, 2, 3]);
        let stamped = "Error response from daemon: x:\nJul 14 15:22:06 h dockerd[1]: remove /a: device or resource busy";
        assert_eq!(all(stamped).len(), 1);
        assert_eq!(all(stamped)[0].0, 2);
    }

    #[test]
    fn an_id_that_a_terminal_cut_is_whole_again() {
        let id = "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9";
        let log =
            format!("Unable to remove filesystem for {}\n{}: device or resource busy", &id[..40], &id[40..]);
        assert!(all(&log)[0].1.contains(id));
    }

    #[test]
    fn lines_are_counted_and_long_ones_cut() {
        let long = format!("{}remove /srv/x: device or resource busy\n", "y".repeat(1 << 20));
        let mut found = Vec::new();
        assert_eq!(each_candidate(long.as_bytes(), |c| found.push(c)), 1);
        assert!(found[0].raw.len() < 64 * 1024 && found[0].raw.contains("/srv/x"));
        assert_eq!(each_candidate(b"a\nb\nc", |_| ()), 3);
        assert_eq!(each_candidate(b"", |_| ()), 0);
    }
}
