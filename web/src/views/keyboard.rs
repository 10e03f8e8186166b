//! The keyboard: what its keys do anywhere on the page, and the sheet that tells.

use super::wishes::use_wishes;
use crate::browser::page::{self, Key, KeyZone};
use crate::preferences::{self, Preferences};
use crate::state::{Screen, State};
use crate::text;
use crate::worker::protocol::Question;
use web_sys::{Element, HtmlInputElement};
use yew::prelude::*;

/// What lies over the page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Overlay {
    /// Nothing.
    #[default]
    None,
    /// The sheet of keys.
    Keys,
    /// The palette.
    Palette,
}

/// What a key means.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Meaning {
    Show(Overlay),
    Search,
    Theme,
    Ask(Question),
}

/// Listens for keys as long as the page is there.
#[hook]
pub fn use_keys(state: &State, ask: &Callback<Question>, show: &Callback<Overlay>) {
    let wishes = use_wishes();
    let (state, ask, show) = (state.clone(), ask.clone(), show.clone());
    use_effect(move || {
        let pressed = Callback::from(move |key: Key| {
            match meaning(&key, &state, preferences::current()) {
                Some(Meaning::Show(overlay)) => show.emit(overlay),
                Some(Meaning::Search) => page::focus_by_id("search-input"),
                Some(Meaning::Ask(question)) => ask.emit(question),
                Some(Meaning::Theme) => {
                    let now = preferences::current();
                    wishes.prefer.emit(Preferences { theme: now.theme.next(), ..now });
                }
                None => return false,
            }
            true
        });
        let zone = KeyZone::new(pressed);
        move || drop(zone)
    });
}

fn meaning(key: &Key, state: &State, preferences: Preferences) -> Option<Meaning> {
    if key.control {
        return (key.key.eq_ignore_ascii_case("k")).then_some(Meaning::Show(Overlay::Palette));
    }
    if key.in_field || preferences.no_keys {
        return None;
    }
    match key.key.as_str() {
        "?" => Some(Meaning::Show(Overlay::Keys)),
        "/" => matches!(state.screen, Screen::Open(_)).then_some(Meaning::Search),
        "t" => Some(Meaning::Theme),
        "n" => step(state, true).map(Meaning::Ask),
        "p" => step(state, false).map(Meaning::Ask),
        _ => None,
    }
}

/// The busy error after or before the one that is explained.
fn step(state: &State, on: bool) -> Option<Question> {
    let Screen::Open(open) = &state.screen else { return None };
    let count = open.overview.errors.len();
    let index = match (&open.question, on) {
        (Question::Error(index), true) => index + 1,
        (Question::Error(index), false) => index.checked_sub(1)?,
        (_, true) => 0,
        (_, false) => return None,
    };
    (index < count).then_some(Question::Error(index))
}

/// Properties of [`Modal`].
#[derive(Properties, PartialEq)]
pub struct ModalProps {
    /// Its title.
    pub title: AttrValue,
    /// Name for tests.
    pub name: &'static str,
    /// It was closed.
    pub close: Callback<()>,
    /// What is in it.
    pub children: Html,
}

/// A dialog over the page. The browser keeps the keyboard in it and gives the focus back afterwards.
#[component]
pub fn Modal(props: &ModalProps) -> Html {
    let dialog = use_node_ref();
    use_effect_with(dialog.clone(), |dialog| {
        if let Some(element) = dialog.cast::<Element>() {
            page::show_modal(&element);
        }
    });
    let close = props.close.clone();
    let onclose = close.reform(|_: Event| ());
    let press = Callback::from(|_: MouseEvent| page::close_modal());
    html! {
        <dialog ref={dialog} class="modal" data-test={props.name} aria-label={props.title.clone()} {onclose}>
            <div class="modal-head">
                <h2>{ &props.title }</h2>
                <button type="button" class="copy" onclick={press}>{ text::t().close }</button>
            </div>
            { props.children.clone() }
        </dialog>
    }
}

/// The sheet.
#[component]
pub fn Keys(props: &KeysProps) -> Html {
    let t = text::t();
    let wishes = use_wishes();
    let rows: [(&[&str], &str); 9] = [
        (&["/"], t.key_search),
        (&["Ctrl+K"], t.key_palette),
        (&["n", "p"], t.key_errors),
        (&["t"], t.key_theme),
        (&["?"], t.key_help),
        (&["↑", "↓"], t.key_picture),
        (&["↑", "↓"], t.key_tree),
        (&["←", "→"], t.key_tree_fold),
        (&["Esc"], t.key_escape),
    ];
    let onchange = {
        let prefer = wishes.prefer.clone();
        Callback::from(move |event: Event| {
            let no_keys = !event.target_unchecked_into::<HtmlInputElement>().checked();
            prefer.emit(Preferences { no_keys, ..preferences::current() });
        })
    };
    html! {
        <Modal title={t.keys_title} name="keys" close={props.close.clone()}>
            <dl class="keys">
                { for rows.into_iter().enumerate().map(|(index, (keys, what))| html! {
                    <div key={index}>
                        <dt>{ for keys.iter().map(|name| html! { <kbd key={*name}>{ *name }</kbd> }) }</dt>
                        <dd>{ what }</dd>
                    </div>
                }) }
            </dl>
            <label class="check">
                <input type="checkbox" data-test="single-keys" checked={!preferences::current().no_keys} {onchange} />
                <span>{ t.keys_single }{ " (/ n p t ?)" }</span>
            </label>
        </Modal>
    }
}

/// Properties of [`Keys`].
#[derive(Properties, PartialEq)]
pub struct KeysProps {
    /// It was closed.
    pub close: Callback<()>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, control: bool, in_field: bool) -> Key {
        Key { key: name.into(), control, in_field }
    }

    #[test]
    fn a_field_takes_its_keys_and_only_control_gets_past_it() {
        let state = State::default();
        let all = Preferences::default();
        assert_eq!(meaning(&key("?", false, false), &state, all), Some(Meaning::Show(Overlay::Keys)));
        assert_eq!(meaning(&key("?", false, true), &state, all), None);
        assert_eq!(meaning(&key("k", true, true), &state, all), Some(Meaning::Show(Overlay::Palette)));
        assert_eq!(meaning(&key("k", false, false), &state, all), None);
    }

    #[test]
    fn single_keys_can_be_switched_off() {
        let without = Preferences { no_keys: true, ..Preferences::default() };
        for name in ["?", "t", "/", "n"] {
            assert_eq!(meaning(&key(name, false, false), &State::default(), without), None, "{name}");
        }
        let palette = meaning(&key("K", true, false), &State::default(), without);
        assert_eq!(palette, Some(Meaning::Show(Overlay::Palette)));
    }
}
