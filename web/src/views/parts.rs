//! Small parts that several views use.

use crate::browser::clipboard;
use crate::text;
use ebusy_analyzer::report::{Effect, Evidence, Status};
use gloo::timers::callback::Timeout;
use yew::prelude::*;

/// Signs that stand beside a word, never instead of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyph {
    /// The product's mark: two lanes, one of them held.
    Brand,
    /// Held, and blocking.
    Blocked,
    /// Free.
    Check,
    /// Unknown.
    Question,
    /// Holding without blocking.
    Half,
    /// Unrelated.
    Ring,
    /// A warning.
    Warning,
    /// A way to somewhere.
    Go,
}

/// A sign. Decoration: the word beside it says the same.
pub fn icon(glyph: Glyph) -> Html {
    let shape = match glyph {
        Glyph::Brand => html! {
            <g>
                <path d="M4 6h16M4 12h9M4 18h16" class="stroke" />
                <circle cx="17.5" cy="12" r="3" class="fill" />
            </g>
        },
        Glyph::Blocked => html! {
            <g>
                <path d="M8 2h8l6 6v8l-6 6H8l-6-6V8z" class="fill" />
                <path d="M7 12h10" class="knock" />
            </g>
        },
        Glyph::Check => html! {
            <g><circle cx="12" cy="12" r="10" class="fill" /><path d="M7.5 12.5l3 3 6-7" class="knock" /></g>
        },
        Glyph::Question => html! {
            <g>
                <rect x="2" y="2" width="20" height="20" rx="4" class="fill" />
                <path d="M8.8 9.2a3.2 3.2 0 1 1 4.7 2.8c-1 .6-1.5 1.2-1.5 2.3M12 17.6v.2" class="knock" />
            </g>
        },
        Glyph::Half => html! {
            <g>
                <circle cx="12" cy="12" r="9" class="stroke" />
                <path d="M12 3a9 9 0 0 1 0 18z" class="fill" />
            </g>
        },
        Glyph::Ring => html! { <circle cx="12" cy="12" r="8" class="stroke dashed" /> },
        Glyph::Go => html! {
            <g><circle cx="10" cy="10" r="6.5" class="stroke" /><path d="M15 15l6 6" class="stroke" /></g>
        },
        Glyph::Warning => html! {
            <g><path d="M12 2.5L23 21.5H1z" class="fill" /><path d="M12 9v6M12 17.8v.2" class="knock" /></g>
        },
    };
    html! {
        <svg class="icon" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false">
            { shape }
        </svg>
    }
}

/// The sign of a verdict.
pub fn status_glyph(status: Status) -> Glyph {
    match status {
        Status::Held => Glyph::Blocked,
        Status::Free => Glyph::Check,
        Status::Unknown => Glyph::Question,
    }
}

/// The sign of an effect.
pub fn effect_glyph(effect: Effect) -> Glyph {
    match effect {
        Effect::Blocking => Glyph::Blocked,
        Effect::Holding => Glyph::Half,
        Effect::Unrelated => Glyph::Ring,
    }
}

/// Name of an effect in attributes and classes, as in the report's JSON.
pub fn effect_name(effect: Effect) -> &'static str {
    match effect {
        Effect::Blocking => "blocking",
        Effect::Holding => "holding",
        Effect::Unrelated => "unrelated",
    }
}

/// An effect by sign, word and colour.
pub fn badge(effect: Effect) -> Html {
    html! {
        <span class={classes!("badge", effect_name(effect))}>
            { icon(effect_glyph(effect)) }{ text::t().effect(effect) }
        </span>
    }
}

/// Properties of [`Copy`].
#[derive(Properties, PartialEq)]
pub struct CopyProps {
    /// What to copy.
    #[prop_or_default]
    pub value: AttrValue,
    /// Makes what to copy when it is wanted, in place of `value`.
    #[prop_or_default]
    pub make: Option<Callback<(), String>>,
    /// What the button says.
    #[prop_or(text::t().copy)]
    pub label: &'static str,
    /// What a screen reader hears in place of the bare word.
    #[prop_or_default]
    pub what: Option<AttrValue>,
}

/// How long "Copied" stays, in milliseconds.
const COPIED_STAYS: u32 = 2500;

