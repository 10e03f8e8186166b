//! What went wrong and what to do.

use super::parts::{Glyph, icon};
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
                <p>{ &failure.message }</p>
                <p><strong>{ t.what_to_do }</strong>{ " " }{ &failure.advice }</p>
                <p class="muted small">{ t.error_code }{ " " }<code>{ &failure.code }</code></p>
            </div>
        </section>
    }
}
