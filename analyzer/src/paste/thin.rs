//! A long log, line by line as it is read: what says nothing is not kept. It stands there as [`NOTHING`], so that the
//! other lines keep their numbers.

use std::collections::VecDeque;
use std::io::{self, BufRead};

use super::clean;
use super::line::Line;
use crate::archive::{End, Limits, met};
use crate::errors;

/// A text up to this size is kept as it is.
const KEPT_WHOLE: usize = 16 << 20;
/// What stands for a line of a log that says nothing. Not an empty line: that ends tables and a journal's records.
const NOTHING: &[u8] = b"-\n";
/// So many lines before one that says something may belong to it, and so many after it.
const BEFORE: usize = 8;
const AFTER: usize = 2;
/// Longer lines are kept: few are, and whoever wrote them is no logger.
const LONGEST_DROPPED: usize = 16 << 10;

/// A text as far as it was kept.
pub(crate) struct Text {
    /// Its lines.
    pub(crate) bytes: Vec<u8>,
    /// Lines of which only the beginning was kept.
    pub(crate) cut: u64,
    /// How the reading ended.
    pub(crate) end: End,
}

/// Reads a text within the limits `whole`, of what is kept, and `line`.
pub(crate) fn read(input: impl BufRead, limits: &Limits) -> Text {
    read_beyond(KEPT_WHOLE, input, limits)
}

fn read_beyond(kept_whole: usize, mut input: impl BufRead, limits: &Limits) -> Text {
    let mut thinning = Thinning { kept_whole, ..Thinning::default() };
    let mut cut = 0;
    let mut line = Vec::new();
    let end = loop {
        line.clear();
        let (length, taken) = take_line(&mut input, limits.line, &mut line);
        cut += u64::from(length > line.len() as u64);
        thinning.push(&mut line);
        match taken {
            Err(error) => break End::Broken(error.to_string()),
            Ok(()) if length == 0 => break End::Complete,
            Ok(()) => {}
        }
        if thinning.size() > limits.whole {
            break End::Broken(met("whole", limits.whole));
        }
    };
    let mut bytes = thinning.finish();
    bytes.truncate(usize::try_from(limits.whole).unwrap_or(usize::MAX));
    Text { bytes, cut, end }
}

/// Reads one line with its end, of which at most `longest` bytes are kept; tells how long it is, as far as it came.
fn take_line(input: &mut impl BufRead, longest: u64, line: &mut Vec<u8>) -> (u64, io::Result<()>) {
    let mut length = 0;
    loop {
        let buffer = match input.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return (length, Err(error)),
        };
        let newline = memchr::memchr(b'\n', buffer);
        let taken = newline.map_or(buffer.len(), |at| at + 1);
        let room = usize::try_from(longest.saturating_sub(length)).unwrap_or(usize::MAX);
        line.extend_from_slice(&buffer[..taken.min(room)]);
        length += taken as u64;
        input.consume(taken);
        if newline.is_some() || taken == 0 {
            if length > line.len() as u64 && newline.is_some() {
                line.pop();
                line.push(b'\n');
            }
            return (length, Ok(()));
        }
    }
}

#[derive(Default)]
struct Thinning {
    kept_whole: usize,
    kept: Vec<u8>,
    /// The last lines, and whether each says nothing.
    last: VecDeque<(Vec<u8>, bool)>,
    waiting: usize,
    /// Lines still to keep because of one before.
    after: usize,
}

impl Thinning {
    fn push(&mut self, line: &mut Vec<u8>) {
        if self.kept.len() < self.kept_whole {
            self.kept.extend_from_slice(line);
            return;
        }
        let tells = tells(line);
        if tells {
            self.last.iter_mut().for_each(|(_, is_nothing)| *is_nothing = false);
        }
        let is_nothing = self.after == 0 && !tells && is_of_log(line);
        self.after = if tells { AFTER } else { self.after.saturating_sub(1) };
        self.waiting += line.len();
        self.last.push_back((std::mem::take(line), is_nothing));
        if self.last.len() > BEFORE {
            self.keep_first();
        }
    }

