//! The search box, with the bundle's containers as suggestions.

use crate::browser::letters::lower;
use crate::text;
use crate::worker::protocol::Question;
use ebusy_analyzer::report::{ContainerSummary, Overview};
use std::rc::Rc;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// How many suggestions are shown at once.
const SUGGESTIONS: usize = 8;

/// Properties of [`Search`].
#[derive(Properties, PartialEq)]
pub struct SearchProps {
    /// Where suggestions come from.
    pub overview: Rc<Overview>,
    /// Something is searched for.
    pub ask: Callback<Question>,
}

/// The search box: a combobox after the ARIA authoring practices, so arrow keys, Enter and Escape work.
#[component]
pub fn Search(props: &SearchProps) -> Html {
    let t = text::t();
    let typed = use_state_eq(String::new);
    let open = use_state_eq(|| false);
    let active = use_state_eq(|| None::<usize>);
    let fitting = if *open { suggestions(&props.overview.containers, &typed) } else { Vec::new() };

    let choose = {
        let (ask, typed, open, active) = (props.ask.clone(), typed.clone(), open.clone(), active.clone());
        Callback::from(move |query: String| {
            open.set(false);
            active.set(None);
            let query = query.trim().to_owned();
            if !query.is_empty() {
                ask.emit(Question::Text(query.clone()));
            }
            typed.set(query);
        })
    };
    let oninput = {
        let (typed, open, active) = (typed.clone(), open.clone(), active.clone());
        Callback::from(move |event: InputEvent| {
            typed.set(event.target_unchecked_into::<HtmlInputElement>().value());
            open.set(true);
            active.set(None);
        })
    };
    // Some ways to fill or empty an input (autofill, drivers) tell of it only by `change`.
    let onchange = {
        let typed = typed.clone();
        Callback::from(move |event: Event| {
            typed.set(event.target_unchecked_into::<HtmlInputElement>().value());
        })
    };
    let onkeydown = {
        let (open, active, count) = (open.clone(), active.clone(), fitting.len());
        Callback::from(move |event: KeyboardEvent| match event.key().as_str() {
            "ArrowDown" | "ArrowUp" => {
                event.prevent_default();
                let down = event.key() == "ArrowDown";
                open.set(true);
                active.set(step(*active, count, down));
            }
            "Escape" => open.set(false),
            _ => {}
        })
    };
    let onsubmit = {
        let (choose, typed) = (choose.clone(), typed.clone());
        let picked = active.and_then(|index| fitting.get(index)).map(|container| container.id.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            choose.emit(picked.clone().unwrap_or_else(|| (*typed).clone()));
        })
    };
    let onfocus = {
        let open = open.clone();
        Callback::from(move |_: FocusEvent| open.set(true))
    };
    let onblur = {
        let open = open.clone();
        Callback::from(move |_: FocusEvent| open.set(false))
    };

    let options = fitting.iter().enumerate().map(|(index, container)| {
        let pick = {
            let (choose, id) = (choose.clone(), container.id.clone());
            // On pressing, before the input loses the focus and the list goes away.
            Callback::from(move |event: MouseEvent| {
                event.prevent_default();
                choose.emit(id.clone());
            })
        };
        let selected = (*active == Some(index)).to_string();
        html! {
            <li key={container.id.clone()} id={option_id(index)} role="option" aria-selected={selected}
                data-test="suggestion" onmousedown={pick}>
                <span class="what">{ container.name.as_deref().unwrap_or(t.no_name) }</span>
                <code>{ text::short_id(&container.id) }</code>
                <span class="muted">{ details(container) }</span>
            </li>
        }
    });
    let expanded = !fitting.is_empty();
    html! {
        <form class="search" role="search" {onsubmit} autocomplete="off">
            <label for="search-input" class="small-title">{ t.search_label }</label>
            <div class="search-row">
                <input id="search-input" data-test="search-input" type="search" spellcheck="false"
                    placeholder={t.search_placeholder} value={(*typed).clone()} role="combobox"
                    aria-expanded={expanded.to_string()} aria-controls="search-list" aria-autocomplete="list"
                    aria-activedescendant={active.map(option_id)} {oninput} {onchange} {onkeydown} {onfocus} {onblur} />
                <button type="submit" data-test="search-submit">{ t.search }</button>
            </div>
            <ul id="search-list" class="suggestions" role="listbox" aria-label={t.containers} hidden={!expanded}>
                { for options }
            </ul>
        </form>
    }
}

fn option_id(index: usize) -> String {
    format!("search-option-{index}")
}

fn details(container: &ContainerSummary) -> String {
    [container.state.as_deref(), container.image.as_deref()]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" · ")
}

/// The containers whose id starts with, or whose name or image contains, what was typed.
fn suggestions(containers: &[ContainerSummary], typed: &str) -> Vec<ContainerSummary> {
    let wanted = lower(typed.trim());
    let holds = |text: &Option<String>| text.as_ref().is_some_and(|text| lower(text).contains(&wanted));
    containers
        .iter()
        .filter(|container| {
            lower(&container.id).starts_with(&wanted) || holds(&container.name) || holds(&container.image)
        })
        .take(SUGGESTIONS)
        .cloned()
        .collect()
}

/// The next active option; past either end there is none, which is the typed text itself.
fn step(active: Option<usize>, count: usize, down: bool) -> Option<usize> {
    match (active, down) {
        _ if count == 0 => None,
        (None, true) => Some(0),
        (None, false) => Some(count - 1),
        (Some(index), true) => (index + 1 < count).then_some(index + 1),
        (Some(index), false) => index.checked_sub(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn ids_fit_from_their_start_names_and_images_anywhere() {
        let containers = sample::overview().containers;
        let ids = |typed: &str| {
            suggestions(&containers, typed).into_iter().filter_map(|it| it.name).collect::<Vec<_>>()
        };
        assert_eq!(ids("AC05"), ["web"]);
        assert_eq!(ids("c05"), [] as [&str; 0]);
        assert_eq!(ids("web"), ["web", "web-2"]);
        assert_eq!(ids("google/"), ["cadvisor"]);
    }

    #[test]
    fn arrow_keys_go_round_through_the_typed_text() {
        assert_eq!(step(None, 2, true), Some(0));
        assert_eq!(step(Some(1), 2, true), None);
        assert_eq!(step(None, 2, false), Some(1));
        assert_eq!(step(Some(0), 2, false), None);
        assert_eq!(step(Some(3), 0, true), None);
    }
}
