//! All containers of the bundle, to ask for one of them.

use super::virtual_table::VirtualTable;
use crate::browser::letters::lower;
use crate::text;
use crate::worker::protocol::Question;
use ebusy_analyzer::report::{ContainerSummary, Overview};
use std::rc::Rc;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Properties of [`Containers`].
#[derive(Properties, PartialEq)]
pub struct ContainersProps {
    /// The bundle.
    pub overview: Rc<Overview>,
    /// A report is wanted.
    pub ask: Callback<Question>,
}

/// A table with a filter as one types.
#[component]
pub fn Containers(props: &ContainersProps) -> Html {
    let t = text::t();
    let filter = use_state_eq(String::new);
    let fitting: Rc<[usize]> = fitting(&props.overview.containers, &filter).into();
    let oninput = {
        let filter = filter.clone();
        Callback::from(move |event: InputEvent| {
            filter.set(event.target_unchecked_into::<HtmlInputElement>().value());
        })
    };
    let row = {
        let (overview, fitting, ask) = (props.overview.clone(), fitting.clone(), props.ask.clone());
        Callback::from(move |index: usize| {
            match fitting.get(index).and_then(|at| overview.containers.get(*at)) {
                Some(container) => cells(container, &ask),
                None => html! { <td></td> },
            }
        })
    };
    let columns = [t.column_name, t.column_state, t.fleet.column_id, t.fleet.column_image];
    let head = html! { { for columns.map(|name| html! { <th key={name} scope="col">{ name }</th> }) } };
    let all = props.overview.containers.len();
    html! {
        <section class="section" aria-label={t.containers} data-test="containers">
            <div class="filter-row">
                <input type="search" data-test="container-filter" aria-label={t.containers} spellcheck="false"
                    placeholder={t.fleet.containers_hint} value={(*filter).clone()} {oninput} />
                <span class="muted nowrap" role="status" data-test="container-count">
                    { format!("{} / {all}", fitting.len()) }
                </span>
            </div>
            <VirtualTable label={t.containers} {head} columns={4} count={fitting.len()} {row} hook="container-row" />
        </section>
    }
}

fn fitting(containers: &[ContainerSummary], filter: &str) -> Vec<usize> {
    let words: Vec<String> = filter.split_whitespace().map(lower).collect();
    let fits = |it: &ContainerSummary| {
        let texts = [Some(&it.id), it.name.as_ref(), it.image.as_ref(), it.state.as_ref()];
        let texts: Vec<String> = texts.into_iter().flatten().map(|text| lower(text)).collect();
        words.iter().all(|word| texts.iter().any(|text| text.contains(word)))
    };
    let indexes = containers.iter().enumerate().filter(|(_, it)| words.is_empty() || fits(it));
    indexes.map(|(index, _)| index).collect()
}

fn cells(container: &ContainerSummary, ask: &Callback<Question>) -> Html {
    let t = text::t();
    let id = container.id.clone();
    let onclick = ask.reform(move |_: MouseEvent| Question::Text(id.clone()));
    html! {
        <>
            <th scope="row">
                <button type="button" class="link" {onclick}>
                    { container.name.as_deref().unwrap_or(t.no_name) }
                </button>
            </th>
            <td>{ container.state.clone() }</td>
            <td><code>{ text::short_id(&container.id) }</code></td>
            <td>{ container.image.clone() }</td>
        </>
    }
}
