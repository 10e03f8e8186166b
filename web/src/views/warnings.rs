//! What could not be read, is missing or is not told in full.

use super::parts::{Glyph, folding, icon, prose};
use crate::text;
use ebusy_analyzer::report::{Diagnostic, Overview, Report};
use yew::prelude::*;

/// The warnings of bundle and report, each once.
pub fn all(overview: &Overview, report: &Report) -> Vec<Diagnostic> {
    let mut all = report.warnings.clone();
    all.extend(overview.warnings.iter().filter(|warning| !report.warnings.contains(warning)).cloned());
    all
}

/// The list.
pub fn warnings(items: Vec<Diagnostic>) -> Html {
    folding(items.len(), 5, move |fold| {
        let t = text::t();
        let items = items.iter().take(fold.shown).enumerate().map(|(index, item)| {
            html! {
                <li key={index}>
                    <p>{ prose(&item.message) }{ " " }<span class="muted">{ prose(&item.advice) }</span></p>
                    <p class="small muted"><code>{ &item.code }</code>{ " " }<code>{ place(item) }</code></p>
                </li>
            }
        });
        html! {
            <section class="section warnings" data-test="warnings" aria-labelledby="warnings-title">
                <h2 id="warnings-title">{ icon(Glyph::Warning) }{ (t.warnings_title)(items.len()) }</h2>
                <ul class="plain">{ for items }</ul>
                { fold.button() }
            </section>
        }
    })
}

fn place(item: &Diagnostic) -> String {
    match (&item.file, item.line) {
        (Some(file), Some(line)) => format!("{file}:{line}"),
        (Some(file), None) => file.clone(),
        (None, _) => String::new(),
    }
}
