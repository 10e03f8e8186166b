//! Times in the reader's own zone.

/// An RFC 3339 time in the zone of the browser, as `2026-11-22 08:36:00 +01:00`; `None` for what is no such time
/// and outside of a browser.
pub fn local(time: &str) -> Option<String> {
    #[cfg(target_arch = "wasm32")]
    {
        let date = js_sys::Date::new(&time.into());
        let valid = time.ends_with('Z') && !date.get_time().is_nan();
        valid.then(|| {
            // Minutes that UTC is ahead of local time, by the rules of that day.
            let ahead = date.get_timezone_offset() as i32;
            let (sign, offset) = (if ahead > 0 { '-' } else { '+' }, ahead.unsigned_abs());
            let two = |number: u32| format!("{number:02}");
            let day = [date.get_month() + 1, date.get_date()].map(two).join("-");
            let clock = [date.get_hours(), date.get_minutes(), date.get_seconds()].map(two).join(":");
            let zone = [offset / 60, offset % 60].map(two).join(":");
            format!("{}-{day} {clock} {sign}{zone}", date.get_full_year())
        })
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        let _ = time;
        None
    }
}
