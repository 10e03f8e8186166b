//! The busy errors of the bundle's logs, one of them chosen.

use super::parts::use_fold;
use crate::text;
use crate::worker::protocol::Question;
use ebusy_analyzer::report::BusyError;
use yew::prelude::*;

/// Properties of [`ErrorsList`].
#[derive(Properties, PartialEq)]
pub struct ErrorsListProps {
    /// Latest first.
    pub errors: Vec<BusyError>,
    /// What was asked last.
    pub question: Question,
    /// One was chosen.
    pub ask: Callback<Question>,
}

/// The list.
#[component]
pub fn ErrorsList(props: &ErrorsListProps) -> Html {
    let t = text::t();
    let fold = use_fold(props.errors.len(), 6);
    let items = props.errors.iter().enumerate().take(fold.shown).map(|(index, error)| {
        let chosen = props.question == Question::Error(index);
        let onclick = props.ask.reform(move |_: MouseEvent| Question::Error(index));
        html! { <li key={index}>{ item(error, chosen, onclick) }</li> }
    });
    let list = if props.errors.is_empty() {
        html! { <p class="muted">{ t.no_errors }</p> }
    } else {
        html! { <ol class="errors">{ for items }</ol> }
    };
    html! {
        <section aria-labelledby="errors-title">
            <h2 id="errors-title" class="small-title">{ (t.errors_title)(props.errors.len()) }</h2>
            <div>{ list }</div>
            { fold.button() }
        </section>
    }
}

fn item(error: &BusyError, chosen: bool, onclick: Callback<MouseEvent>) -> Html {
    let t = text::t();
    html! {
        <button type="button" class="error-item" data-test="error-item" title={error.line.clone()}
            aria-current={if chosen { "true" } else { "false" }} {onclick}>
            <span class="error-head">
                <span class="what">{ subject(error) }</span>
                <span class="count">{ (t.times)(error.count) }</span>
            </span>
            <span class="when">{ when(error) }</span>
            <code class="line">{ wording(&error.line) }</code>
        </button>
    }
}

/// What the error is about, as short as it stays clear: name and short id, else device or path.
fn subject(error: &BusyError) -> String {
    let object = match (&error.name, &error.container_id) {
        (Some(name), Some(id)) => Some(format!("{name} ({})", text::short_id(id))),
        (Some(name), None) => Some(name.clone()),
        (None, Some(id)) => Some(text::short_id(id).to_owned()),
        (None, None) => error.device.clone().or_else(|| error.path.clone()),
    };
    let object = object.unwrap_or_else(|| text::t().unnamed_object.to_owned());
    match &error.driver {
        Some(driver) => format!("{object} · {driver}"),
        None => object,
    }
}

/// What follows `start`, or all of it where that is missing.
fn after<'a>(line: &'a str, start: &str) -> &'a str {
    line.find(start).map_or(line, |at| &line[at + start.len()..])
}

/// First and last time in UTC.
fn when(error: &BusyError) -> String {
    match (&error.first, &error.last) {
        (Some(first), Some(last)) if first != last => text::utc_range(first, last),
        (Some(time), _) | (None, Some(time)) => text::utc(time),
        (None, None) => text::t().no_time.to_owned(),
    }
}

/// The message itself: what stands before it in a log line (time, host, level) tells little here.
fn wording(line: &str) -> &str {
    // journald's JSON, else logfmt, else the line as it is.
    let line = ["\"MESSAGE\":\"", "msg=\"", "msg=\\\""].iter().fold(line, |line, start| after(line, start));
    let line = line.trim_end_matches(['"', '\\', '}']);
    match line.find("returned error: ") {
        Some(at) => &line[at + 16..],
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wording_is_what_the_daemon_said() {
        let line = "Nov 22 web1 dockerd[8]: level=error msg=\"Handler for DELETE /x returned error: Driver \
                    devicemapper failed: Device is Busy\"";
        assert_eq!(wording(line), "Driver devicemapper failed: Device is Busy");
        let json = "{\"_BOOT_ID\":\"d5\",\"MESSAGE\":\"level=error msg=\\\"Device is Busy\\\"\"}";
        assert_eq!(wording(json), "Device is Busy");
        assert_eq!(wording("-job rm(ac05) = ERR (1)"), "-job rm(ac05) = ERR (1)");
    }

    #[test]
    fn an_error_without_any_name_is_still_listed_as_something() {
        assert_eq!(subject(&BusyError::default()), text::t().unnamed_object);
        let path = BusyError { path: Some("/run/netns/x".into()), ..BusyError::default() };
        assert_eq!(subject(&path), "/run/netns/x");
    }
}
