//! The page's address: what a link brought behind the `#`, and the address that links are made for.

use gloo::events::EventListener;

/// Name in the browser's storage of the page's address that somebody typed.
const KEY: &str = "ebusy.page-address";

/// What stands behind the `#`, with it; empty where there is nothing.
pub fn fragment() -> String {
    gloo::utils::window().location().hash().unwrap_or_default()
}

/// Listens for another fragment, as when somebody pastes a link into the address bar.
pub fn on_fragment(changed: impl Fn() + 'static) -> EventListener {
    EventListener::new(&gloo::utils::window(), "hashchange", move |_| changed())
}

/// Takes the fragment away, without a new entry in the history: what it showed is no longer shown.
pub fn forget_fragment() {
    let window = gloo::utils::window();
    let address = window.location().href().unwrap_or_default();
    if let Some((page, _)) = address.split_once('#')
        && let Ok(history) = window.history()
    {
        // Refused by some browsers for files: then the address stays as it was.
        let _ = history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(page));
    }
}

/// The page's address where others can open it, too: its own if it is hosted, else the one that was typed last.
pub fn for_links() -> String {
    let own = gloo::utils::window().location().href().unwrap_or_default();
    let page = own.split('#').next().unwrap_or_default();
    if page.starts_with("http") { page.to_owned() } else { kept().unwrap_or_default() }
}

/// Whether the page is a file: nobody else can open its address.
pub fn is_file() -> bool {
    gloo::utils::window().location().protocol().is_ok_and(|protocol| protocol == "file:")
}

/// Keeps the address that somebody typed, where that is allowed.
pub fn keep(address: &str) {
    if let Ok(Some(storage)) = gloo::utils::window().local_storage() {
        let _ = storage.set_item(KEY, address);
    }
}

fn kept() -> Option<String> {
    gloo::utils::window().local_storage().ok().flatten()?.get_item(KEY).ok().flatten()
}
