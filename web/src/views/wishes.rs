//! What views deep down may ask of the app. Handed down as a context, so that not every view on the way has to
//! know of it.

use crate::preferences::Preferences;
use yew::prelude::*;

/// Whom to tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Wishes {
    /// Other preferences are wanted.
    pub prefer: Callback<Preferences>,
    /// The mounts of the namespace with this key are wanted; empty: the host's.
    pub mounts: Callback<String>,
}

/// The app's ears; deaf ones where there is no app, as in tests of a view alone.
#[hook]
pub fn use_wishes() -> Wishes {
    use_context::<Wishes>().unwrap_or_else(|| Wishes { prefer: Callback::noop(), mounts: Callback::noop() })
}
