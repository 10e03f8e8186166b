//! Taking the report along: as a link, as text for an issue, as a file.

mod dialog;
mod fields;
mod forms;
mod redaction;

use super::Acts;
use crate::browser::page;
use crate::state::Open;
use crate::text;
use dialog::Dialog;
use ebusy_analyzer::report::Report;
use std::rc::Rc;
use web_sys::Element;
use yew::prelude::*;

/// Properties of [`Share`].
#[derive(Properties, PartialEq)]
pub struct ShareProps {
    /// The bundle with the report.
    pub bundle: Rc<Open>,
    /// What somebody can do.
    pub act: Acts,
}

/// The button, and the dialog that it opens. What is shared is made when the dialog is open only: a report with many
/// holders is long.
#[component]
pub fn Share(props: &ShareProps) -> Html {
    let t = text::t().share;
    let dialog = use_node_ref();
    let open = use_state_eq(|| false);
    use_effect_with(*open, {
        let dialog = dialog.clone();
        move |open| {
            if let Some(element) = dialog.cast::<Element>().filter(|_| *open) {
                page::show_dialog(&element);
            }
        }
    });
    let onclick = {
        let open = open.clone();
        Callback::from(move |_: MouseEvent| open.set(true))
    };
    // Escape, the button and a click beside it all end in this event.
    let onclose = {
        let open = open.clone();
        Callback::from(move |_: Event| open.set(false))
    };
    let content = open.then(|| {
        html! { <Dialog bundle={props.bundle.clone()} act={props.act.clone()} dialog={dialog.clone()} /> }
    });
    html! {
        <div class="share">
            <button type="button" class="copy" data-test="share" aria-haspopup="dialog" {onclick}>{ t.open }</button>
            <dialog ref={dialog} class="share-dialog" data-test="share-dialog" aria-labelledby="share-title" {onclose}>
                <div class="slot">{ content }</div>
            </dialog>
        </div>
    }
}

/// `ebusy-HOST.html`. The host's name is the bundle's word: only what is harmless in a file name stays.
pub(super) fn file_name(report: &Report, ending: &str) -> String {
    let host = report.host.name.as_deref().unwrap_or("report");
    let host: String =
        host.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).take(60).collect();
    format!("ebusy-{host}.{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_hostile_host_name_makes_a_harmless_file_name() {
        let mut report = sample::report();
        report.host.name = Some("../../web1\n.sh".into());
        assert_eq!(file_name(&report, "json"), "ebusy-______web1__sh.json");
    }
}
