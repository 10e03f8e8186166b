//! Timestamps of logs → RFC 3339 UTC, where they tell enough.

use crate::calendar::{date_and_time, days};
use nom::branch::alt;
use nom::bytes::complete::{take, take_while_m_n, take_while1};
use nom::character::complete::{char, one_of};
use nom::combinator::{map_opt, map_res, opt, peek, verify};
use nom::sequence::preceded;
use nom::{IResult, Parser};

/// When a line was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// RFC 3339 UTC, or as it stands in the log where year or zone are missing.
    pub(crate) text: String,
    /// Seconds and nanoseconds since 1970, where they are known.
    pub(crate) unix: Option<(i64, u32)>,
}

impl Stamp {
    /// Microseconds since 1970, as journald counts.
    pub(crate) fn from_micros(micros: i64) -> Self {
        let (secs, rest) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
        let digits = if rest == 0 { String::new() } else { format!("{rest:06}") };
        Self::new(secs, &digits)
    }

    /// A stamp that lacks year or zone.
    pub(crate) fn verbatim(text: &str) -> Self {
        Self { text: text.to_owned(), unix: None }
    }

    fn new(secs: i64, fraction: &str) -> Self {
        let dot = if fraction.is_empty() { String::new() } else { format!(".{fraction}") };
        let nanos = format!("{fraction:0<9}").get(..9).and_then(|f| f.parse().ok()).unwrap_or(0);
        Self { text: format!("{}{dot}Z", date_and_time(secs)), unix: Some((secs, nanos)) }
    }
}

fn digits(n: usize) -> impl Fn(&str) -> IResult<&str, i64> {
    move |i| map_res(take_while_m_n(n, n, |c: char| c.is_ascii_digit()), |s: &str| s.parse::<i64>()).parse(i)
}

fn in_range(n: usize, lo: i64, hi: i64) -> impl Fn(&str) -> IResult<&str, i64> {
    move |i| verify(digits(n), |v| (lo..=hi).contains(v)).parse(i)
}

/// Offset from UTC in seconds; `Z`, `+08:00`, `+0800`, ` +0000 UTC`.
fn zone(i: &str) -> IResult<&str, i64> {
    // After a blank, Z begins the next word.
    if let (rest, Some(_)) = opt(one_of("Zz")).parse(i)? {
        return Ok((rest, 0));
    }
    let (i, _) = opt(char(' ')).parse(i)?;
    let (i, sign) = one_of("+-").parse(i)?;
    let (i, (h, m)) = (in_range(2, 0, 15), preceded(opt(char(':')), in_range(2, 0, 59))).parse(i)?;
    let secs = h * 3600 + m * 60;
    Ok((i, if sign == '-' { -secs } else { secs }))
}

