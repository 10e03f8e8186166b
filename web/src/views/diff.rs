//! Two bundles beside each other: gone, new, still there; a race or a leak.

use super::Acts;
use super::census::not_listed;
use super::parts::{badge, folding, icon, prose, status_glyph, time};
use super::verdict::status_name;
use crate::state::fleet::Place;
use crate::state::{Action, Comparing};
use crate::text;
use ebusy_analyzer::diff::{CensusChanges, Diff, HolderChange, LeftoverChange, Side};
use ebusy_analyzer::report::{Diagnostic, Effect};
use std::rc::Rc;
use yew::prelude::*;

/// The comparison, or that it is still being made.
/// `files` are the names of the two.
pub fn diff_view(comparing: &Comparing, files: &[String; 2], act: &Acts) -> Html {
    let t = text::t();
    let back = act.send.reform(|_: MouseEvent| Action::Listed);
    let content = match &comparing.diff {
        Some(diff) => html! { <div key="diff">{ answer(diff, comparing.pair, files, act) }</div> },
        None => html! {
            <div key="waiting" class="reading">
                <h1>{ t.fleet.comparing }</h1>
                <progress aria-label={t.fleet.comparing} />
                <button type="button" data-test="cancel" onclick={back.clone()}>{ t.cancel }</button>
            </div>
        },
    };
    html! { <div class="diff" data-test="diff" data-waiting={comparing.diff.is_none().to_string()}>{ content }</div> }
}

fn answer(diff: &Rc<Diff>, pair: [Place; 2], files: &[String; 2], act: &Acts) -> Html {
    let t = text::t();
    let still_blocks = diff.still.iter().any(|change| change.after == Some(Effect::Blocking));
    let tone = if still_blocks { "held" } else { "neutral" };
    let lists = [
        ("still", (t.fleet.still)(diff.still.len()), &diff.still),
        ("new", (t.fleet.new)(diff.new.len()), &diff.new),
        ("gone", (t.fleet.gone)(diff.gone.len()), &diff.gone),
    ];
    let of_target = diff.target.is_some();
    let holders = lists.into_iter().filter(|_| of_target).map(|(name, title, list)| html! {
        <section key={name} class="section" aria-labelledby={format!("diff-{name}")} data-test={format!("diff-{name}")}>
            <h2 id={format!("diff-{name}")}>{ title }</h2>
            { changes(list) }
        </section>
    });
    let census = diff.census.as_ref().map(leftovers);
    html! {
        <div class="sections">
            <section class={classes!("verdict", tone)} data-test="diff-summary" lang={text::data_language()}>
                <div class="verdict-text">
                    <h1>{ t.fleet.diff_title }</h1>
                    <p class="sentence">{ prose(&diff.summary) }</p>
                </div>
            </section>
            <div class="diff-sides">
                { side(t.fleet.earlier, &diff.a, (pair[0], &files[0]), act) }
                { side(t.fleet.later, &diff.b, (pair[1], &files[1]), act) }
            </div>
            { for warnings(&diff.warnings) }
            { for holders }
            <div class="slot">{ census }</div>
        </div>
    }
}

/// One of the two bundles, and the way to its report.
fn side(name: &'static str, side: &Side, (place, file): (Place, &str), act: &Acts) -> Html {
    let t = text::t();
    let onclick = act.pick.reform(move |_: MouseEvent| (place, false));
    let taken = side.host.collected_at.as_deref().map(time);
    let booted = side.booted_at.as_deref().map(time);
    let status = side.status.map(|status| {
        html! {
            <p class={classes!("state", status_name(status))}>
                { icon(status_glyph(status)) }{ " " }{ t.status(status) }
            </p>
        }
    });
    let rows = [(t.fleet.taken, taken), (t.fleet.booted, booted)];
    html! {
        <section class="diff-side" aria-label={name} data-test="diff-side">
            <h2>{ name }</h2>
            <p><strong>{ side.host.name.as_deref().unwrap_or(t.no_name) }</strong>{ " " }<span class="muted">{ file.to_owned() }</span></p>
            <div class="slot">{ status }</div>
            <dl class="facts">
                { for rows.into_iter().map(|(name, value)| html! {
                    <div key={name}><dt>{ name }</dt><dd>{ value.unwrap_or_else(|| html! { { t.not_known } }) }</dd></div>
                }) }
            </dl>
            <button type="button" data-test="open-report" {onclick}>{ t.fleet.open_report }</button>
        </section>
    }
}

