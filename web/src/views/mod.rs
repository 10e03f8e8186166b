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
//! | `holder` | a holder's card | `data-effect`, `data-kind`, `data-ns` (empty where unknown) |
//! | `mount-line` | a line of mountinfo | |
//! | `warnings` | what could not be read | |
//! | `close` | closes the bundle | |

pub mod errors_list;
pub mod failure;
pub mod holders;
pub mod host;
pub mod mount_lines;
pub mod parts;
pub mod picture;
pub mod reading;
pub mod remedies;
pub mod report;
pub mod search;
pub mod start;
pub mod target;
pub mod verdict;
pub mod warnings;

#[cfg(test)]
mod tests;

use crate::browser::files::Picked;
use crate::state::{Screen, State};
use crate::text;
use crate::worker::protocol::Question;
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
    /// Reading is to stop, or the bundle to be closed.
    pub close: Callback<()>,
    /// The demo is wanted.
    pub demo: Callback<()>,
}

/// The whole page.
#[component]
pub fn Page(props: &PageProps) -> Html {
    let t = text::t();
    let PageProps { state, open, ask, close, demo } = props;
    let screen = match &state.screen {
        Screen::Start => html! { <start::Start key="start" open={open.clone()} demo={demo.clone()} /> },
        Screen::Failed(failed) => html! {
            <div key="failed" class="stack">
                <failure::Failure failed={failed.clone()} />
                <start::Start open={open.clone()} demo={demo.clone()} />
            </div>
        },
        Screen::Reading(reading) => html! {
            <reading::Reading key="reading" reading={reading.clone()} cancel={close.clone()} />
        },
        Screen::Open(bundle) => html! {
            // A new bundle is a new view: nothing folded open or typed stays from the old one.
            <report::BundleView key={state.session.to_string()} bundle={bundle.clone()} ask={ask.clone()} />
        },
    };
    html! {
        <div class="page">
            <a class="skip" href="#main">{ t.skip }</a>
            <Masthead state={state.clone()} open={open.clone()} close={close.clone()} />
            <main id="main" tabindex="-1">{ screen }</main>
            <footer class="foot"><p>{ t.promise }</p></footer>
            <div class="drop-here" hidden={!state.dragging} aria-hidden="true"><p>{ t.drop_here }</p></div>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct MastheadProps {
    state: State,
    open: Callback<(Picked, u32)>,
    close: Callback<()>,
}

/// The strip at the top: the product's name, the open bundle, and the way to the next one.
#[component]
fn Masthead(props: &MastheadProps) -> Html {
    let t = text::t();
    let close = props.close.reform(|_: MouseEvent| ());
    let bundle = match &props.state.screen {
        Screen::Open(bundle) => html! {
            <div class="masthead-bundle">
                <span class="file-name" title={bundle.file.name.clone()}>{ &bundle.file.name }</span>
                <span class="muted">{ text::bytes(bundle.file.size) }</span>
                <start::FilePicker open={props.open.clone()} label={t.open_another} />
                <button type="button" class="quiet" data-test="close" onclick={close}>{ t.close }</button>
            </div>
        },
        _ => html! { <p class="muted masthead-line">{ t.tagline }</p> },
    };
    html! {
        <header class="masthead">
            <span class="brand"><parts::Icon name={parts::Glyph::Brand} />{ "ebusy" }</span>
            { bundle }
        </header>
    }
}
