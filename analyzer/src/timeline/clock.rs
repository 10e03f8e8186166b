//! Times as bundles write them → seconds since 1970, where they tell enough.

use nom::bytes::complete::{take_while_m_n, take_while1};
use nom::character::complete::{char, one_of};
use nom::combinator::{map_res, opt, verify};
use nom::sequence::preceded;
use nom::{IResult, Parser};

use crate::report::rfc3339;

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
    stamp(text).ok().map(|(_, moment)| moment)
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

fn stamp(input: &str) -> IResult<&str, Moment> {
    let (i, (y, _, m, _, d)) =
        (part(4, 1970, 9999), char('-'), part(2, 1, 12), char('-'), part(2, 1, 31)).parse(input)?;
    let (i, _) = one_of("Tt ").parse(i)?;
    let (i, (hh, _, mm, _, ss)) =
        (part(2, 0, 23), char(':'), part(2, 0, 59), char(':'), part(2, 0, 60)).parse(i)?;
    let (i, fraction) = opt(preceded(one_of(".,"), take_while1(|c: char| c.is_ascii_digit()))).parse(i)?;
    let (i, offset) = zone(i)?;
    let seconds = days(y, m, d) * 86_400 + hh * 3600 + mm * 60 + ss - offset;
    let digits = format!("{:0<9}", fraction.unwrap_or_default());
    let nanos = digits.get(..9).and_then(|f| f.parse().ok()).unwrap_or(0);
    Ok((i, Moment { seconds: u64::try_from(seconds).unwrap_or(0), nanos }))
}

fn part(n: usize, low: i64, high: i64) -> impl Fn(&str) -> IResult<&str, i64> {
    move |i| {
        let digits = take_while_m_n(n, n, |c: char| c.is_ascii_digit());
        verify(map_res(digits, str::parse::<i64>), |v| (low..=high).contains(v)).parse(i)
    }
}

/// Seconds east of UTC: `Z`, `+08:00`, `+0800`.
fn zone(i: &str) -> IResult<&str, i64> {
    let (i, sign) = one_of("Zz+-").parse(i)?;
    if matches!(sign, 'Z' | 'z') {
        return Ok((i, 0));
    }
    let (i, (h, _, m)) = (part(2, 0, 15), opt(char(':')), part(2, 0, 59)).parse(i)?;
    let seconds = h * 3600 + m * 60;
    Ok((i, if sign == '-' { -seconds } else { seconds }))
}

/// Days since 1970-01-01 of the Gregorian calendar, years counted from March.
fn days(y: i64, m: i64, d: i64) -> i64 {
    let y = if m <= 2 { y - 1 } else { y };
    let (era, of_era) = (y.div_euclid(400), y.rem_euclid(400));
    let of_year = (153 * ((m + 9) % 12) + 2) / 5 + d - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
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
