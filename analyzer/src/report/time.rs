//! Seconds since 1970 as text; the analyzer has no clock, and one calendar, that of the logs.

use crate::errors::time::date_and_time;

/// RFC 3339 in UTC, e.g. `2026-11-22T07:34:08Z`.
pub fn rfc3339(seconds: u64) -> String {
    format!("{}Z", date_and_time(i64::try_from(seconds).unwrap_or(i64::MAX)))
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
