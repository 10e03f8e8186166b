//! Seconds since 1970 and dates: one calendar for logs and reports; the analyzer has no clock.

/// RFC 3339 in UTC, e.g. `2026-11-22T07:34:08Z`.
///
/// ```
/// assert_eq!(ebusy_analyzer::calendar::rfc3339(1_795_332_960), "2026-11-22T07:36:00Z");
/// ```
pub fn rfc3339(seconds: u64) -> String {
    format!("{}Z", date_and_time(i64::try_from(seconds).unwrap_or(i64::MAX)))
}

/// Days since 1970-01-01 (proleptic Gregorian calendar, years counted from March).
pub(crate) fn days(y: i64, m: i64, d: i64) -> i64 {
    let y = if m <= 2 { y - 1 } else { y };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * ((m + 9) % 12) + 2) / 5 + d - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

/// `2026-11-22T07:34:08` of seconds since 1970, in UTC.
pub(crate) fn date_and_time(secs: i64) -> String {
    let (day, second) = (secs.div_euclid(86_400), secs.rem_euclid(86_400));
    let (y, m, d) = civil(day);
    let (hh, mm, ss) = (second / 3600, second / 60 % 60, second % 60);
    format!("{y:04}-{m:02}-{d:02}T{hh:02}:{mm:02}:{ss:02}")
}

/// The reverse of [`days`].
fn civil(day: i64) -> (i64, i64, i64) {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let m = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(m <= 2), m, doy - (153 * mp + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_around_leap_days() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(1_795_332_848), "2026-11-22T07:34:08Z");
        assert_eq!(rfc3339(4_107_542_400), "2100-03-01T00:00:00Z");
    }
}