fn warnings(all: &[Diagnostic]) -> impl Iterator<Item = Html> + '_ {
    all.iter().map(|warning| {
        html! {
            <p key={warning.code.clone()} class="note" data-test="diff-warning">
                { prose(&warning.message) }{ " " }{ prose(&warning.advice) }
            </p>
        }
    })
}

fn changes(list: &[HolderChange]) -> Html {
    let t = text::t();
    if list.is_empty() {
        return html! { <p class="muted">{ t.fleet.none }</p> };
    }
    let items = list.iter().enumerate().map(|(index, change)| {
        let effect = change.after.or(change.before).unwrap_or(Effect::Unrelated);
        let namespace = change.mount_namespace.map(|inode| (t.namespace)(inode));
        let pid = change.pid.map(|pid| (t.pids)(&[pid]));
        let details = [Some(t.holder_kind(change.kind).to_owned()), namespace, pid];
        let details = details.into_iter().flatten().collect::<Vec<_>>().join(" · ");
        let since = change.started_at.as_deref().map(time);
        html! {
            <li key={index} data-test="change">
                { badge(effect) }{ " " }<strong>{ &change.label }</strong>{ " " }
                <span class="muted">{ details }{ " " }{ since }</span>
                <p class="slot" lang={text::data_language()}>{ change.note.clone() }</p>
            </li>
        }
    });
    html! { <ul class="plain changes">{ for items }</ul> }
}

/// The same for everything that is left over on the host.
fn leftovers(census: &CensusChanges) -> Html {
    let t = text::t();
    let lists = [
        ((t.fleet.still)(census.still_count as usize), census.still_count, &census.still),
        ((t.fleet.new)(census.new_count as usize), census.new_count, &census.new),
        ((t.fleet.gone)(census.gone_count as usize), census.gone_count, &census.gone),
    ];
    html! {
        <section class="section" aria-labelledby="diff-left" data-test="diff-left">
            <h2 id="diff-left">{ t.fleet.left_title }</h2>
            { for lists.into_iter().enumerate().map(|(index, (title, count, list))| html! {
                <div key={index} class="left-list">
                    { leftover_list(title, list.clone()) }
                    { not_listed((count as usize).saturating_sub(list.len())) }
                </div>
            }) }
        </section>
    }
}

fn leftover_list(title: String, list: Vec<LeftoverChange>) -> Html {
    folding(list.len(), 5, move |fold| {
        let t = text::t();
        let items = list.iter().take(fold.shown).enumerate().map(|(index, change)| {
            let leftover = &change.leftover;
            let of = leftover.container.as_ref().and_then(|container| container.name.clone());
            let object = of.unwrap_or_else(|| text::short_id(&leftover.object).to_owned());
            let state = leftover.container_state.as_deref().map(|state| format!(" · {}", (t.state)(state)));
            html! {
                <li key={index}>
                    { badge(leftover.effect) }{ " " }{ (t.leftover_kinds)(leftover.kind) }{ " " }<code>{ object }</code>
                    <span class="muted">{ state }{ " · " }{ (t.fleet.kept_by)(&change.holder) }</span>
                </li>
            }
        });
        html! {
            <div>
                <h3>{ &title }</h3>
                <ul class="plain changes">{ for items }</ul>
                { fold.button() }
            </div>
        }
    })
}
