//! Times as bundles write them → seconds since 1970, where they tell enough.

use crate::calendar::rfc3339;
use crate::errors::time::iso;

/// A point in time with what was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    /// Seconds since 1970.
    pub(crate) seconds: u64,
    /// Nanoseconds after that.
    pub(crate) nanos: u32,
}

impl Moment {
    pub(crate) fn at(seconds: u64) -> Self {
        Self { seconds, nanos: 0 }
    }

    /// RFC 3339 UTC, with milliseconds where there are any.
    pub(crate) fn text(&self) -> String {
        let whole = rfc3339(self.seconds);
        match self.nanos / 1_000_000 {
            0 => whole,
            millis => format!("{}.{millis:03}Z", whole.trim_end_matches('Z')),
        }
    }
}

/// RFC 3339, or ISO 8601 with a zone as `journalctl -o short-iso` writes it. `None` without a zone.
pub(crate) fn instant(text: &str) -> Option<Moment> {
    let (seconds, nanos) = iso(text).ok()?.1.unix?;
    Some(Moment { seconds: u64::try_from(seconds).ok()?, nanos })
}

/// systemd's `Wed 2017-04-12 09:14:02 UTC`. The names of other zones than UTC are ambiguous: `None`.
pub(crate) fn systemd(text: &str) -> Option<Moment> {
    let (_weekday, rest) = text.split_once(' ')?;
    let utc = rest.strip_suffix(" UTC").or(rest.strip_suffix(" GMT"))?;
    instant(&format!("{}Z", utc.replace(' ', "T")))
}

/// Time at the beginning of a log's line: the instant, or else the words that stand for it.
pub(crate) fn of_line(line: &str) -> (Option<Moment>, String) {
    let written: String = match instant(line) {
        Some(moment) => return (Some(moment), String::new()),
        // syslog's `Jul 14 15:22:06`, or anything that begins with a digit up to the next blank.
        None if line.starts_with(|c: char| c.is_ascii_digit()) => line.split(' ').take(1).collect(),
        None => line.split_whitespace().take(3).collect::<Vec<_>>().join(" "),
    };
    (None, written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_become_utc_and_milliseconds_stay() {
        let text = |s: &str| instant(s).unwrap().text();
        assert_eq!(text("2017-07-14T15:22:06.58+08:00"), "2017-07-14T07:22:06.580Z");
        assert_eq!(text("2024-02-29T23:59:59-0100 web1 x"), "2024-03-01T00:59:59Z");
        assert_eq!(text("2017-04-12T09:14:02.438508010Z"), "2017-04-12T09:14:02.438Z");
        assert_eq!(systemd("Wed 2017-04-12 09:14:02 UTC").unwrap().text(), "2017-04-12T09:14:02Z");
    }

    #[test]
    fn without_a_zone_there_is_no_instant() {
        for text in ["2017-07-14T15:22:06", "Jul 14 15:22:06", "", "é", "2017-13-01T00:00:00Z"] {
            assert_eq!(instant(text), None, "{text}");
        }
        for text in ["Wed 2017-04-12 09:14:02 CEST", "n/a", ""] {
            assert_eq!(systemd(text), None, "{text}");
        }
        assert_eq!(of_line("Jul 14 15:22:06 web1 x").1, "Jul 14 15:22:06");
    }
}
