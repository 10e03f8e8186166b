//! Year and zone of stamps that lack them. syslog writes `Nov 22 08:36:47`, in local time; but the line of a runtime
//! has its own `time="2026-11-22T07:36:47Z"` behind that, and so tells what all lines of the same log lack.

use std::collections::BTreeMap;

use crate::calendar::days;
use crate::errors::time::{Undated, iso, undated};
use crate::evidence::Evidence;

/// Lines of one log that are remembered: one for each change of year or zone, so that a usual log has one or two.
const CHANGES: usize = 100;
/// A line is written at most so many seconds after its message.
const DELAY: i64 = 120;
/// Zones differ by quarters of an hour (tz database: Asia/Kathmandu is at +05:45), by at most 14 hours.
const QUARTER: i64 = 900;
const FARTHEST: i64 = 14 * 3600;
const HALF_YEAR: i64 = 183 * 86_400;

/// A line with both stamps.
#[derive(Debug, Clone)]
struct Anchor {
    line: u32,
    /// Seconds since 1970, as the runtime's own stamp tells.
    unix: i64,
    /// Seconds that the log's local time is ahead of UTC.
    offset: i64,
    evidence: Evidence,
}

/// What the logs of a bundle tell of their own stamps.
#[derive(Debug, Default, Clone)]
pub struct LogClock {
    by_file: BTreeMap<String, Vec<Anchor>>,
}

impl LogClock {
    /// Takes one line of a log; most tell nothing.
    pub(super) fn note(&mut self, file: &str, line: u32, text: &[u8]) {
        let Some((unix, offset)) = both_stamps(text) else { return };
        let known = self.by_file.get(file).map_or(&[][..], Vec::as_slice);
        let is_new = known.last().is_none_or(|a| a.offset != offset || (unix - a.unix).abs() > HALF_YEAR);
        if is_new && known.len() < CHANGES {
            let evidence =
                Evidence { file: file.to_owned(), line: Some(line), text: crate::bytes::visible(text) };
            self.by_file.entry(file.to_owned()).or_default().push(Anchor { line, unix, offset, evidence });
        }
    }

    /// Seconds since 1970 of a stamp without year or zone, and the line that tells both: the nearest before it, or
    /// else the first one of the same log. Without a line, the stamp is the log's last.
    pub(crate) fn instant(&self, file: &str, line: Option<u32>, stamp: &str) -> Option<(i64, &Evidence)> {
        let anchors = self.by_file.get(file)?;
        let line = line.unwrap_or(u32::MAX);
        let anchor = anchors.iter().rev().find(|a| a.line <= line).or(anchors.first())?;
        let stamp = undated(stamp)?;
        let seconds = nearest_year(&stamp, anchor.unix + anchor.offset) - anchor.offset;
        Some((seconds, &anchor.evidence))
    }
}

/// The runtime's instant, and by how much the line's local stamp is ahead of it.
fn both_stamps(line: &[u8]) -> Option<(i64, i64)> {
    if !line.first().is_some_and(u8::is_ascii_uppercase) {
        return None;
    }
    let at = memchr::memmem::find(line, b"time=\"")?;
    let (head, own) = (line.get(..at)?, line.get(at + 6..)?);
    let own = own.get(..own.len().min(40))?;
    let unix = iso(std::str::from_utf8(valid(own)).ok()?).ok()?.1.unix?.0;
    let stamp = undated(std::str::from_utf8(valid(head.get(..head.len().min(20))?)).ok()?)?;
    let ahead = nearest_year(&stamp, unix) - unix;
    let offset = (ahead + QUARTER / 2).div_euclid(QUARTER) * QUARTER;
    ((ahead - offset).abs() <= DELAY && offset.abs() <= FARTHEST).then_some((unix, offset))
}

/// What of a cut text is whole.
fn valid(text: &[u8]) -> &[u8] {
    match std::str::from_utf8(text) {
        Ok(_) => text,
        Err(e) => &text[..e.valid_up_to()],
    }
}

/// The stamp as seconds since 1970 of its own zone, in the year that brings it nearest to `near`.
fn nearest_year(stamp: &Undated, near: i64) -> i64 {
    let year = 1970 + near.div_euclid(31_556_952);
    let at = |year| days(year, stamp.month, stamp.day) * 86_400 + stamp.second;
    let years = [year - 1, year, year + 1].map(at);
    years.into_iter().min_by_key(|seconds| (seconds - near).abs()).unwrap_or(near)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::rfc3339;

    const BOTH: &str =
        r#"Dec 31 23:59:58 web1 dockerd[464]: time="2026-12-31T22:59:58.9Z" level=error msg="x""#;

    fn clock(lines: &[&str]) -> LogClock {
        let mut clock = LogClock::default();
        for (line, text) in (1..).zip(lines) {
            clock.note("log", line, text.as_bytes());
        }
        clock
    }

    fn told(clock: &LogClock, line: u32, stamp: &str) -> Option<String> {
        Some(rfc3339(clock.instant("log", Some(line), stamp)?.0.try_into().unwrap()))
    }

    #[test]
    fn one_line_with_both_stamps_dates_the_whole_log() {
        let clock = clock(&["Dec 31 23:00:00 web1 systemd[1]: x", BOTH]);
        assert_eq!(told(&clock, 1, "Dec 31 23:00:00").unwrap(), "2026-12-31T22:00:00Z");
        assert_eq!(told(&clock, 3, "Jan  1 00:00:03").unwrap(), "2026-12-31T23:00:03Z", "the next year");
        assert_eq!(told(&clock, 3, "0101 01:00:03.25").unwrap(), "2027-01-01T00:00:03Z", "klog's");
        assert_eq!(
            clock.instant("other", Some(1), "Dec 31 23:00:00"),
            None,
            "another log may have another zone"
        );
    }

    #[test]
    fn summer_time_begins_in_the_middle_of_a_log() {
        let clock = clock(&[
            r#"Mar 29 01:59:00 web1 dockerd: time="2026-03-29T01:59:00+01:00" level=info"#,
            r#"Mar 29 03:01:30 web1 dockerd: time="2026-03-29T01:01:00Z" level=info"#,
        ]);
        assert_eq!(told(&clock, 1, "Mar 29 01:59:30").unwrap(), "2026-03-29T00:59:30Z");
        assert_eq!(told(&clock, 2, "Mar 29 03:02:00").unwrap(), "2026-03-29T01:02:00Z");
    }

    #[test]
    fn stamps_that_cannot_belong_together_tell_nothing() {
        for line in [
            r#"Dec 31 23:51:58 web1 dockerd[464]: time="2026-12-31T22:59:58.9Z" late"#,
            r#"Dec 31 23:59:58 web1 dockerd[464]: time="2026-06-30T22:59:58.9Z" old"#,
            r#"Dec 31 23:59:58 web1 dockerd[464]: time="2026-12-31T22:59:58" no zone"#,
            r#"Dec 31 23:59:58 web1 dockerd[464]: time=""#,
            "2026-12-31T22:59:58Z time=\"2026-12-31T22:59:58.9Z\"",
            "\u{c9}\u{c9}\u{c9}",
        ] {
            assert!(clock(&[line]).by_file.is_empty(), "{line}");
        }
    }
}