/// A button that copies a text and says whether that worked.
#[component]
pub fn Copy(props: &CopyProps) -> Html {
    let t = text::t();
    let copied = use_state_eq(|| None::<bool>);
    let reset = use_mut_ref(|| None::<Timeout>);
    let onclick = {
        let (copied, value, make) = (copied.clone(), props.value.clone(), props.make.clone());
        Callback::from(move |_: MouseEvent| {
            let (copied, reset) = (copied.clone(), reset.clone());
            let done = Callback::from(move |worked: bool| {
                copied.set(Some(worked));
                let copied = copied.clone();
                // Replacing the timer stops the one before: a second click counts from anew.
                *reset.borrow_mut() = Some(Timeout::new(COPIED_STAYS, move || copied.set(None)));
            });
            let text = make.as_ref().map_or_else(|| value.to_string(), |make| make.emit(()));
            clipboard::copy(text, done);
        })
    };
    let (label, mark) = match *copied {
        None => (props.label, "false"),
        Some(true) => (t.copied, "true"),
        Some(false) => (t.copy_failed, "failed"),
    };
    let aria = props.what.as_ref().filter(|_| copied.is_none()).map(|what| format!("{label}: {what}"));
    html! {
        <button type="button" class="copy" data-test="copy" data-copied={mark}
            data-copy-text={(!props.value.is_empty()).then(|| props.value.clone())} aria-label={aria} {onclick}>
            <span aria-live="polite">{ label }</span>
        </button>
    }
}

/// A fold: how many items are shown, and the button for the rest.
pub struct Fold {
    /// How many of the items to show.
    pub shown: usize,
    hidden: usize,
    toggle: Callback<MouseEvent>,
}

impl Fold {
    /// The button that shows the rest, in an element that is there with or without it.
    pub fn button(&self) -> Html {
        let button = (self.hidden > 0).then(|| {
            let label = (text::t().show_more)(self.hidden);
            html! { <button type="button" class="fold" data-fold="true" onclick={self.toggle.clone()}>{ label }</button> }
        });
        html! { <div class="slot">{ button }</div> }
    }
}

/// Shows the first `first` of `total` items until somebody wants all. A rest of one is not worth a
/// button and is shown at once.
#[hook]
pub fn use_fold(total: usize, first: usize) -> Fold {
    let all = use_state_eq(|| false);
    let folded = !*all && total > first + 1;
    let toggle = Callback::from(move |_| all.set(true));
    Fold { shown: if folded { first } else { total }, hidden: if folded { total - first } else { 0 }, toggle }
}

#[derive(Properties, PartialEq)]
struct FoldingProps {
    total: usize,
    first: usize,
    view: Callback<Fold, Html>,
}

#[component]
fn Folding(props: &FoldingProps) -> Html {
    props.view.emit(use_fold(props.total, props.first))
}

/// A list with a fold of its own. One component serves all of them: each further one costs the page some KB.
pub fn folding(total: usize, first: usize, view: impl Fn(&Fold) -> Html + 'static) -> Html {
    html! { <Folding {total} {first} view={Callback::from(move |fold| view(&fold))} /> }
}

/// A time (RFC 3339 UTC, or as it stands in the log) in the zone that the reader prefers, the other one in the
/// tooltip.
pub fn time(value: &str) -> Html {
    html! {
        <time datetime={value.to_owned()} title={text::time_elsewhere(value)}>{ text::time(value) }</time>
    }
}

/// A sentence of the analyzer, in the reader's language where it is known there; `` `x` `` is code.
pub fn prose(sentence: &str) -> Html {
    let translated = text::translated(sentence);
    let lang = text::data_language().filter(|_| translated.is_none());
    let sentence = translated.unwrap_or_else(|| sentence.to_owned());
    let pairs = sentence.matches('`').count().is_multiple_of(2);
    let parts = sentence.split(|c| pairs && c == '`').enumerate().map(|(index, part)| {
        let part = part.to_owned();
        if index % 2 == 1 {
            html! { <code key={index}>{ part }</code> }
        } else {
            html! { <span key={index}>{ part }</span> }
        }
    });
    html! { <span {lang}>{ for parts }</span> }
}

/// A table that scrolls sideways where it has no room. Columns: name and class.
pub fn table(label: &'static str, columns: &[(&'static str, &'static str)], rows: Html) -> Html {
    let head = columns
        .iter()
        .map(|(name, class)| html! { <th key={*name} scope="col" class={*class}>{ name }</th> });
    html! {
        <div class="scroll" tabindex="0" role="group" aria-label={label}>
            <table>
                <thead><tr>{ for head }</tr></thead>
                <tbody>{ rows }</tbody>
            </table>
        </div>
    }
}

/// `file:line`.
pub fn place(evidence: &Evidence) -> String {
    match evidence.line {
        Some(line) => format!("{}:{line}", evidence.file),
        None => evidence.file.clone(),
    }
}

/// File, line and text of claims.
pub fn evidence_table(items: Vec<Evidence>) -> Html {
    folding(items.len(), 6, move |fold| {
        let t = text::t();
        let rows = items.iter().take(fold.shown).enumerate().map(|(index, item)| {
            html! {
                <tr key={index}>
                    <td class="place"><code>{ place(item) }</code></td>
                    <td class="value"><code>{ &item.text }</code></td>
                </tr>
            }
        });
        html! {
            <div>
                { table(t.evidence, &[(t.column_where, ""), (t.column_text, "")], html! { { for rows } }) }
                { fold.button() }
            </div>
        }
    })
}
