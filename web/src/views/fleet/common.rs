//! Holders and causes over all hosts. Each leads to its hosts.

use crate::text;
use crate::views::parts::{prose, use_fold};
use ebusy_analyzer::fleet::Fleet;
use std::rc::Rc;
use yew::prelude::*;

/// Properties of [`CommonView`].
#[derive(Properties, PartialEq)]
pub struct CommonViewProps {
    /// What the hosts have in common.
    pub common: Rc<Fleet>,
    /// Only hosts with this word are wanted.
    pub filter: Callback<AttrValue>,
}

/// A column for who, a column for why.
#[component]
pub fn CommonView(props: &CommonViewProps) -> Html {
    let t = text::t();
    let CommonViewProps { common, filter } = props;
    let (holders, causes) = (use_fold(common.holders.len(), 6), use_fold(common.causes.len(), 6));
    let who = common.holders.iter().take(holders.shown).map(|it| {
        let wanted = AttrValue::from(it.who.clone());
        let onclick = filter.reform(move |_: MouseEvent| wanted.clone());
        html! {
            <li key={it.who.clone()} data-test="common-holder">
                <button type="button" class="link" title={(t.fleet.only_these)(&it.who)} {onclick}>
                    { prose(&it.sentence) }
                </button>
            </li>
        }
    });
    let why = common.causes.iter().take(causes.shown).map(|it| {
        // The analyzer's sentence begins with the cause's id in words.
        let rest = it.sentence.strip_prefix(&it.id.replace('-', " "));
        let sentence = (t.cause_titles)(&it.id)
            .zip(rest)
            .map_or_else(|| it.sentence.clone(), |(title, rest)| format!("{title}{rest}"));
        html! { <li key={it.id.clone()} data-test="common-cause" title={it.example.clone()}>{ sentence }</li> }
    });
    let causes = (!common.causes.is_empty()).then(|| {
        html! {
            <div>
                <h3>{ t.fleet.causes }</h3>
                <ul class="sentences plain" lang={text::data_language()}>{ for why }</ul>
                { causes.button() }
            </div>
        }
    });
    html! {
        <section class="section" aria-labelledby="common-title">
            <h2 id="common-title">{ t.fleet.common }</h2>
            <div class="common">
                <div>
                    <h3>{ t.fleet.holders }</h3>
                    <ul class="sentences plain">{ for who }</ul>
                    { holders.button() }
                </div>
                <div class="slot">{ causes }</div>
            </div>
        </section>
    }
}
