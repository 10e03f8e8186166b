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
//! | `brief`, `contents` | the answer in a few lines, the way to each part of the report | |
//! | `remedy` | something to type | `data-when` = `now`, `lasting` |
//! | `copy` | copies a text | `data-copied` = `true` once copied, `data-copy-text` |
//! | `picture` | the picture | |
//! | `lane` | a namespace, or a stack of like ones, in it | `data-form` = `single`, `folded`, `unfolded`; `data-effect` |
//! | `lane-evidence` | what the chosen lane rests on | |
//! | `to-holder`, `to-tree` | from there to the holder's card, to the namespace's mounts | |
//! | `save-svg`, `save-png` | saves the picture | |
//! | `tree`, `tree-row` | the mounts of a namespace | `data-change` = `same`, `added`, `missing`, `different` |
//! | `tree-namespace`, `tree-filter`, `tree-changes` | which, and which of them | |
//! | `timeline`, `event` | what happened when | `data-at` (absent where the source has no full date) |
//! | `holder` | a holder's card | `data-effect`, `data-kind`, `data-ns` (empty where unknown) |
//! | `mount-line` | a line of mountinfo | |
//! | `census`, `census-summary` | what lives on whatever the log says | `data-groups` = how many |
//! | `census-group`, `leftover` | who keeps it, and what | `data-effect` |
//! | `share`, `share-dialog`, `share-close` | what can be shared, and the dialog | |
//! | `share-FORM` | the forms: `link`, `view`, `markdown`, `text`, `json`, `html` | |
//! | `share-result`, `share-length`, `share-left-out` | what comes out | `data-length` |
//! | `share-address`, `share-with-bundle`, `share-save`, `share-preview` | the rest of the dialog | |
//! | `redact-N` | whether names of a kind are replaced | |
//! | `given` | above a report that no bundle here gave | `data-source` = `link`, `file` |
//! | `wanted`, `another-bundle` | a link asks for a bundle; this is not the one | |
//! | `warnings` | what could not be read or is not told in full | |
//! | `fleet`, `fleet-summary` | several bundles | `data-over` = `true` once all are read |
//! | `fleet-progress`, `fleet-stop` | how far that is, and the way out | |
//! | `fleet-filter`, `fleet-count`, `host-row`, `host-open`, `mark`, `compare` | the list of hosts | `aria-rowindex` |
//! | `common-holder`, `common-cause` | over all hosts | |
//! | `diff`, `diff-summary`, `diff-side`, `open-report` | two bundles | `data-waiting` |
//! | `diff-still`, `diff-new`, `diff-gone`, `diff-left`, `change`, `diff-warning` | what changed | |
//! | `tab-report`, `tab-census`, `tab-containers` | the sides of a host | `aria-selected` |
//! | `containers`, `container-filter`, `container-count`, `container-row` | all containers | `aria-rowindex` |
//! | `all-hosts` | back to the list | |
//! | `host-select` | the hosts of an archive that has several | |
//! | `palette-button`, `palette`, `palette-input`, `palette-entry` | going to anything, doing anything | |
//! | `keys-button`, `keys`, `single-keys` | the sheet of keys | |
//! | `prefer-language`, `prefer-theme`, `prefer-zone` | preferences | |
//! | `close` | closes the bundle | |

pub mod census;
pub mod containers;
pub mod destination;
pub mod diff;
pub mod errors_list;
pub mod failure;
pub mod fleet;
pub mod given;
pub mod holders;
pub mod host;
pub mod hosts;
pub mod keyboard;
pub mod mount_lines;
pub mod palette;
pub mod parts;
pub mod paste;
pub mod picture;
pub mod preferences;
pub mod reading;
pub mod remedies;
pub mod report;
pub mod search;
pub mod share;
pub mod start;
pub mod start_picture;
pub mod tabs;
pub mod target;
pub mod timeline;
pub mod tree;
pub mod verdict;
pub mod virtual_table;
pub mod warnings;
pub mod wishes;

#[cfg(test)]
mod tests;

use crate::browser::files::Picked;
use crate::browser::page;
use crate::state::fleet::Place;
use crate::state::{Action, Screen, State};
use crate::text;
use crate::worker::protocol::Question;
use destination::{Destination, use_destinations};
use ebusy_analyzer::report::saved::Saved;
use keyboard::{Keys, Overlay, use_keys};
use palette::Palette;
use preferences::PreferencesBar;
use std::mem::Discriminant;
use yew::prelude::*;

/// What somebody can do; callbacks that stay the same as long as the page.
#[derive(Debug, Clone, PartialEq)]
pub struct Acts {
    /// Anything that needs no handle of the browser.
    pub send: Callback<Action>,
    /// Bundles were chosen.
    pub open: Callback<Vec<Picked>>,
    /// A report is wanted.
    pub ask: Callback<Question>,
    /// Another host of the archive is to be looked at, by its index.
    pub choose: Callback<usize>,
    /// Reading is to stop, or the bundle to be closed.
    pub close: Callback<()>,
    /// A host of the list is to be looked at; whether its bundle is still open.
    pub pick: Callback<(Place, bool)>,
    /// Two hosts of the list are to be compared, the earlier bundle first.
    pub compare: Callback<[Place; 2]>,
    /// The demo is wanted.
    pub demo: Callback<()>,
    /// Text is to be explained.
    pub draft: Callback<AttrValue>,
    /// The page is to be saved with a report inside.
    pub save_page: Callback<PageFile>,
}

