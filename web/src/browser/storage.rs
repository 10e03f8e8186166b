//! What the browser keeps of the reader's preferences, and how they come into force.

use crate::preferences::{self, Preferences, Theme};

/// Name in the browser's storage, which every page opened from a file may share.
const KEY: &str = "ebusy.preferences";

/// What was kept, else what the browser tells; in force from now on.
pub fn load() -> Preferences {
    let window = gloo::utils::window();
    // Storage may be refused (file://, private windows): then nothing is kept, which is no fault.
    let kept = window.local_storage().ok().flatten().and_then(|storage| storage.get_item(KEY).ok().flatten());
    let language = window.navigator().language().unwrap_or_default();
    let preferences = Preferences::from_text(&kept.unwrap_or_default(), &language);
    apply(preferences);
    preferences
}

/// Keeps them where that is allowed; in force from now on.
pub fn save(preferences: Preferences) {
    if let Ok(Some(storage)) = gloo::utils::window().local_storage() {
        let _ = storage.set_item(KEY, &preferences.to_text());
    }
    apply(preferences);
}

fn apply(preferences: Preferences) {
    preferences::set(preferences);
    if let Some(root) = gloo::utils::document().document_element() {
        let _ = root.set_attribute("lang", preferences.language.tag());
        let _ = match preferences.theme {
            Theme::System => root.remove_attribute("data-theme"),
            theme => root.set_attribute("data-theme", theme.name()),
        };
    }
}
