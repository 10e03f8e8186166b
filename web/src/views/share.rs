//! Taking the report along: as Markdown for an issue, as JSON for tools.

use super::parts::Copy;
use crate::browser::page;
use crate::text;
use ebusy_analyzer::report::{Report, markdown};
use std::rc::Rc;
use yew::prelude::*;

/// The buttons. Both texts are made when asked for: a report with many holders is long.
pub fn share(report: &Rc<Report>) -> Html {
    let t = text::t();
    let make = {
        let report = report.clone();
        Callback::from(move |()| markdown::render(&report))
    };
    let save = {
        let report = report.clone();
        Callback::from(move |_: MouseEvent| {
            if let Ok(json) = serde_json::to_string(&*report) {
                page::save(&file_name(&report, "json"), "application/json", &json);
            }
        })
    };
    html! {
        <div class="share" data-test="share">
            <Copy make={make} label={t.copy_markdown} />
            <button type="button" class="copy" data-test="save-json" onclick={save}>{ t.save_json }</button>
        </div>
    }
}

/// `ebusy-HOST.ENDING`. The host's name is the bundle's word: only what is harmless in a file name stays.
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
