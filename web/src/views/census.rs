//! What lives on where it no longer belongs, whatever the log says: the busy errors of tomorrow.

use super::parts::{badge, effect_name, folding, place, prose};
use crate::text;
use ebusy_analyzer::census::{Census, CensusGroup, Leftover};
use ebusy_analyzer::report::{ContainerRef, Effect};
use std::rc::Rc;
use yew::prelude::*;

/// The answer, then who is at fault in the census's order (worst first), then what was looked at: a host with
/// nothing left over is told innocent with reasons.
pub fn census_view(census: Rc<Census>) -> Html {
    let total = census.groups.len();
    folding(total, 6, move |fold| {
        let t = text::t();
        let groups = census.groups.iter().take(fold.shown).enumerate().map(|(index, group)| {
            let open = index == 0 && group.blocking > 0;
            html! { <div key={index}>{ group_card(census.clone(), index, open) }</div> }
        });
        let looked = census
            .looked_at
            .iter()
            .enumerate()
            .map(|(index, item)| html! { <li key={index}>{ prose(item) }</li> });
        html! {
            <section id="census" class="section census" aria-labelledby="census-title" data-test="census"
                data-groups={census.total_groups.to_string()}>
                <h2 id="census-title">{ t.census_title }</h2>
                <p data-test="census-summary">{ prose(&census.summary) }</p>
                <div>{ for groups }</div>
                { fold.button() }
                { not_listed((census.total_groups as usize).saturating_sub(total)) }
                <details class="looked" open={census.groups.is_empty()}>
                    <summary>{ t.looked_title }</summary>
                    <ul class="sentences">{ for looked }</ul>
                </details>
            </section>
        }
    })
}

/// That there are more than a list has.
pub fn not_listed(count: usize) -> Html {
    let sentence = (count > 0).then(|| (text::t().not_listed)(count));
    html! { <div class="slot">{ sentence.map(|it| html! { <p class="muted small" data-test="not-listed">{ prose(&it) }</p> }) }</div> }
}

/// How many there are of each kind, where a list does not show that by itself.
fn kinds(group: &CensusGroup) -> Html {
    let t = text::t();
    let kinds = group.kinds.iter().map(|it| format!("{} × {}", it.count, (t.leftover_kinds)(it.kind)));
    let kinds = kinds.collect::<Vec<_>>().join(" · ");
    let sentence = (group.total as usize > FIRST).then(|| html! { <p class="muted small">{ kinds }</p> });
    html! { <div class="slot">{ sentence }</div> }
}

/// So many leftovers of a group are shown at first.
const FIRST: usize = 5;

/// One process, unit or container with what it keeps.
fn group_card(census: Rc<Census>, index: usize, open: bool) -> Html {
    let total = census.groups.get(index).map_or(&[][..], |group| &group.leftovers).len();
    folding(total, FIRST, move |fold| {
        let t = text::t();
        let group = census.groups.get(index);
        let leftovers = group.map_or(&[][..], |group| &group.leftovers);
        let Some(group) = group else { return html! { <span></span> } };
        let effect = if group.blocking > 0 { Effect::Blocking } else { Effect::Holding };
        let pinned = group.pinned_bytes.map(text::bytes);
        let items = leftovers.iter().take(fold.shown).enumerate().map(|(index, it)| {
            html! {
                <li key={index}>{ leftover(it) }</li>
            }
        });
        html! {
            <article class={classes!("card", effect_name(effect))} data-test="census-group"
                data-effect={effect_name(effect)}>
                <details open={open}>
                    <summary>
                        { badge(effect) }
                        <strong class="card-name">{ &group.label }</strong>
                        <span class="muted">
                            { (t.census_counts)(group.total, group.blocking, pinned.as_deref()) }
                        </span>
                    </summary>
                    <div class="card-body">
                        { facts(group) }
                        { kinds(group) }
                        <ul class="plain leftovers">{ for items }</ul>
                        { fold.button() }
                        { not_listed((group.total as usize).saturating_sub(leftovers.len())) }
                    </div>
                </details>
            </article>
        }
    })
}

/// Who it is.
fn facts(group: &CensusGroup) -> Html {
    let t = text::t();
    let namespaces = group.mount_namespaces.iter().map(|inode| format!("mnt:[{inode}]"));
    let namespaces = namespaces.collect::<Vec<_>>().join(", ");
    let command = group.process.as_ref().map(|process| {
        if process.cmdline.is_empty() { process.comm.clone() } else { process.cmdline.clone() }
    });
    let rows = [
        (t.column_kind, Some(t.holder_kind(group.kind).to_owned())),
        (t.unit, group.unit.clone()),
        (t.container_label, group.container.as_ref().map(container)),
        (t.processes, Some((t.pids)(&group.pids))),
        (t.column_command, command),
        (t.role_holder, (!namespaces.is_empty()).then_some(namespaces)),
    ];
    html! {
        <dl class="facts">
            { for rows.into_iter().filter_map(|(name, value)| value.map(|value| html! {
                <div key={name}><dt>{ name }</dt><dd>{ value }</dd></div>
            })) }
        </dl>
    }
}

/// Name and short id.
fn container(container: &ContainerRef) -> String {
    match &container.name {
        Some(name) => format!("{name} ({})", text::short_id(&container.id)),
        None => text::short_id(&container.id).to_owned(),
    }
}

fn leftover(leftover: &Leftover) -> Html {
    let t = text::t();
    let owner = leftover.container.as_ref().map(container);
    let state = leftover.container_state.as_deref().map(t.state);
    let device = leftover.device.as_ref().map(|device| {
        let size = device.size_bytes.map(text::bytes);
        [device.name.clone().or_else(|| Some(device.number.clone())), size]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" · ")
    });
    let details = [owner, state, device].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let mount = leftover.mount.as_ref().map(|mount| {
        html! {
            <figure class="mount">
                <figcaption><code class="place">{ place(&mount.evidence) }</code></figcaption>
                <pre class="mount-line wrap" tabindex="0"><code>{ &mount.evidence.text }</code></pre>
            </figure>
        }
    });
    let files = leftover.open_files.iter().take(6).enumerate().map(|(index, file)| {
        html! {
            <li key={index}>
                <code>{ format!("{} {} ", file.reference, file.path) }</code>
                <code class="place">{ place(&file.evidence) }</code>
            </li>
        }
    });
    html! {
        <div data-test="leftover" data-effect={effect_name(leftover.effect)}>
            <h4>{ (t.leftover_kinds)(leftover.kind) }{ " " }<code>{ text::short_id(&leftover.object) }</code></h4>
            <p class="muted small">{ details }</p>
            <p>{ prose(&leftover.why) }{ " " }{ prose(&leftover.effect_reason) }</p>
            <div class="slot">{ mount }</div>
            <ul class="plain slot">{ for files }</ul>
        </div>
    }
}
