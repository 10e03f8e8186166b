//! A table of any length: only the rows that can be seen are in the document.
//!
//! All rows have one height, which is measured, so that the scroll bar tells the truth at any size of the letters.
//! Heights stand in attributes: the page's policy forbids style attributes.

use crate::browser::page::{self, Window};
use yew::prelude::*;

/// So many rows more than fit are made above and below, so that scrolling shows no gaps.
const SPARE: usize = 8;

/// Properties of [`VirtualTable`].
#[derive(Properties, PartialEq)]
pub struct VirtualTableProps {
    /// What a screen reader calls it.
    pub label: AttrValue,
    /// Head cells.
    pub head: Html,
    /// How many columns it has.
    pub columns: usize,
    /// How many rows it has.
    pub count: usize,
    /// Makes the cells of a row.
    pub row: Callback<usize, Html>,
    /// `data-test` of a row.
    pub hook: &'static str,
}

/// A table in a box of its own that scrolls.
#[component]
pub fn VirtualTable(props: &VirtualTableProps) -> Html {
    let body = use_node_ref();
    let window = use_state_eq(Window::default);
    let look = {
        let (body, window) = (body.clone(), window.clone());
        Callback::from(move |()| {
            if let Some(seen) = body.cast::<web_sys::Element>().and_then(|body| page::window_of(&body)) {
                window.set(seen);
            }
        })
    };
    // A row that was not there before has a height to measure.
    use_effect_with(props.count, {
        let look = look.clone();
        move |_| look.emit(())
    });
    let onscroll = look.reform(|_: Event| ());
    let (first, last) = range(*window, props.count);
    let row = |index: usize| {
        html! {
            // The head is the first row.
            <tr key={index} class="row" data-test={props.hook} aria-rowindex={(index + 2).to_string()}>
                { props.row.emit(index) }
            </tr>
        }
    };
    html! {
        <div class="virtual" tabindex="0" role="group" aria-label={props.label.clone()} {onscroll}>
            <table aria-label={props.label.clone()} aria-rowcount={(props.count + 1).to_string()}>
                <thead><tr aria-rowindex="1">{ props.head.clone() }</tr></thead>
                { space(first, props.columns, window.row) }
                <tbody ref={body}>{ for (first..last).map(row) }</tbody>
                { space(props.count - last, props.columns, window.row) }
            </table>
        </div>
    }
}

/// Which rows to make.
fn range(window: Window, count: usize) -> (usize, usize) {
    let Window { top, height, row } = window;
    // Before anything was measured, a screenful does.
    let (first, fit) =
        if row > 0.0 { ((top / row) as usize, (height / row).ceil() as usize + 1) } else { (0, 24) };
    let first = first.saturating_sub(SPARE).min(count.saturating_sub(fit + SPARE));
    (first, (first + fit + 2 * SPARE).min(count))
}

/// In place of so many rows.
fn space(rows: usize, columns: usize, height: f64) -> Html {
    // A whole number: formatting floats costs 10 KB of module.
    let height = (rows as f64 * height).round() as u64;
    html! {
        <tbody aria-hidden="true" class="space" hidden={rows == 0}>
            <tr><td colspan={columns.to_string()} height={height.to_string()}></td></tr>
        </tbody>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screenful_of_ten_thousand_rows_is_made_wherever_it_is() {
        let at = |top: f64| range(Window { top, height: 600.0, row: 30.0 }, 10_000);
        for top in [0.0, 30.0, 123_456.0, 299_400.0, 9e9] {
            let (first, last) = at(top);
            assert!(last - first <= 21 + 2 * SPARE && last <= 10_000, "{top}: {first} to {last}");
            let (wanted, end) = ((top / 30.0) as usize, ((top + 600.0) / 30.0) as usize);
            assert!(top > 3e5 || (first <= wanted && last >= end.min(10_000)), "{top}: {first} to {last}");
        }
        assert_eq!(at(9e9).1, 10_000);
    }

    #[test]
    fn few_rows_are_all_made() {
        assert_eq!(range(Window { top: 5000.0, height: 600.0, row: 30.0 }, 3), (0, 3));
        assert_eq!(range(Window::default(), 0), (0, 0));
        assert_eq!(range(Window::default(), 10).1, 10);
    }
}
