//! What is shown, screen by screen. Views get data and callbacks and hold no knowledge of their own
//! beyond what is folded or copied.
//!
//! # Hooks for browser tests
//! Elements carry `data-test="NAME"`; these names are stable:
//!
//! | name | what | more attributes |
//! |---|---|---|
//! | `start` | the start screen | |
//! | `file-input` | the `<input type=file>` | |
//! | `paste-input`, `paste-submit` | text in place of a file | |
//! | `demo-button` | opens the built-in demo | |
//! | `progress` | how far reading is (the text) | |
//! | `cancel` | stops reading | |
//! | `failure` | what went wrong | `data-code` |
//! | `error-item` | a busy error to choose | `aria-current` on the chosen one |
//! | `search-input`, `search-submit` | the search box | |
//! | `suggestion` | a container that fits what is typed | |
//! | `verdict` | the answer | `data-status` = `held`, `free`, `unknown`; `data-waiting` = `true` until the newest question is answered; `data-query` |
//! | `remedy` | something to type | `data-when` = `now`, `lasting` |
//! | `copy` | copies a text | `data-copied` = `true` once copied, `data-copy-text` |
//! | `picture` | the picture | |
//! | `timeline`, `event` | what happened when | `data-at` (absent where the source has no full date) |
//! | `holder` | a holder's card | `data-effect`, `data-kind`, `data-ns` (empty where unknown) |
//! | `mount-line` | a line of mountinfo | |
//! | `census`, `census-summary` | what lives on whatever the log says | `data-groups` = how many |
//! | `census-group`, `leftover` | who keeps it, and what | `data-effect` |
//! | `share`, `save-json` | the report as Markdown (a `copy` button) and JSON | |
//! | `warnings` | what could not be read | |
//! | `host-select` | the hosts of an archive that has several | |
//! | `close` | closes the bundle | |

pub mod census;
pub mod errors_list;
pub mod failure;
pub mod holders;
pub mod host;
pub mod hosts;
pub mod mount_lines;
pub mod parts;
pub mod paste;
pub mod picture;
pub mod reading;
pub mod remedies;
pub mod report;
pub mod search;
pub mod share;
pub mod start;
pub mod target;
pub mod timeline;
pub mod verdict;
pub mod warnings;
pub mod wishes;

#[cfg(test)]
mod tests;

use crate::browser::files::Picked;
use crate::browser::page;
use crate::state::{Screen, State};
use crate::text;
use crate::worker::protocol::Question;
use std::mem::Discriminant;
use yew::prelude::*;

/// What the page shows and whom it tells.
#[derive(Properties, PartialEq)]
pub struct PageProps {
    /// All that the page knows.
    pub state: State,
    /// A bundle was chosen, one of so many files.
    pub open: Callback<(Picked, u32)>,
    /// A report is wanted.
    pub ask: Callback<Question>,
    /// Another host of the archive is to be looked at, by its index.
    pub choose: Callback<usize>,
    /// Reading is to stop, or the bundle to be closed.
    pub close: Callback<()>,
    /// The demo is wanted.
    pub demo: Callback<()>,
}

/// The whole page.
#[component]
pub fn Page(props: &PageProps) -> Html {
    let t = text::t();
    let PageProps { state, open, ask, choose, close, demo } = props;
    let main = use_node_ref();
    use_focus_on_change(&main, std::mem::discriminant(&state.screen));
    let screen = match &state.screen {
        Screen::Start => html! { <div key="start">{ start::start(open, demo) }</div> },
        Screen::Failed(failed) => html! {
            <div key="failed" class="stack">
                { failure::failure(failed) }
                { start::start(open, demo) }
            </div>
        },
        Screen::Reading(reading) => html! {
            <div key="reading">{ reading::reading(reading, close) }</div>
        },
        Screen::Open(bundle) => html! {
            // A new bundle or host is a new view: nothing folded open or typed stays from the old one.
            <report::BundleView key={format!("{}-{}", state.opening, bundle.host)} bundle={bundle.clone()} ask={ask.clone()} />
        },
    };
    html! {
        <div class="page">
            <a class="skip" href="#main">{ t.skip }</a>
            { masthead(state, open, choose, close) }
            <main id="main" tabindex="-1" ref={main}>{ screen }</main>
            <footer class="foot"><p>{ t.promise }</p></footer>
            <div class="drop-here" hidden={!state.dragging} aria-hidden="true"><p>{ t.drop_here }</p></div>
        </div>
    }
}

/// Moves the focus to `target` whenever another screen comes: what had it is gone, and a keyboard would
/// start again at the top of the window.
#[hook]
fn use_focus_on_change(target: &NodeRef, screen: Discriminant<Screen>) {
    let last = use_mut_ref(|| screen);
    let target = target.clone();
    use_effect_with(screen, move |screen| {
        if last.replace(*screen) != *screen
            && let Some(element) = target.cast::<web_sys::Element>()
        {
            page::focus(&element);
        }
    });
}

/// The strip at the top: the product's name, the open bundle, and the way to the next one.
fn masthead(
    state: &State,
    open: &Callback<(Picked, u32)>,
    choose: &Callback<usize>,
    close: &Callback<()>,
) -> Html {
    let t = text::t();
    let close = close.reform(|_: MouseEvent| ());
    let bundle = match &state.screen {
        Screen::Open(bundle) => html! {
            <div class="masthead-bundle">
                <span class="file-name" title={bundle.file.name.clone()}>{ &bundle.file.name }</span>
                <span class="muted">{ text::bytes(bundle.file.size) }</span>
                <span class="slot">{ (bundle.hosts.len() > 1).then(|| hosts::chooser(bundle, choose)) }</span>
                { start::file_picker(open, t.open_another, None) }
                <button type="button" class="quiet" data-test="close" onclick={close}>{ t.close }</button>
            </div>
        },
        _ => html! { <span class="slot"></span> },
    };
    html! {
        <header class="masthead">
            <span class="brand">{ parts::icon(parts::Glyph::Brand) }{ "ebusy" }</span>
            { bundle }
        </header>
    }
}
