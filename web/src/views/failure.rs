//! What went wrong and what to do.

use super::parts::{Copy, Glyph, icon, prose};
use crate::state::Failed;
use crate::text;
use yew::prelude::*;

/// A failure, above a start screen that still works.
pub fn failure(failed: &Failed) -> Html {
    let t = text::t();
    let Failed { file, failure } = failed;
    let title = if file.name.is_empty() { t.failed.to_owned() } else { (t.failed_file)(&file.name) };
    html! {
        <section class="failure" role="alert" data-test="failure" data-code={failure.code.clone()}>
            { icon(Glyph::Warning) }
            <div>
                <h2>{ title }</h2>
                <p>{ prose(&failure.message) }</p>
                <p><strong>{ t.what_to_do }</strong>{ " " }{ prose(&failure.advice) }</p>
                <p class="muted">{ whose(&failure.code) }</p>
                <p class="muted small">{ t.error_code }{ " " }<code>{ &failure.code }</code>{ " " }<Copy value={details(failed)} label={t.fleet.copy_details} /></p>
            </div>
        </section>
    }
}

/// Whose fault it is, by the code: who is asked for help differs.
fn whose(code: &str) -> &'static str {
    let t = text::t().fleet;
    match code {
        "worker-crashed" | "worker-answer" | "page-request" | "nothing-open" => t.fault_page,
        "no-worker" | "no-file-reader" => t.fault_browser,
        "no-demo" => t.fault_copy,
        _ => t.fault_file,
    }
}

/// What a reader can paste into a report.
fn details(failed: &Failed) -> String {
    let Failed { file, failure } = failed;
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "ebusy {version}: {} [{}]\n{} ({} bytes)\n{}",
        failure.message, failure.code, file.name, file.size, failure.advice
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_file_is_not_called_the_pages_fault_and_the_other_way_round() {
        let t = text::t().fleet;
        assert_eq!(whose("damaged-archive"), t.fault_file);
        assert_eq!(whose("worker-crashed"), t.fault_page);
        assert_eq!(whose("no-worker"), t.fault_browser);
    }
}
