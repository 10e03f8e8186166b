//! The busy errors of the bundle's logs, one of them chosen.

use super::parts::folding;
use crate::text;
use crate::worker::protocol::Question;
use ebusy_analyzer::report::BusyError;
use yew::prelude::*;

/// The list, latest first; `question` is what was asked last.
pub fn errors_list(errors: Vec<BusyError>, question: Question, ask: Callback<Question>) -> Html {
    folding(errors.len(), 6, move |fold| {
        let t = text::t();
        let items = errors.iter().enumerate().take(fold.shown).map(|(index, error)| {
            let chosen = question == Question::Error(index);
            let onclick = ask.reform(move |_: MouseEvent| Question::Error(index));
            html! { <li key={index}>{ item(error, chosen, onclick) }</li> }
        });
        let list = if errors.is_empty() {
            html! { <p class="muted">{ t.no_errors }</p> }
        } else {
            html! { <ol class="errors">{ for items }</ol> }
        };
        html! {
            <section aria-labelledby="errors-title">
                <h2 id="errors-title" class="small-title">{ (t.errors_title)(errors.len()) }</h2>
                <div>{ list }</div>
                { fold.button() }
            </section>
        }
    })
}

fn item(error: &BusyError, chosen: bool, onclick: Callback<MouseEvent>) -> Html {
    let t = text::t();
    let (object, details) = names(error);
    html! {
        <button type="button" class="error-item" data-test="error-item" title={error.line.clone()}
            aria-current={if chosen { "true" } else { "false" }} {onclick}>
            <span class="error-head">
                <span class="what">{ object }</span>
                <span class="count">{ (t.times)(error.count) }</span>
            </span>
            <span class="when">{ details }</span>
            <span class="when">{ when(error) }</span>
            <code class="line">{ text::log_message(&error.line) }</code>
        </button>
    }
}

/// What the error is about, as short as it stays clear: name and short id, else device or path.
pub(super) fn subject(error: &BusyError) -> String {
    let (object, details) = names(error);
    if details.is_empty() { object } else { format!("{object} · {details}") }
}

/// The object, and what else there is to say of it in a word or two.
fn names(error: &BusyError) -> (String, String) {
    let id = error.container_id.as_deref().map(text::short_id);
    let object = error
        .name
        .as_deref()
        .or(id)
        .or(error.device.as_deref())
        .or(error.path.as_deref())
        .unwrap_or(text::t().unnamed_object);
    let details = [id.filter(|id| *id != object), error.driver.as_deref()];
    (object.to_owned(), details.into_iter().flatten().collect::<Vec<_>>().join(" · "))
}

/// First and last time.
fn when(error: &BusyError) -> String {
    match (&error.first, &error.last) {
        (Some(first), Some(last)) if first != last => text::time_range(first, last),
        (Some(time), _) | (None, Some(time)) => text::time(time),
        (None, None) => text::t().no_time.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_without_any_name_is_still_listed_as_something() {
        assert_eq!(subject(&BusyError::default()), text::t().unnamed_object);
        let path = BusyError { path: Some("/run/netns/x".into()), ..BusyError::default() };
        assert_eq!(subject(&path), "/run/netns/x");
    }
}
