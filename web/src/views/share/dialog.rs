//! The dialog: form, redaction, what comes out, and what others will see.

use super::fields::fields;
use super::forms::{self, Form, Output};
use super::redaction::redaction;
use crate::browser::{address, own_file, page};
use crate::state::{Action, Open};
use crate::text;
use crate::views::parts::Copy;
use crate::views::{Acts, PageFile};
use ebusy_analyzer::report::link::{Shared, USUAL_LENGTH};
use ebusy_analyzer::report::redact::{KINDS, redact};
use std::rc::Rc;
use web_sys::{Element, HtmlInputElement};
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(super) struct DialogProps {
    pub(super) bundle: Rc<Open>,
    pub(super) act: Acts,
    /// The `<dialog>` around it.
    pub(super) dialog: NodeRef,
}

/// Content of the dialog.
#[component]
pub(super) fn Dialog(props: &DialogProps) -> Html {
    let t = text::t().share;
    let DialogProps { bundle, act, dialog } = props;
    let form = use_state_eq(|| Form::Link);
    let kinds = use_state_eq(|| KINDS.to_vec());
    let page_address = use_state_eq(address::for_links);
    let with_bundle = use_state_eq(|| false);
    let report = bundle.report.clone().unwrap_or_default();
    let found = use_memo(report.clone(), |report| redact(report, &KINDS).1);
    let shared =
        use_memo((report.clone(), (*kinds).clone()), |(report, kinds)| forms::shared(bundle, report, kinds));
    let hash = bundle.given.sha256.clone();
    let output =
        use_memo((*form, shared.clone(), (*page_address).clone(), hash), |(form, shared, page, _)| {
            forms::output(*form, bundle, shared, page)
        });
    let close = {
        let dialog = dialog.clone();
        Callback::from(move |_: MouseEvent| dialog.cast::<Element>().iter().for_each(page::close_dialog))
    };
    let choose = {
        let (form, send) = (form.setter(), act.send.clone());
        Callback::from(move |wanted: Form| {
            form.set(wanted);
            if wanted == Form::View {
                send.emit(Action::HashWanted);
            }
        })
    };
    let choose_kinds = {
        let kinds = kinds.setter();
        Callback::from(move |wanted| kinds.set(wanted))
    };
    let choose_address = {
        let page_address = page_address.setter();
        Callback::from(move |wanted: String| {
            address::keep(&wanted);
            page_address.set(wanted);
        })
    };
    let choose_bundle = {
        let with_bundle = with_bundle.setter();
        Callback::from(move |wanted| with_bundle.set(wanted))
    };
    let names = (*form != Form::View).then(|| redaction(&found, &kinds, &choose_kinds));
    let seen = output.shown.as_ref().map(|report| {
        html! {
            <section class="share-part preview" data-test="share-preview" aria-labelledby="preview-title">
                <h3 id="preview-title">{ t.preview }</h3>
                <p class="muted small">{ t.preview_text }</p>
                { fields(report) }
            </section>
        }
    });
    html! {
        <div class="share-content">
            <header>
                <h2 id="share-title">{ t.title }</h2>
                <button type="button" class="quiet" data-test="share-close" onclick={close}>{ t.close }</button>
            </header>
            { choices(*form, bundle, &choose) }
            <div class="slot">{ form.is_link().then(|| address_field(&page_address, &choose_address)) }</div>
            <div class="slot">{ (*form == Form::Html).then(|| bundle_choice(bundle, *with_bundle, &choose_bundle)) }</div>
            { result(*form, bundle, &output, &shared, *with_bundle, act) }
            <div class="slot">{ names }</div>
            <div class="slot">{ seen }</div>
        </div>
    }
}

/// The forms, as radio buttons: arrow keys go from one to the next.
fn choices(form: Form, bundle: &Open, choose: &Callback<Form>) -> Html {
    let t = text::t().share;
    // Without a bundle there is no place in one to link to.
    let offered = |candidate: &Form| *candidate != Form::View || bundle.given.origin.is_none();
    let options = Form::ALL.into_iter().zip(t.forms).filter(|(candidate, _)| offered(candidate));
    let about =
        t.forms.get(Form::ALL.iter().position(|f| *f == form).unwrap_or_default()).map(|(_, about)| *about);
    let options = options.map(|(candidate, (name, _))| {
        let onchange = choose.reform(move |_: Event| candidate);
        html! {
            <label key={candidate.name()} class={classes!("choice", (candidate == form).then_some("chosen"))}>
                <input type="radio" name="share-form" data-test={format!("share-{}", candidate.name())}
                    checked={candidate == form} {onchange} />
                { name }
            </label>
        }
    });
    html! {
        <fieldset class="share-part">
            <legend class="offscreen">{ t.form }</legend>
            <div class="choices">{ for options }</div>
            <p class="muted small" aria-live="polite">{ about.unwrap_or_default() }</p>
        </fieldset>
    }
}

fn address_field(value: &str, changed: &Callback<String>) -> Html {
    let t = text::t().share;
    let oninput = changed.reform(|event: InputEvent| {
        let typed = event.target_unchecked_into::<HtmlInputElement>().value();
        // A fragment is what is about to be made.
        typed.trim().split('#').next().unwrap_or_default().to_owned()
    });
    let about = if address::is_file() { t.address_file } else { t.address_text };
    html! {
        <label class="share-part address">
            <span>{ t.address }</span>
            <input type="url" data-test="share-address" placeholder="https://example.org/ebusy.html"
                value={value.to_owned()} {oninput} />
            <span class="muted small">{ about }</span>
        </label>
    }
}