    fn keep_first(&mut self) {
        if let Some((line, is_nothing)) = self.last.pop_front() {
            self.waiting -= line.len();
            self.kept.extend_from_slice(if is_nothing { NOTHING } else { &line });
        }
    }

    fn size(&self) -> u64 {
        (self.kept.len() + self.waiting) as u64
    }

    fn finish(mut self) -> Vec<u8> {
        while !self.last.is_empty() {
            self.keep_first();
        }
        self.kept
    }
}

/// Whether an error may be in this line, or something else that is looked for anywhere in a log.
fn tells(line: &[u8]) -> bool {
    const OTHERS: [&[u8]; 2] = [b"Docker daemon", b"Linux version"];
    errors::may_tell(line) || OTHERS.iter().any(|text| memchr::memmem::find(line, text).is_some())
}

/// Whether a logger wrote it, and nothing else that is read here.
fn is_of_log(line: &[u8]) -> bool {
    line.len() <= LONGEST_DROPPED
        && !line.starts_with(b"__")
        && errors::starts_record(&String::from_utf8_lossy(line))
        && Line::of(&clean::line(line)) == Line::Unknown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Analysis, Query};
    use std::ops::ControlFlow;

    fn limits(line: u64, whole: u64) -> Limits {
        Limits { line, whole, ..Limits::default() }
    }

    fn thinned(text: &str) -> String {
        let text = read_beyond(0, text.as_bytes(), &Limits::default());
        String::from_utf8(text.bytes).unwrap()
    }

    fn quiet(count: usize) -> String {
        (0..count).map(|n| format!("Jul 14 15:22:06 web1 cron[{n}]: (root) CMD (run-parts)\n")).collect()
    }

    #[test]
    fn a_log_of_nothing_is_nothing_and_an_error_keeps_its_place() {
        let error = "Jul 14 15:22:07 web1 dockerd[9]: remove /srv/x: device or resource busy\n";
        let log = format!("{}{error}{}", quiet(1000), quiet(1000));
        let kept = thinned(&log);
        assert!(kept.len() < 6000, "{}", kept.len());
        assert_eq!(kept.lines().position(|line| error.starts_with(line)), Some(1000));
        assert_eq!(kept.lines().count(), log.lines().count());
        let of = |text: &str| {
            let analysis = Analysis::open(text.as_bytes(), &mut |_| ControlFlow::Continue(())).unwrap();
            (analysis.overview(), analysis.explain(&Query::Default))
        };
        assert_eq!(of(&kept), of(&log));
    }

    #[test]
    fn what_is_no_log_stays() {
        let paste = "# cat /proc/7/mountinfo\n21 1 8:1 / / rw - ext4 /dev/sda1 rw\nPID COMMAND\n 7 sleep\n\n__REALTIME_TIMESTAMP=1\n[+1136s] # 61 1 0:30 / /m rw - btrfs /dev/sda5 rw\n";
        assert_eq!(thinned(paste), paste);
        // A line that an error goes on in, or begins in.
        let wrapped =
            "time=\"2017-04-12T08:15:00Z\" level=error msg=\"remove /srv/x:\n device or resource busy\"\n";
        assert_eq!(thinned(&format!("{wrapped}{}", quiet(2))), format!("{wrapped}{}", quiet(2)));
    }

    #[test]
    fn a_long_line_is_cut_and_counted_and_the_next_one_is_read() {
        let text = format!("{}\nab\n{}", "x".repeat(100), "y".repeat(11));
        let read = read(text.as_bytes(), &limits(10, 1000));
        assert_eq!(
            String::from_utf8(read.bytes).unwrap(),
            format!("{}\nab\n{}", "x".repeat(9), "y".repeat(10))
        );
        assert_eq!((read.cut, read.end), (2, End::Complete));
        let read = super::read(text.as_bytes(), &limits(1000, 50));
        assert_eq!((read.bytes.len(), read.end), (50, End::Broken(met("whole", 50))));
    }
}
