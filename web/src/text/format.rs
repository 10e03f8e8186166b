//! Numbers, ids and times as people read them.

/// A size in bytes, binary units, one digit after the point above 1 KiB.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    // In tenths of the unit, rounded, with whole numbers: formatting floats costs 10 KB of module.
    let mut unit = 0;
    let mut size: u128 = 1024;
    let mut tenths = tenths_of(count, size);
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        size *= 1024;
        unit += 1;
        tenths = tenths_of(count, size);
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

fn tenths_of(count: u64, unit: u128) -> u128 {
    (u128::from(count) * 10 + unit / 2) / unit
}

/// The first twelve digits of a long hexadecimal id, as docker shows it; anything else as it is.
pub fn short_id(id: &str) -> &str {
    if id.len() > 12 && id.bytes().all(|b| b.is_ascii_hexdigit()) { &id[..12] } else { id }
}

/// The first `room` characters of a text, and a sign where more would follow.
pub fn brief(text: &str, room: usize) -> String {
    match text.char_indices().nth(room) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The message itself: what stands before it in a log line (time, host, level) tells little here.
pub fn log_message(line: &str) -> &str {
    // journald's JSON, else logfmt, else the line as it is.
    let line = ["\"MESSAGE\":\"", "msg=\"", "msg=\\\""].iter().fold(line, |line, start| after(line, start));
    let line = line.trim_end_matches(['"', '\\', '}']);
    match line.find("returned error: ") {
        Some(at) => &line[at + 16..],
        None => line,
    }
}

/// What follows `start`, or all of it where that is missing.
fn after<'a>(line: &'a str, start: &str) -> &'a str {
    line.find(start).map_or(line, |at| &line[at + start.len()..])
}

/// `2026-11-22T07:36:00.1Z` as `2026-11-22 07:36:00 UTC`; what is not of this form as it is.
pub fn utc(time: &str) -> String {
    match date_and_time(time) {
        Some((date, clock)) => format!("{date} {clock} UTC"),
        None => time.to_owned(),
    }
}

/// From one time to another, the date once where it is the same.
pub fn utc_range(first: &str, last: &str) -> String {
    match (date_and_time(first), date_and_time(last)) {
        (Some((date, from)), Some((same, to))) if date == same => format!("{date} {from} – {to} UTC"),
        _ => format!("{} – {}", utc(first), utc(last)),
    }
}

fn date_and_time(time: &str) -> Option<(&str, &str)> {
    let (date, clock) = time.strip_suffix('Z')?.split_once('T')?;
    let clock = clock.split_once('.').map_or(clock, |(seconds, _)| seconds);
    let digits = |text: &str, separator: char, lengths: [usize; 3]| {
        let parts: Vec<&str> = text.split(separator).collect();
        parts.len() == 3
            && parts
                .iter()
                .zip(lengths)
                .all(|(part, length)| part.len() == length && part.bytes().all(|b| b.is_ascii_digit()))
    };
    (digits(date, '-', [4, 2, 2]) && digits(clock, ':', [2, 2, 2])).then_some((date, clock))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1024), "1.0 KiB");
        assert_eq!(bytes(149_154), "145.7 KiB");
        assert_eq!(bytes(1024 * 1024 - 1), "1.0 MiB");
        assert_eq!(bytes(u64::MAX), "16384.0 PiB");
    }

    #[test]
    fn only_hexadecimal_ids_are_cut() {
        assert_eq!(short_id("ac05ff3c2d1e0b4a59687786"), "ac05ff3c2d1e");
        assert_eq!(short_id("my-long-container-name"), "my-long-container-name");
        assert_eq!(short_id("名前名前名前名前名前"), "名前名前名前名前名前");
    }

    #[test]
    fn the_wording_is_what_the_daemon_said() {
        let line = "Nov 22 web1 dockerd[8]: level=error msg=\"Handler for DELETE /x returned error: Driver \
                    devicemapper failed: Device is Busy\"";
        assert_eq!(log_message(line), "Driver devicemapper failed: Device is Busy");
        let json = "{\"_BOOT_ID\":\"d5\",\"MESSAGE\":\"level=error msg=\\\"Device is Busy\\\"\"}";
        assert_eq!(log_message(json), "Device is Busy");
        assert_eq!(log_message("-job rm(ac05) = ERR (1)"), "-job rm(ac05) = ERR (1)");
    }

    #[test]
    fn times_of_unknown_form_stay_as_they_are() {
        assert_eq!(utc("2026-11-22T07:36:00.118Z"), "2026-11-22 07:36:00 UTC");
        assert_eq!(utc("Nov 22 07:36:00"), "Nov 22 07:36:00");
        assert_eq!(utc("2026-11-22T07:36:00+01:00"), "2026-11-22T07:36:00+01:00");
    }

    #[test]
    fn a_range_names_its_day_once() {
        let range = utc_range("2026-11-22T07:36:00Z", "2026-11-22T07:41:10Z");
        assert_eq!(range, "2026-11-22 07:36:00 – 07:41:10 UTC");
        assert!(utc_range("2026-11-21T07:36:00Z", "2026-11-22T07:41:10Z").contains("2026-11-22 07:41:10"));
    }
}