fn bundle_choice(bundle: &Open, checked: bool, changed: &Callback<bool>) -> Html {
    let t = text::t().share;
    // A report from elsewhere has no bundle beside it.
    if bundle.given.origin.is_some() {
        return html! { <span></span> };
    }
    if bundle.file.size > own_file::MAX_BUNDLE {
        return html! { <p class="share-part note">{ t.bundle_too_large }</p> };
    }
    let onchange = changed.reform(|event: Event| event.target_unchecked_into::<HtmlInputElement>().checked());
    let warning = checked.then(|| html! { <p class="note" role="status">{ t.with_bundle_warning }</p> });
    html! {
        <div class="share-part">
            <label class="with-bundle">
                <input type="checkbox" data-test="share-with-bundle" {checked} {onchange} />
                { (t.with_bundle)(&text::bytes(bundle.file.size)) }
            </label>
            <div class="slot">{ warning }</div>
        </div>
    }
}

/// What comes out, and the buttons that take it along.
fn result(
    form: Form,
    bundle: &Rc<Open>,
    output: &Rc<Output>,
    shared: &Rc<Shared>,
    with_bundle: bool,
    act: &Acts,
) -> Html {
    let t = text::t().share;
    let waiting = match &bundle.given.sha256 {
        _ if form != Form::View => None,
        None => Some(t.hashing.to_owned()),
        Some(Err(why)) => Some((t.no_hash)(why)),
        Some(Ok(_)) => None,
    };
    if let Some(waiting) = waiting {
        return html! { <p class="share-part" role="status">{ waiting }</p> };
    }
    let text = (!output.text.is_empty()).then(|| {
        html! {
            <pre class={classes!("share-text", form.is_link().then_some("link"))} tabindex="0"
                data-test="share-result"><code>{ &output.text }</code></pre>
        }
    });
    let copy = (!output.text.is_empty()).then(|| {
        let make = {
            let output = output.clone();
            Callback::from(move |()| output.text.clone())
        };
        html! { <Copy make={make} label={if form.is_link() { t.copy_link } else { t.copy_text }} /> }
    });
    let save = (!form.is_link()).then(|| {
        html! {
            <Save form={form} bundle={bundle.clone()} output={output.clone()} shared={shared.clone()} {with_bundle}
                act={act.clone()} />
        }
    });
    html! {
        <div class="share-part result">
            <div class="slot">{ text }</div>
            <div class="slot">{ form.is_link().then(|| length(output)) }</div>
            <div class="buttons">
                <span class="slot">{ copy }</span>
                <span class="slot">{ save }</span>
            </div>
        </div>
    }
}

/// How long the link is, and what had no room in it.
fn length(output: &Output) -> Html {
    let t = text::t().share;
    let length = output.text.len();
    let warning = (length > USUAL_LENGTH).then(|| html! { <p class="note">{ t.too_long }</p> });
    let parts = output.left_out.iter().map(|l| (t.part)(l.part, l.count)).collect::<Vec<_>>().join(", ");
    let left_out = (!parts.is_empty()).then(|| {
        html! { <p class="muted small" data-test="share-left-out">{ t.left_out }{ ": " }{ parts }{ "." }</p> }
    });
    html! {
        <div class="length">
            <meter min="0" max={USUAL_LENGTH.to_string()} value={length.to_string()} aria-hidden="true"></meter>
            <span class="small" data-test="share-length" data-length={length.to_string()}>{ (t.length)(length) }</span>
            <div class="slot">{ warning }{ left_out }</div>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct SaveProps {
    form: Form,
    bundle: Rc<Open>,
    output: Rc<Output>,
    shared: Rc<Shared>,
    with_bundle: bool,
    act: Acts,
}

/// Saves as a file and says whether that worked.
#[component]
fn Save(props: &SaveProps) -> Html {
    let t = text::t().share;
    let said = use_state_eq(String::new);
    let SaveProps { form, bundle, output, shared, with_bundle, act } = props;
    let onclick = {
        let (form, bundle, output, shared) = (*form, bundle.clone(), output.clone(), shared.clone());
        let (with_bundle, save_page, said) = (*with_bundle, act.save_page.clone(), said.setter());
        Callback::from(move |_: MouseEvent| {
            let said = said.clone();
            let done = Callback::from(move |result: Result<(), String>| {
                said.set(result.map_or_else(|why| (t.not_saved)(&why), |()| t.saved.to_owned()));
            });
            let name = forms::name(&shared.report, form);
            match form.file() {
                Some((_, mime)) => {
                    page::save(&name, mime, &output.text);
                    done.emit(Ok(()));
                }
                None => {
                    let index = bundle.place.map_or(0, |place| place.bundle);
                    let saved = forms::saved(&bundle, &shared, with_bundle);
                    save_page.emit(PageFile { name, saved, index, done });
                }
            }
        })
    };
    html! {
        <>
            <button type="button" class="copy" data-test="share-save" {onclick}>{ t.save }</button>
            <span class="muted small" role="status">{ &*said }</span>
        </>
    }
}
