//! Points in time as text, in UTC.

/// Seconds since 1970 as `YYYY-MM-DDTHH:MM:SSZ`.
pub(crate) fn iso(seconds: u64) -> String {
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = clock(seconds);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Seconds since 1970 as `YYYYMMDDTHHMMSSZ`, for file names.
pub(crate) fn compact(seconds: u64) -> String {
    iso(seconds).replace(['-', ':'], "")
}

fn clock(seconds: u64) -> (u64, u64, u64) {
    let second = seconds % 86_400;
    (second / 3600, second / 60 % 60, second % 60)
}

/// Year, month and day of a day since 1970, in the proleptic Gregorian calendar, counted in years from March so that
/// the leap day is the last.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days() {
        assert_eq!(iso(0), "1970-01-01T00:00:00Z");
        assert_eq!(iso(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(iso(1_795_332_813), "2026-11-22T07:33:33Z");
        assert_eq!(compact(4_107_542_399), "21000228T235959Z");
    }
}
