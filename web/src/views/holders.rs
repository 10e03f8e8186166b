//! The holders, grouped by mount namespace, each with everything that is known of it.

use super::destination::use_destination;
use super::mount_lines::mount_lines;
use super::parts::{badge, effect_name, evidence_table, folding, place, prose, table, time, use_fold};
use crate::text;
use ebusy_analyzer::report::{Effect, Evidence, Holder, HolderKind, OpenFile, ProcessView, Report};
use std::rc::Rc;
use yew::prelude::*;

/// A holder in a few words: its unit, container, or first process.
pub fn name_of(holder: &Holder) -> String {
    let t = text::t();
    if let Some(container) = &holder.container {
        return (t.container)(container.name.as_deref().unwrap_or_else(|| text::short_id(&container.id)));
    }
    if let Some(unit) = &holder.unit {
        return unit.clone();
    }
    match (&holder.process, holder.mount_namespace) {
        (Some(process), _) => (t.process)(&process.comm, process.pid),
        (None, Some(inode)) => (t.namespace)(inode),
        (None, None) => t.holder_kind(holder.kind).to_owned(),
    }
}

/// Name of a kind in attributes, as in the report's JSON.
fn kind_name(kind: HolderKind) -> &'static str {
    match kind {
        HolderKind::Host => "host",
        HolderKind::Daemon => "daemon",
        HolderKind::Container => "container",
        HolderKind::SystemdUnit => "systemd-unit",
        HolderKind::Unshared => "unshared",
        HolderKind::Pinned => "pinned",
        HolderKind::OpenFile => "open-file",
        HolderKind::Device => "device",
    }
}

/// Properties of [`Holders`].
#[derive(Properties, PartialEq)]
pub struct HoldersProps {
    /// The report.
    pub report: Rc<Report>,
}

/// All holders.
#[component]
pub fn Holders(props: &HoldersProps) -> Html {
    let t = text::t();
    let report = &props.report;
    let groups = by_namespace(&report.holders);
    let place = use_destination();
    let fold = use_fold(groups.len(), if place.wants("holder-") { usize::MAX - 1 } else { 12 });
    let aliases: Rc<[String]> = report.target.aliases.iter().map(|alias| alias.value.clone()).collect();
    let sections = groups.iter().take(fold.shown).map(|(namespace, holders)| {
        let cards = holders.iter().map(|(index, holder)| {
            card(*index, holder, &aliases)
        });
        html! {
            <section key={namespace.map_or_else(|| "unknown".into(), |inode| inode.to_string())} class="namespace">
                <h3 class="namespace-title">{ namespace_title(report, *namespace) }</h3>
                { for cards }
            </section>
        }
    });
    let none = report.holders.is_empty().then(|| html! { <p class="muted">{ t.no_holders }</p> });
    html! {
        <section class="section" aria-labelledby="holders-title">
            <h2 id="holders-title">{ (t.holders_title)(report.holders.len()) }</h2>
            <div class="slot">{ none }</div>
            <div>{ for sections }</div>
            { fold.button() }
        </section>
    }
}

/// Holders with their index in the report.
type Indexed<'a> = Vec<(usize, &'a Holder)>;

/// Holders by mount namespace, in the order in which the report first names each.
fn by_namespace(holders: &[Holder]) -> Vec<(Option<u64>, Indexed<'_>)> {
    let mut groups: Vec<(Option<u64>, Indexed<'_>)> = Vec::new();
    for (index, holder) in holders.iter().enumerate() {
        match groups.iter_mut().find(|(namespace, _)| *namespace == holder.mount_namespace) {
            Some((_, group)) => group.push((index, holder)),
            None => groups.push((holder.mount_namespace, vec![(index, holder)])),
        }
    }
    groups
}

fn namespace_title(report: &Report, inode: Option<u64>) -> String {
    let t = text::t();
    let Some(inode) = inode else { return t.namespace_unknown.to_owned() };
    match report.namespaces.iter().find(|view| view.inode == Some(inode)) {
        Some(view) => format!("{} · {}", (t.namespace)(inode), view.label),
        None => (t.namespace)(inode),
    }
}

/// One holder. What has nothing to do with the error is closed at first. `aliases` are the target's
/// names, to mark them in lines.
fn card(index: usize, holder: &Holder, aliases: &Rc<[String]>) -> Html {
    let t = text::t();
    let effect = effect_name(holder.effect);
    let evidence = further_evidence(holder);
    let namespace = holder.mount_namespace.map(|inode| inode.to_string()).unwrap_or_default();
    html! {
        <article key={index} id={format!("holder-{index}")} class={classes!("card", effect)} tabindex="-1" data-test="holder" data-effect={effect}
            data-kind={kind_name(holder.kind)} data-ns={namespace}>
            <details open={holder.effect != Effect::Unrelated}>
                <summary>
                    { badge(holder.effect) }
                    <strong class="card-name">{ name_of(holder) }</strong>
                    <span class="muted">{ t.holder_kind(holder.kind) }{ " · " }{ (t.pids)(&holder.pids) }</span>
                </summary>
                <div class="card-body">
                    <p class="reason">{ prose(&holder.effect_reason) }</p>
                    { facts(holder) }
                    { processes(holder) }
                    <div class="slot">
                        { (!holder.mounts.is_empty()).then(|| mount_lines(holder.mounts.clone(), aliases.clone())) }
                    </div>
                    <div class="slot">
                        { (!holder.open_files.is_empty()).then(|| open_files(holder.open_files.clone())) }
                    </div>
                    <div class="slot">
                        { (!evidence.is_empty()).then(|| html! {
                            <div><h4>{ t.evidence }</h4>{ evidence_table(evidence) }</div>
                        }) }
                    </div>
                </div>
            </details>
        </article>
    }
}

/// Evidence that is not shown with the mounts and open files.
fn further_evidence(holder: &Holder) -> Vec<Evidence> {
    let mounts = holder.mounts.iter().map(|mount| &mount.evidence);
    let shown: Vec<&Evidence> = mounts.chain(holder.open_files.iter().map(|file| &file.evidence)).collect();
    let is_shown = |item: &Evidence| shown.iter().any(|it| (&it.file, it.line) == (&item.file, item.line));
    holder.evidence.iter().filter(|item| !is_shown(item)).cloned().collect()
}

/// The cause, and after it what let it come to that.
fn causes(holder: &Holder) -> Html {
    let causes = holder.cause.iter().chain(&holder.more_causes).enumerate();
    html! { { for causes.map(|(index, cause)| html! { <span key={index}>{ prose(&cause.summary) }{ " " }</span> }) } }
}

/// Unit, container and cause.
fn facts(holder: &Holder) -> Html {
    let t = text::t();
    let container = holder.container.as_ref().map(|container| {
        let name = container.name.clone().unwrap_or_default();
        let image = container.image.clone().unwrap_or_default();
        [name, text::short_id(&container.id).to_owned(), image]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" · ")
    });
    let cause = match &holder.cause {
        Some(cause) => html! {
            <>
                <strong class="slot">{ (t.cause_titles)(&cause.id) }</strong>{ " " }
                { causes(holder) }
            </>
        },
        None if !holder.more_causes.is_empty() => causes(holder),
        None => html! { { t.cause_unknown } },
    };
    let text = |value: String| html! { { value } };
    let known = [
        (t.cause, Some(cause)),
        (t.unit, holder.unit.clone().map(text)),
        (t.container_label, container.map(text)),
    ];
    let rows = known.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
    html! {
        <dl class="facts">
            { for rows.map(|(name, value)| html! { <div key={name}><dt>{ name }</dt><dd>{ value }</dd></div> }) }
        </dl>
    }
}

