//! The forms that a report can be shared in.

use super::file_name;
use crate::state::Open;
use crate::worker::protocol::Question;
use ebusy_analyzer::Query;
use ebusy_analyzer::report::link::{self, About, LeftOut, Shared, USUAL_LENGTH, ViewLink};
use ebusy_analyzer::report::redact::{Kind, redact};
use ebusy_analyzer::report::saved::{Saved, SavedBundle};
use ebusy_analyzer::report::{Report, markdown, text};

/// A form, in the dialog's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Link,
    View,
    Markdown,
    Text,
    Json,
    Html,
}

impl Form {
    pub(super) const ALL: [Self; 6] =
        [Self::Link, Self::View, Self::Markdown, Self::Text, Self::Json, Self::Html];

    /// Name in attributes.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::View => "view",
            Self::Markdown => "markdown",
            Self::Text => "text",
            Self::Json => "json",
            Self::Html => "html",
        }
    }

    /// File name ending and MIME type, where it can be saved as text.
    pub(super) fn file(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Markdown => Some(("md", "text/markdown")),
            Self::Text => Some(("txt", "text/plain")),
            Self::Json => Some(("json", "application/json")),
            Self::Link | Self::View | Self::Html => None,
        }
    }

    /// Whether it is an address.
    pub(super) fn is_link(self) -> bool {
        matches!(self, Self::Link | Self::View)
    }
}

/// What comes out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Output {
    /// The text to copy or to save; empty for the HTML file, and for a link that is not there yet.
    pub(super) text: String,
    /// The report as a reader will see it; `None` for a link without data.
    pub(super) shown: Option<Report>,
    /// What had no room.
    pub(super) left_out: Vec<LeftOut>,
}

/// The report without what is to be replaced. One that came from a link lacks what it lacked there.
pub(super) fn shared(bundle: &Open, report: &Report, kinds: &[Kind]) -> Shared {
    let (report, replaced) = redact(report, kinds);
    let mut shared = Shared { report, left_out: Vec::new(), replaced };
    if let Some(origin) = &bundle.given.origin {
        shared.left_out.clone_from(&origin.left_out);
        for before in &origin.replaced {
            if !shared.replaced.iter().any(|r| r.kind == before.kind) {
                shared.replaced.push(*before);
            }
        }
    }
    shared
}

/// The report in a form. `page` is the address that links begin with.
pub(super) fn output(form: Form, bundle: &Open, shared: &Shared, page: &str) -> Output {
    let whole = |text: String| Output { text, shown: Some(shared.report.clone()), left_out: Vec::new() };
    match form {
        Form::Link => {
            let (fragment, shown) = link::report_fragment(shared, USUAL_LENGTH.saturating_sub(page.len()));
            Output { text: format!("{page}{fragment}"), shown: Some(shown.report), left_out: shown.left_out }
        }
        Form::View => {
            let text = view(bundle).map(|view| format!("{page}{}", view.fragment())).unwrap_or_default();
            Output { text, shown: None, left_out: Vec::new() }
        }
        Form::Markdown => whole(markdown::render(&shared.report)),
        Form::Text => whole(text::render(&shared.report)),
        Form::Json => whole(serde_json::to_string(&shared.report).unwrap_or_default()),
        Form::Html => whole(String::new()),
    }
}

/// The link to this place in the bundle, once its hash is known.
fn view(bundle: &Open) -> Option<ViewLink> {
    let Some(Ok(sha256)) = &bundle.given.sha256 else { return None };
    Some(ViewLink {
        sha256: sha256.clone(),
        name: bundle.file.name.clone(),
        size: bundle.file.size,
        host: bundle.host as u64,
        about: about(bundle),
        section: bundle.tab.name().to_owned(),
    })
}

fn about(bundle: &Open) -> About {
    About::of(&Query::from(bundle.question.clone()), &bundle.overview.errors)
}

/// What is written into a page.
pub(super) fn saved(bundle: &Open, shared: &Shared, with_bundle: bool) -> Saved {
    let inside = with_bundle.then(|| SavedBundle {
        name: bundle.file.name.clone(),
        host: bundle.host,
        about: match &bundle.question {
            // Pasted text and the like: there is no list to choose from again.
            Question::Default => About::Default,
            _ => about(bundle),
        },
    });
    Saved { shared: shared.clone(), bundle: inside }
}

/// Name of the file that a form is saved as.
pub(super) fn name(report: &Report, form: Form) -> String {
    file_name(report, form.file().map_or("html", |(ending, _)| ending))
}
