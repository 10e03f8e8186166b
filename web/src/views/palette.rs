//! The palette: go to anything, do anything, by typing a part of its name.

use super::destination::use_destination;
use super::holders::name_of;
use super::keyboard::{Modal, Overlay};
use super::tree::TREE_ID;
use super::wishes::use_wishes;
use super::{errors_list, parts};
use crate::browser::letters::lower;
use crate::browser::page;
use crate::preferences::{self, Language, Preferences, Theme, Zone};
use crate::state::{Open, Screen, State};
use crate::text;
use crate::worker::protocol::Question;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Entries that are shown at once.
const SHOWN: usize = 40;

/// Something to go to or to do.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    kind: &'static str,
    label: String,
    detail: String,
    act: Act,
}

#[derive(Debug, Clone, PartialEq)]
enum Act {
    Ask(Question),
    Go(String),
    Mounts(String),
    Press(&'static str),
    Prefer(Preferences),
    Show(Overlay),
}

/// Properties of [`Palette`].
#[derive(Properties, PartialEq)]
pub struct PaletteProps {
    /// All that the page knows.
    pub state: State,
    /// A report is wanted.
    pub ask: Callback<Question>,
    /// Something else is to lie over the page, or nothing.
    pub show: Callback<Overlay>,
}

/// The palette: a combobox after the ARIA authoring practices.
#[component]
pub fn Palette(props: &PaletteProps) -> Html {
    let t = text::t();
    let typed = use_state_eq(String::new);
    let active = use_state_eq(|| 0_usize);
    let all = use_memo(props.state.clone(), |state| entries(state, preferences::current(), &page_has));
    let fitting = fitting(&all, &typed);
    let act = use_act(props);

    let oninput = {
        let (typed, active) = (typed.clone(), active.clone());
        Callback::from(move |event: InputEvent| {
            typed.set(event.target_unchecked_into::<HtmlInputElement>().value());
            active.set(0);
        })
    };
    let last = fitting.len().min(SHOWN).saturating_sub(1);
    let onkeydown = {
        let (active, act) = (active.clone(), act.clone());
        let chosen = fitting.get((*active).min(last)).map(|entry| entry.act.clone());
        Callback::from(move |event: KeyboardEvent| {
            let go = match event.key().as_str() {
                "ArrowDown" => (*active + 1).min(last),
                "ArrowUp" => active.saturating_sub(1),
                "Enter" => {
                    event.prevent_default();
                    return chosen.iter().cloned().for_each(|chosen| act.emit(chosen));
                }
                _ => return,
            };
            event.prevent_default();
            active.set(go);
            page::reveal(&option_id(go));
        })
    };
    let options = fitting.iter().take(SHOWN).enumerate().map(|(index, entry)| {
        let wanted = entry.act.clone();
        let onclick = act.reform(move |_: MouseEvent| wanted.clone());
        html! {
            <li key={index} id={option_id(index)} role="option" data-test="palette-entry"
                aria-selected={(index == *active).to_string()} {onclick}>
                <span class="what">{ &entry.label }</span>
                <span class="muted detail">{ &entry.detail }</span>
                <span class="muted kind">{ entry.kind }</span>
            </li>
        }
    });
    let close = props.show.reform(|()| Overlay::None);
    let none = fitting.is_empty().then_some(t.palette_none);
    html! {
        <Modal title={t.palette_title} name="palette" {close}>
            <input type="text" autofocus={true} data-test="palette-input" role="combobox" aria-label={t.palette_title}
                aria-expanded="true" aria-controls="palette-list" aria-autocomplete="list" spellcheck="false"
                aria-activedescendant={(!fitting.is_empty()).then(|| option_id(*active))}
                placeholder={t.palette_placeholder} value={(*typed).clone()} {oninput} {onkeydown} />
            <p class="offscreen" role="status">{ (t.palette_count)(fitting.len()) }</p>
            <p class="slot muted">{ none }</p>
            <ul id="palette-list" class="palette-list" role="listbox" aria-label={t.palette_title}>{ for options }</ul>
        </Modal>
    }
}

fn page_has(id: &str) -> bool {
    page::has_id(id)
}

fn option_id(index: usize) -> String {
    format!("palette-option-{index}")
}

/// Does what was chosen and closes the palette.
#[hook]
fn use_act(props: &PaletteProps) -> Callback<Act> {
    let (wishes, place) = (use_wishes(), use_destination());
    let (ask, show) = (props.ask.clone(), props.show.clone());
    Callback::from(move |act: Act| {
        // The dialog first: closing it gives the focus back to where it was.
        page::close_modal();
        match act {
            Act::Ask(question) => ask.emit(question),
            Act::Go(id) => place.go.emit(id),
            Act::Mounts(key) => {
                wishes.mounts.emit(key);
                place.go.emit(TREE_ID.to_owned());
            }
            Act::Press(selector) => _ = page::press(selector),
            Act::Prefer(preferences) => wishes.prefer.emit(preferences),
            Act::Show(overlay) => show.emit(overlay),
        }
    })
}

/// Everything there is to go to and to do. `has` tells whether the page shows an element with that id.
fn entries(state: &State, now: Preferences, has: &dyn Fn(&str) -> bool) -> Vec<Entry> {
    let mut entries = Vec::new();
    if let Screen::Open(open) = &state.screen {
        sections(&mut entries, has);
        of_bundle(&mut entries, open);
    }
    commands(&mut entries, state, now);
    entries
}

fn entry(kind: &'static str, label: impl Into<String>, detail: impl Into<String>, act: Act) -> Entry {
    Entry { kind, label: label.into(), detail: detail.into(), act }
}

fn sections(entries: &mut Vec<Entry>, has: &dyn Fn(&str) -> bool) {
    let t = text::t();
    let all = [
        ("remedies-title", t.remedies_title),
        ("lasting-title", t.lasting_title),
        ("next-title", t.next_title),
        ("picture-title", t.picture_title),
        ("timeline-title", t.timeline_title),
        ("holders-title", t.go_holder),
        ("log-title", t.log_title),
        ("aliases-title", t.aliases_title),
        ("looked-title", t.looked_title),
        ("census-title", t.census_title),
    ];
    let there = all.into_iter().filter(|(id, _)| has(id));
    entries.extend(there.map(|(id, label)| entry(t.go_section, label, "", Act::Go(id.to_owned()))));
    entries.push(entry(t.go_section, t.tree_title, "", Act::Mounts(String::new())));
}

fn of_bundle(entries: &mut Vec<Entry>, open: &Open) {
    let t = text::t();
    entries.extend(open.overview.errors.iter().enumerate().map(|(index, error)| {
        let act = Act::Ask(Question::Error(index));
        entry(t.go_error, errors_list::subject(error), text::log_message(&error.line), act)
    }));
    if let Some(report) = &open.report {
        entries.extend(report.holders.iter().enumerate().map(|(index, holder)| {
            let detail = format!("{} · {}", t.effect(holder.effect), (t.pids)(&holder.pids));
            entry(t.go_holder, name_of(holder), detail, Act::Go(format!("holder-{index}")))
        }));
    }
    match &open.mounts {
        Some(mounts) => entries.extend(mounts.namespaces.iter().map(|name| {
            entry(t.go_namespace, name.label.clone(), name.key.clone(), Act::Mounts(name.key.clone()))
        })),
        // Until the worker has named all, those of the picture.
        None => entries.extend(open.report.iter().flat_map(|report| &report.namespaces).filter_map(|view| {
            let key = view.inode?.to_string();
            Some(entry(t.go_namespace, view.label.clone(), key.clone(), Act::Mounts(key)))
        })),
    }
    entries.extend(open.overview.containers.iter().map(|container| {
        let label = container.name.clone().unwrap_or_else(|| t.no_name.to_owned());
        let act = Act::Ask(Question::Text(container.id.clone()));
        entry(t.go_container, label, text::short_id(&container.id), act)
    }));
}

fn commands(entries: &mut Vec<Entry>, state: &State, now: Preferences) {
    let t = text::t();
    let mut add = |label: String, act: Act| entries.push(entry(t.go_command, label, "", act));
    if let Screen::Open(open) = &state.screen
        && open.report.is_some()
    {
        add(t.share.open.to_owned(), Act::Press("[data-test=share]"));
        add(t.save_svg.to_owned(), Act::Press("[data-test=save-svg]"));
        add(t.save_png.to_owned(), Act::Press("[data-test=save-png]"));
    }
    for (theme, name) in
        [(Theme::System, t.theme_system), (Theme::Light, t.theme_light), (Theme::Dark, t.theme_dark)]
    {
        if theme != now.theme {
            add(format!("{}: {name}", t.theme), Act::Prefer(Preferences { theme, ..now }));
        }
    }
    let (zone, name) = match now.zone {
        Zone::Utc => (Zone::Local, t.zone_local),
        Zone::Local => (Zone::Utc, t.zone_utc),
    };
    add(format!("{}: {name}", t.zone), Act::Prefer(Preferences { zone, ..now }));
    for (language, _, name) in Language::ALL.into_iter().filter(|(language, ..)| *language != now.language) {
        add(format!("{}: {name}", t.language), Act::Prefer(Preferences { language, ..now }));
    }
    add(t.keys_title.to_owned(), Act::Show(Overlay::Keys));
    let choose = Act::Press("[data-test=file-input]");
    match &state.screen {
        Screen::Start | Screen::Failed(_) => {
            add(t.choose_file.to_owned(), choose);
            add(t.try_demo.to_owned(), Act::Press("[data-test=demo-button]"));
        }
        Screen::Reading(_) => add(t.cancel.to_owned(), Act::Press("[data-test=cancel]")),
        _ => {
            add(t.open_another.to_owned(), choose);
            add(t.close.to_owned(), Act::Press("[data-test=close]"));
        }
    }
}

/// The entries that have every word that was typed; those whose name starts with it first.
fn fitting(entries: &[Entry], typed: &str) -> Vec<Entry> {
    let typed = lower(typed.trim());
    let words: Vec<&str> = typed.split_whitespace().collect();
    let mut found: Vec<(bool, &Entry)> = entries
        .iter()
        .filter_map(|entry| {
            let label = lower(&entry.label);
            let all = format!("{label} {} {}", lower(&entry.detail), lower(entry.kind));
            words.iter().all(|word| all.contains(word)).then(|| (!label.starts_with(&typed), entry))
        })
        .collect();
    ebusy_analyzer::order::sort_by_key(&mut found, |(later, _)| *later);
    found.into_iter().map(|(_, entry)| entry.clone()).collect()
}

/// The button that opens the palette, for those who do not know its keys.
pub fn button(show: &Callback<Overlay>) -> Html {
    let t = text::t();
    let open = show.reform(|_: MouseEvent| Overlay::Palette);
    html! {
        <button type="button" class="palette-button" data-test="palette-button" aria-haspopup="dialog" onclick={open}>
            { parts::icon(parts::Glyph::Go) }<span>{ t.palette_title }</span><kbd>{ "Ctrl+K" }</kbd>
        </button>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(label: &str, detail: &str) -> Entry {
        entry("container", label, detail, Act::Show(Overlay::Keys))
    }

    #[test]
    fn every_word_must_fit_and_a_names_start_comes_first() {
        let entries = [named("old-web", "ac05"), named("web", "77aa"), named("db", "web1")];
        let labels =
            |typed: &str| fitting(&entries, typed).into_iter().map(|it| it.label).collect::<Vec<_>>();
        assert_eq!(labels(" WEB "), ["web", "old-web", "db"]);
        assert_eq!(labels("web ac"), ["old-web"]);
        assert_eq!(labels("container db"), ["db"]);
        assert_eq!(labels("nowhere"), [""; 0]);
        assert_eq!(labels("").len(), 3);
    }

    #[test]
    fn the_start_screen_has_its_commands_and_nothing_of_a_bundle() {
        let entries = entries(&State::default(), Preferences::default(), &|_| true);
        let of_page = |act: &Act| {
            matches!(
                act,
                Act::Prefer(_)
                    | Act::Show(_)
                    | Act::Press("[data-test=file-input]" | "[data-test=demo-button]")
            )
        };
        assert!(entries.iter().all(|entry| of_page(&entry.act)), "{entries:?}");
        assert!(entries.len() >= 4);
    }
}