fn processes(holder: &Holder) -> Html {
    let processes: Vec<ProcessView> = holder.process.iter().chain(&holder.more_processes).cloned().collect();
    let table = if processes.is_empty() {
        html! { <p class="muted">{ text::t().no_process }</p> }
    } else {
        processes_table(processes, holder.pids.len())
    };
    html! { <div>{ table }</div> }
}

fn processes_table(processes: Vec<ProcessView>, total: usize) -> Html {
    folding(processes.len(), 5, move |fold| {
        let t = text::t();
        let rows = processes.iter().take(fold.shown).map(|process| {
            let started = process.started_at.clone().map(|value| time(&value));
            html! {
                <tr key={process.pid}>
                    <td class="number">{ process.pid }</td>
                    <th scope="row"><code>{ &process.comm }</code></th>
                    <td>{ process.state.map(|state| state.to_string()).unwrap_or_default() }</td>
                    <td class="nowrap">{ started }</td>
                    <td class="value"><code>{ &process.cmdline }</code></td>
                </tr>
            }
        });
        let columns = [
            (t.column_pid, "number"),
            (t.column_comm, ""),
            (t.column_state, ""),
            (t.column_started, ""),
            (t.column_command, ""),
        ];
        let left_out = total.saturating_sub(processes.len());
        let rest = (left_out > 0).then(|| (t.processes_left_out)(left_out));
        html! {
            <div>
                <h4>{ t.processes }</h4>
                { table(t.processes, &columns, html! { { for rows } }) }
                { fold.button() }
                <p class="slot muted small">{ rest }</p>
            </div>
        }
    })
}

fn open_files(files: Vec<OpenFile>) -> Html {
    folding(files.len(), 6, move |fold| {
        let t = text::t();
        let rows = files.iter().take(fold.shown).enumerate().map(|(index, file)| {
            html! {
                <tr key={index}>
                    <td class="number">{ file.pid }</td>
                    <th scope="row"><code>{ &file.reference }</code></th>
                    <td class="value"><code>{ &file.path }</code></td>
                    <td class="place"><code title={file.evidence.text.clone()}>{ place(&file.evidence) }</code></td>
                </tr>
            }
        });
        let columns =
            [(t.column_pid, "number"), (t.column_reference, ""), (t.column_path, ""), (t.column_where, "")];
        html! {
            <div>
                <h4>{ t.open_files }</h4>
                { table(t.open_files, &columns, html! { { for rows } }) }
                { fold.button() }
            </div>
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn holders_of_one_namespace_stand_together() {
        let mut holders = sample::report().holders;
        holders[2].mount_namespace = holders[0].mount_namespace;
        let groups: Vec<_> = by_namespace(&holders)
            .into_iter()
            .map(|(_, group)| group.into_iter().map(|(index, _)| index).collect::<Vec<_>>())
            .collect();
        assert_eq!(groups, [vec![0, 2], vec![1]]);
    }

    #[test]
    fn a_holder_is_named_by_container_then_unit_then_process() {
        let holders = sample::report().holders;
        let names: Vec<_> = holders.iter().map(name_of).collect();
        assert_eq!(names, ["httpd.service", "container cadvisor", "tail (pid 900)"]);
    }
}