/// `2017-07-14T15:22:06.58+08:00`, also with blank, comma or slashes; without zone it stays as it is.
pub(crate) fn iso(input: &str) -> IResult<&str, Stamp> {
    let (i, y) = in_range(4, 1970, 9999).parse(input)?;
    let (i, sep) = one_of("-/").parse(i)?;
    let (i, m) = in_range(2, 1, 12).parse(i)?;
    let (i, _) = char(sep).parse(i)?;
    let (i, d) = in_range(2, 1, 31).parse(i)?;
    let (i, _) = one_of("Tt ").parse(i)?;
    let (i, (hh, _, mm, _, ss)) =
        (in_range(2, 0, 23), char(':'), in_range(2, 0, 59), char(':'), in_range(2, 0, 60)).parse(i)?;
    let (i, fraction) = opt(preceded(one_of(".,"), take_while1(|c: char| c.is_ascii_digit()))).parse(i)?;
    let written = &input[..input.len() - i.len()];
    let (i, offset) = opt(zone).parse(i)?;
    let Some(offset) = offset else {
        return Ok((i, Stamp::verbatim(written)));
    };
    let secs = days(y, m, d) * 86_400 + hh * 3600 + mm * 60 + ss - offset;
    let fraction = fraction.unwrap_or_default();
    Ok((i, Stamp::new(secs, fraction.get(..9).unwrap_or(fraction))))
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A stamp that lacks year and zone, in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Undated {
    /// 1 to 12.
    pub(crate) month: i64,
    /// 1 to 31.
    pub(crate) day: i64,
    /// Of the day, in the zone of the log.
    pub(crate) second: i64,
}

/// `Jul  4 15:22:06` of syslog, `0704 15:22:06.5` of klog.
pub(crate) fn undated(text: &str) -> Option<Undated> {
    let named = |i| -> IResult<&str, (i64, i64)> {
        let (i, month) =
            map_opt(take(3usize), |m| (1..).zip(MONTHS).find(|(_, name)| *name == m)).parse(i)?;
        let (i, _) = take_while1(|c| c == ' ').parse(i)?;
        let day = map_res(take_while_m_n(1, 2, |c: char| c.is_ascii_digit()), str::parse::<i64>);
        let (i, day) = verify(day, |day| (1..=31).contains(day)).parse(i)?;
        Ok((i, (month.0, day)))
    };
    let (i, (month, day)) = alt((named, (in_range(2, 1, 12), in_range(2, 1, 31)))).parse(text).ok()?;
    let (_, (_, hh, _, mm, _, ss)) =
        (char(' '), in_range(2, 0, 23), char(':'), in_range(2, 0, 59), char(':'), in_range(2, 0, 60))
            .parse(i)
            .ok()?;
    Some(Undated { month, day, second: hh * 3600 + mm * 60 + ss })
}

/// `Jul 14 15:22:06`: syslog's stamp has neither year nor zone.
pub(crate) fn syslog(input: &str) -> IResult<&str, Stamp> {
    let (i, _) = verify(take(3usize), |m: &str| MONTHS.contains(&m)).parse(input)?;
    let (i, _) = take_while1(|c| c == ' ').parse(i)?;
    let (i, _) = take_while_m_n(1, 2, |c: char| c.is_ascii_digit()).parse(i)?;
    let (i, _) = opt((char(' '), digits(4), peek(char(' ')))).parse(i)?;
    let (i, _) = char(' ').parse(i)?;
    let (i, _) = clock(i)?;
    Ok((i, Stamp::verbatim(&input[..input.len() - i.len()])))
}

/// klog's header `E0916 08:27:42.356361    2588 kubelet_volumes.go:154] `: month and day only.
pub(crate) fn klog(input: &str) -> IResult<&str, Stamp> {
    let (i, _) = one_of("IWEF").parse(input)?;
    let stamp = i;
    let (i, _) = (in_range(2, 1, 12), in_range(2, 1, 31), char(' ')).parse(i)?;
    let (i, _) = clock(i)?;
    let text = &stamp[..stamp.len() - i.len()];
    let (i, _) = take_while1(|c| c == ' ').parse(i)?;
    let (i, _) = take_while1(|c: char| c.is_ascii_digit()).parse(i)?;
    let (i, _) = take_while1(|c| c == ' ').parse(i)?;
    let (i, _) = take_while1(|c: char| c != ']' && c != ' ').parse(i)?;
    let (i, _) = char(']').parse(i)?;
    Ok((i, Stamp::verbatim(text)))
}

/// Seconds since 1970 (`1500000000.123456`, journald's short-unix), or since boot (`[  123.456789]`).
pub(crate) fn unix(input: &str) -> IResult<&str, Stamp> {
    let (i, secs) = digits(10).parse(input)?;
    let (i, fraction) = preceded(char('.'), take_while1(|c: char| c.is_ascii_digit())).parse(i)?;
    Ok((i, Stamp::new(secs, fraction.get(..9).unwrap_or(fraction))))
}

fn clock(i: &str) -> IResult<&str, ()> {
    let (i, _) =
        (in_range(2, 0, 23), char(':'), in_range(2, 0, 59), char(':'), in_range(2, 0, 60)).parse(i)?;
    let (i, _) = opt((char('.'), take_while1(|c: char| c.is_ascii_digit()))).parse(i)?;
    Ok((i, ()))
}

/// Any stamp that stands at the beginning of the text.
pub(crate) fn any(i: &str) -> IResult<&str, Stamp> {
    alt((iso, syslog, klog, unix)).parse(i)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(s: &str) -> String {
        any(s).unwrap().1.text
    }

    #[test]
    fn zones_become_utc() {
        assert_eq!(text("2017-07-14T15:22:06.58+08:00 x"), "2017-07-14T07:22:06.58Z");
        assert_eq!(text("2024-02-29T23:59:59-0100"), "2024-03-01T00:59:59Z");
        assert_eq!(text("2016-12-31T00:00:00Z"), "2016-12-31T00:00:00Z");
        assert_eq!(text("1500000000.5 h"), "2017-07-14T02:40:00.5Z");
        assert_eq!(Stamp::from_micros(1_500_000_000_000_001).text, "2017-07-14T02:40:00.000001Z");
    }

    #[test]
    fn what_lacks_year_or_zone_stays() {
        assert_eq!(text("2016-12-12 13:44:20,946 ERROR"), "2016-12-12 13:44:20,946");
        assert_eq!(text("Jul  4 15:22:06 host"), "Jul  4 15:22:06");
        assert_eq!(text("E0916 08:27:42.356361    2588 volumes.go:154] x"), "0916 08:27:42.356361");
    }

    #[test]
    fn no_time_is_no_time() {
        // The zone is unknown: the host is called zeus.
        assert_eq!(text("2017-07-14T15:22:06 zeus dockerd"), "2017-07-14T15:22:06");
        for s in ["", "2017", "2017-13-01T00:00:00Z", "Jux 1 00:00:00", "E99 x", "é"] {
            assert!(any(s).is_err(), "{s}");
        }
    }
}