/// The page as a file, with a report inside.
#[derive(Debug, Clone, PartialEq)]
pub struct PageFile {
    /// Name of the file.
    pub name: String,
    /// What goes inside.
    pub saved: Saved,
    /// Which of the files that were given is the bundle, where that goes inside, too.
    pub index: usize,
    /// Hears whether it worked.
    pub done: Callback<Result<(), String>>,
}

impl Acts {
    /// Does nothing, for views that are only looked at.
    pub fn none() -> Self {
        Self {
            send: Callback::noop(),
            open: Callback::noop(),
            ask: Callback::noop(),
            choose: Callback::noop(),
            close: Callback::noop(),
            pick: Callback::noop(),
            compare: Callback::noop(),
            demo: Callback::noop(),
            draft: Callback::noop(),
            save_page: Callback::noop(),
        }
    }
}

/// What the page shows and whom it tells.
#[derive(Properties, PartialEq)]
pub struct PageProps {
    /// All that the page knows.
    pub state: State,
    /// Whom it tells.
    pub act: Acts,
}

/// The whole page.
#[component]
pub fn Page(props: &PageProps) -> Html {
    let t = text::t();
    let PageProps { state, act } = props;
    let destination = use_destinations();
    let overlay = use_state_eq(Overlay::default);
    let show = {
        let overlay = overlay.setter();
        Callback::from(move |wanted: Overlay| overlay.set(wanted))
    };
    use_keys(state, &act.ask, &show);
    let over = match *overlay {
        Overlay::None => None,
        Overlay::Keys => Some(html! { <Keys key="keys" close={show.reform(|()| Overlay::None)} /> }),
        Overlay::Palette => Some(
            html! { <Palette key="palette" state={state.clone()} ask={act.ask.clone()} show={show.clone()} /> },
        ),
    };
    let keys = show.reform(|_: MouseEvent| Overlay::Keys);
    let main = use_node_ref();
    use_focus_on_change(&main, std::mem::discriminant(&state.screen));
    let screen = match &state.screen {
        Screen::Start => html! {
            <div key="start" class="stack">
                <div class="slot">{ state.wanted.as_deref().map(given::wanted) }</div>
                { start::start(&state.draft, act) }
            </div>
        },
        Screen::Failed(failed) => html! {
            <div key="failed" class="stack">
                { failure::failure(failed) }
                { start::start(&state.draft, act) }
            </div>
        },
        Screen::Reading(reading) => html! {
            <div key="reading">{ reading::reading(reading, &act.close) }</div>
        },
        Screen::Open(bundle) => html! {
            // A new bundle or host is a new view: nothing folded open or typed stays from the old one.
            <report::BundleView key={format!("{}-{}", state.opening, bundle.host)} bundle={bundle.clone()}
                act={act.clone()} />
        },
        Screen::Hosts(kept) => match &state.fleet {
            Some(list) => html! {
                <fleet::FleetView key="hosts" fleet={list.clone()} kept={kept.clone()} act={act.clone()} />
            },
            None => html! { <div key="none"></div> },
        },
        Screen::Comparing(comparing) => {
            let bundle = |place: Place| state.fleet.as_ref().and_then(|list| list.bundles.get(place.bundle));
            let name = |place| bundle(place).map(|bundle| bundle.file.name.clone()).unwrap_or_default();
            html! { <div key="diff">{ diff::diff_view(comparing, &comparing.pair.map(name), act) }</div> }
        }
    };
    html! {
        <ContextProvider<Destination> context={destination}>
        <div class="page">
            <a class="skip" href="#main">{ t.skip }</a>
            { masthead(state, act, &show) }
            <main id="main" tabindex="-1" ref={main}>{ screen }</main>
            <footer class="foot">
                <p>{ t.promise }</p>
                <div class="foot-tools">
                    <PreferencesBar />
                    <button type="button" class="copy" data-test="keys-button" aria-haspopup="dialog" onclick={keys}>
                        { t.keys_button }{ " " }<kbd>{ "?" }</kbd>
                    </button>
                </div>
            </footer>
            <div class="slot">{ over }</div>
            <div class="drop-here" hidden={!state.dragging} aria-hidden="true"><p>{ t.drop_here }</p></div>
        </div>
        </ContextProvider<Destination>>
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
fn masthead(state: &State, act: &Acts, show: &Callback<Overlay>) -> Html {
    let t = text::t();
    let close = act.close.reform(|_: MouseEvent| ());
    let way_on = || {
        html! {
            <span class="ways-on">
                { start::file_picker(&act.open, t.open_another, None) }
                <button type="button" class="quiet" data-test="close" onclick={close.clone()}>{ t.close }</button>
            </span>
        }
    };
    let bundle = match &state.screen {
        Screen::Open(bundle) => html! {
            <div class="masthead-bundle">
                { hosts::back(state, act) }
                <span class="file-name" title={bundle.file.name.clone()}>{ &bundle.file.name }</span>
                <span class="muted">{ (bundle.file.size > 0).then(|| text::bytes(bundle.file.size)) }</span>
                <span class="slot">{ (bundle.hosts.len() > 1).then(|| hosts::chooser(bundle, &act.choose)) }</span>
                { way_on() }
            </div>
        },
        Screen::Hosts(_) => html! { <div class="masthead-bundle">{ way_on() }</div> },
        Screen::Comparing(_) => html! {
            <div class="masthead-bundle">{ hosts::back(state, act) }{ way_on() }</div>
        },
        Screen::Failed(_) => html! { <div class="masthead-bundle">{ hosts::back(state, act) }</div> },
        _ => html! { <span class="slot"></span> },
    };
    html! {
        <header class="masthead">
            <span class="brand">{ parts::icon(parts::Glyph::Brand) }{ "ebusy" }</span>
            { palette::button(show) }
            { bundle }
        </header>
    }
}
