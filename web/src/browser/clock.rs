//! Times in the reader's own zone.

/// An RFC 3339 time in the zone of the browser, with its offset; `None` for what is no such time and
/// outside of a browser.
pub fn local(time: &str) -> Option<String> {
    #[cfg(target_arch = "wasm32")]
    {
        let date = js_sys::Date::new(&time.into());
        (!date.get_time().is_nan()).then(|| String::from(date.to_string()))
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        let _ = time;
        None
    }
}
