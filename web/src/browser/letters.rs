//! Letters without regard to case.

/// Lower case of what people search for and search in. The browser has the tables for all scripts already; Rust's
/// own would be 25 KB of the module.
pub fn lower(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { lower_by_table(text) }
}

#[cfg(target_arch = "wasm32")]
fn lower_by_table(text: &str) -> String {
    js_sys::JsString::from(text).to_lower_case().into()
}

#[cfg(not(target_arch = "wasm32"))]
fn lower_by_table(text: &str) -> String {
    text.to_lowercase()
}
