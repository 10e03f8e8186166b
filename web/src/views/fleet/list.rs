//! The hosts: a filter as one types, and two of them to compare.

use crate::browser::letters::lower;
use crate::state::Action;
use crate::state::fleet::{Fleet, Place, Row};
use crate::text;
use crate::views::Acts;
use crate::views::parts::{Glyph, icon, status_glyph};
use crate::views::verdict::status_name;
use crate::views::virtual_table::VirtualTable;
use ebusy_analyzer::fleet::HostLine;
use ebusy_analyzer::report::Status;
use std::rc::Rc;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Properties of [`HostList`].
#[derive(Properties, PartialEq)]
pub struct HostListProps {
    /// The hosts.
    pub fleet: Rc<Fleet>,
    /// Only hosts with these words are shown.
    pub filter: AttrValue,
    /// Other words.
    pub set_filter: Callback<AttrValue>,
    /// A host is to be looked at.
    pub open: Callback<Place>,
    /// What else somebody can do.
    pub act: Acts,
}

/// The list with its filter.
#[component]
pub fn HostList(props: &HostListProps) -> Html {
    let t = text::t();
    let HostListProps { fleet, filter, set_filter, .. } = props;
    let fitting: Rc<[usize]> = fitting(&fleet.rows, filter).into();
    let oninput = set_filter
        .reform(|event: InputEvent| event.target_unchecked_into::<HtmlInputElement>().value().into());
    let clear = set_filter.reform(|_: MouseEvent| AttrValue::from(""));
    let clear = (!filter.is_empty()).then(|| {
        html! {
            <button type="button" class="quiet" onclick={clear}>{ t.fleet.clear_filter }</button>
        }
    });
    let none = fitting.is_empty().then(|| html! { <p class="muted">{ t.fleet.none_fits }</p> });
    let row = {
        let (fleet, fitting, open, send) =
            (fleet.clone(), fitting.clone(), props.open.clone(), props.act.send.clone());
        Callback::from(move |index: usize| match fitting.get(index).and_then(|at| fleet.rows.get(*at)) {
            Some(row) => {
                // Several bundles of one host are told apart by their files.
                let twin =
                    fleet.rows.iter().filter(|other| other.line.name() == row.line.name()).nth(1).is_some();
                cells(row, twin, fleet.marked.contains(&row.place), &open, &send)
            }
            None => html! { <td></td> },
        })
    };
    html! {
        <section class="section" aria-labelledby="hosts-title">
            <h2 id="hosts-title">{ t.fleet.hosts }</h2>
            <div class="filter-row">
                <input type="search" data-test="fleet-filter" aria-label={t.fleet.filter} spellcheck="false"
                    placeholder={t.fleet.filter_hint} value={filter.clone()} {oninput} />
                <span class="muted nowrap" role="status" data-test="fleet-count">
                    { (t.fleet.shown)(fitting.len(), fleet.rows.len()) }
                </span>
                <span class="slot">{ clear }</span>
                { comparison(fleet, &props.act) }
            </div>
            <div class="slot">{ none }</div>
            <VirtualTable label={t.fleet.hosts} head={head()} columns={7} count={fitting.len()} {row} hook="host-row" />
        </section>
    }
}

/// The button is there from the start, so that nothing moves when two are chosen.
fn comparison(fleet: &Fleet, act: &Acts) -> Html {
    let t = text::t();
    let pair = fleet.pair();
    let compare = act.compare.clone();
    let onclick = Callback::from(move |_: MouseEvent| pair.iter().for_each(|pair| compare.emit(*pair)));
    html! {
        <button type="button" data-test="compare" disabled={pair.is_none()} title={t.fleet.compare_hint} {onclick}>
            { t.fleet.compare }
        </button>
    }
}

/// Indexes of the rows that have every word.
fn fitting(rows: &[Row], filter: &str) -> Vec<usize> {
    let words: Vec<String> = filter.split_whitespace().map(lower).collect();
    let fits = |line: &HostLine| {
        let holders = line.holders.iter().map(|holder| holder.who.as_str());
        let texts: Vec<String> = [line.name(), word(line), &line.source, &line.summary]
            .into_iter()
            .chain([&line.host.kernel, &line.target].into_iter().flatten().map(String::as_str))
            .chain(holders)
            .map(lower)
            .collect();
        words.iter().all(|word| texts.iter().any(|text| text.contains(word)))
    };
    let indexes = rows.iter().enumerate().filter(|(_, row)| words.is_empty() || fits(&row.line));
    indexes.map(|(index, _)| index).collect()
}

fn head() -> Html {
    let t = text::t();
    let columns = [
        (t.fleet.column_mark, "mark"),
        (t.fleet.column_verdict, ""),
        (t.fleet.column_host, ""),
        (t.fleet.column_what, "what"),
        (t.fleet.column_left, "left"),
        (t.fleet.column_kernel, "kernel"),
        (t.fleet.taken, "taken"),
    ];
    html! { { for columns.map(|(name, class)| html! { <th key={name} scope="col" {class}>{ name }</th> }) } }
}

fn cells(row: &Row, twin: bool, marked: bool, open: &Callback<Place>, send: &Callback<Action>) -> Html {
    let t = text::t();
    let Row { place, line } = row;
    let place = *place;
    let onclick = open.reform(move |_: MouseEvent| place);
    let onchange = send.reform(move |_: Event| Action::Marked(place));
    let readable = line.failure.is_none();
    let mark = readable.then(|| html! {
        <input type="checkbox" data-test="mark" aria-label={(t.fleet.mark)(line.name())} checked={marked} {onchange} />
    });
    let name = if readable {
        html! { <button type="button" class="link" data-test="host-open" {onclick}>{ line.name() }</button> }
    } else {
        html! { <span>{ line.name() }</span> }
    };
    let left = (line.leftovers > 0).then(|| (t.fleet.left_over)(line.leftovers, line.will_block));
    let what = what(line);
    html! {
        <>
            <td class="mark">{ mark }</td>
            <td class={classes!("state", line.status.map_or("unread", status_name))}>
                { icon(line.status.map_or(Glyph::Warning, status_glyph)) }{ " " }{ word(line) }
            </td>
            <th scope="row" title={line.source.clone()}>
                { name }
                <span class="slot source muted">{ twin.then(|| line.source.clone()) }</span>
            </th>
            <td class="what" title={line.summary.clone()} lang={text::data_language()}>{ what }</td>
            <td class="left">{ left }</td>
            <td class="kernel">{ line.host.kernel.clone() }</td>
            <td class="taken">{ line.host.collected_at.as_deref().map(text::time) }</td>
        </>
    }
}

/// The verdict in a word. A host without a busy error was not asked anything.
fn word(line: &HostLine) -> &'static str {
    let t = text::t();
    match line.status {
        None => t.fleet.unread,
        Some(Status::Unknown) if line.errors == 0 && line.target.is_none() => t.fleet.quiet,
        Some(status) => t.status(status),
    }
}

/// What is held and by whom, or why that is not known.
fn what(line: &HostLine) -> String {
    let t = text::t();
    if let Some(failure) = &line.failure {
        return format!("{} {} [{}]", line.summary, failure.advice, failure.code);
    }
    let by = line.holders.first().map(|first| (t.fleet.by)(&first.who, line.holders.len() - 1));
    match (&line.target, by) {
        (Some(target), Some(by)) => format!("{target}, {by}"),
        (Some(target), None) => target.clone(),
        (None, Some(by)) => by,
        (None, None) => text::told(&line.summary),
    }
}
