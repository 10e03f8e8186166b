//! What is said above a report that no bundle here gave, and above one that a link asked for.

use super::parts::{Glyph, icon};
use crate::state::Open;
use crate::state::given::{Inside, Origin, Source};
use crate::text;
use ebusy_analyzer::report::link::ViewLink;
use yew::prelude::*;

/// The words above an open bundle; nothing for a bundle that somebody just opened.
pub fn given(bundle: &Open) -> Html {
    let origin = bundle.given.origin.as_deref().map(origin);
    let other = bundle
        .given
        .expected
        .as_deref()
        .filter(|_| bundle.given.is_another_bundle(&bundle.file))
        .map(another_bundle);
    html! { <div class="slot">{ origin }{ other }</div> }
}

fn origin(origin: &Origin) -> Html {
    let t = text::t().share;
    let (title, what, name) = match origin.source {
        Source::Link => (t.from_link, t.from_link_text, "link"),
        Source::File => (t.from_file, t.from_file_text, "file"),
    };
    let what = match &origin.inside {
        Inside::Nothing => what.to_owned(),
        Inside::Reading(_) => t.inside_reading.to_owned(),
        Inside::Failed(failure) => (t.inside_failed)(&format!("{} {}", failure.message, failure.advice)),
    };
    let lacks: Vec<String> = origin.left_out.iter().map(|l| (t.part)(l.part, l.count)).collect();
    let replaced: Vec<String> =
        origin.replaced.iter().map(|r| (t.replaced_of)((t.kinds)(r.kind).0, r.different)).collect();
    let line = |title: &'static str, items: &[String]| {
        (!items.is_empty())
            .then(|| html! { <p class="small"><strong>{ title }</strong>{ ": " }{ items.join(", ") }</p> })
    };
    html! {
        <section class="given note" role="status" data-test="given" data-source={name}>
            { icon(Glyph::Warning) }
            <div>
                <h2 class="small-title">{ title }</h2>
                <p>{ what }</p>
                <div class="slot">{ line(t.lacks, &lacks) }{ line(t.replaced, &replaced) }</div>
            </div>
        </section>
    }
}

fn another_bundle(link: &ViewLink) -> Html {
    let t = text::t().share;
    html! {
        <section class="given note" role="alert" data-test="another-bundle">
            { icon(Glyph::Warning) }
            <div>
                <h2 class="small-title">{ t.another_bundle }</h2>
                <p>{ (t.another_bundle_text)(&link.name, short(&link.sha256)) }</p>
            </div>
        </section>
    }
}

/// Above the start screen: the bundle that a link asks for.
pub fn wanted(link: &ViewLink) -> Html {
    let t = text::t().share;
    html! {
        <section class="given note" role="status" data-test="wanted">
            <div>
                <h2>{ (t.wanted)(&link.name) }</h2>
                <p>{ (t.wanted_text)(&text::bytes(link.size), short(&link.sha256)) }</p>
            </div>
        </section>
    }
}

/// So much of a hash that a person compares it.
fn short(hash: &str) -> &str {
    hash.get(..16).unwrap_or(hash)
}
