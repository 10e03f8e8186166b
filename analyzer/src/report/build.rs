//! Snapshot and query → report.

use super::link::bounded;
use super::process_view::process_view;
use super::{
    Alias, BundleInfo, BusyError, ContainerSummary, Diagnostic, Effect, Holder, Host, Overview, Report,
    SCHEMA, Target,
};
use crate::Query;
use crate::bytes::visible;
use crate::extent::{LISTED, level};
use crate::holders::{self, Found};
use crate::order;
use crate::snapshot::Snapshot;
use crate::{causes, resolve};

/// Processes that a report shows in full beside the first one; all pids are listed in any case.
const MORE_PROCESSES: usize = 24;
/// Errors that a report carries.
const ERRORS: usize = 20;

/// What the bundle offers before a target is chosen.
pub(crate) fn overview(snapshot: &Snapshot) -> Overview {
    let mut containers: Vec<ContainerSummary> = snapshot
        .containers
        .values()
        .map(|c| ContainerSummary {
            id: c.record.id.clone(),
            name: c.record.name.clone(),
            image: c.record.image.clone(),
            state: c.record.state.clone().or_else(|| (!c.pids.is_empty()).then(|| "running".to_owned())),
            driver: c.record.driver.clone(),
        })
        .collect();
    order::sort_by(&mut containers, |a, b| {
        (a.name.is_none(), &a.name, &a.id).cmp(&(b.name.is_none(), &b.name, &b.id))
    });
    let mut overview = Overview {
        host: host(snapshot),
        bundle: bundle(snapshot),
        errors: snapshot.errors.clone(),
        containers,
        warnings: snapshot.diagnostics.clone(),
    };
    bounded::overview(&mut overview);
    overview
}

/// The whole way from a query to the answer.
pub(crate) fn build(snapshot: &Snapshot, query: &Query) -> Report {
    let target = resolve::resolve(snapshot, query);
    let found = if target.found { holders::find(snapshot, &target) } else { Vec::new() };
    let verdict = super::verdict::verdict(snapshot, &target, &found, query);
    let next_steps = causes::next_steps(snapshot, &target, &found, verdict.status);
    let errors = errors_about(snapshot, &target);
    let listed = Listed::of(&found);
    let (target_shown, more_names) = target_view(&target);
    let mut report = Report {
        schema: SCHEMA.to_owned(),
        host: host(snapshot),
        bundle: bundle(snapshot),
        verdict,
        namespaces: super::namespace_views::views(snapshot, &target, &found, listed.each),
        propagation: super::propagation::sentences(snapshot, &target, &found[..listed.holders]),
        looked_at: super::verdict::looked_at(snapshot, &target),
        next_steps,
        warnings: target
            .notes
            .iter()
            .chain(&snapshot.diagnostics)
            .cloned()
            .chain(listed.note())
            .chain(more_names)
            .collect(),
        timeline: crate::timeline::events(snapshot, &target, &found, &errors),
        errors,
        holders: found
            .iter()
            .take(listed.holders)
            .map(|f| holder(snapshot, &target, f, listed.each))
            .collect(),
        target: target_shown,
    };
    bounded::report(&mut report);
    report
}

fn host(snapshot: &Snapshot) -> Host {
    let facts = &snapshot.facts;
    let runtime = facts.docker_version.as_ref().map(|v| format!("docker {v}")).or_else(|| {
        let (_, daemon) = snapshot.daemon()?;
        Some(daemon.name())
    });
    Host {
        name: facts.host.as_deref().map(|h| visible(h.as_bytes())),
        kernel: facts.kernel.as_deref().map(|k| visible(k.as_bytes())),
        collected_at: facts.collected_at.clone(),
        runtime,
        drops_foreign_mounts: facts.drops_foreign_mounts(),
        boot_id: facts.boot_id.as_deref().map(|id| visible(id.as_bytes())),
    }
}

fn bundle(snapshot: &Snapshot) -> BundleInfo {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    BundleInfo {
        format: visible(snapshot.facts.format.as_bytes()),
        collector: snapshot.facts.collector.clone(),
        complete: snapshot.facts.complete,
        privileged: snapshot.facts.privileged,
        processes: count(snapshot.processes.len()),
        mount_namespaces: count(snapshot.namespaces.len()),
        mount_tables: count(snapshot.tables.len()),
        log_lines: u32::try_from(snapshot.log_lines).unwrap_or(u32::MAX),
    }
}

/// So many names of one kind are told: thousands of mounts may lie one over the other.
const NAMES: usize = 200;

fn target_view(target: &resolve::Target) -> (Target, Option<Diagnostic>) {
    let of_a_kind = target.aliases.chunk_by(|a, b| a.kind == b.kind);
    let aliases: Vec<Alias> = of_a_kind.flat_map(|names| names.iter().take(NAMES)).cloned().collect();
    let left_out = target.aliases.len() - aliases.len();
    let note = (left_out > 0).then(|| Diagnostic {
        code: "not-all-listed".into(),
        file: None,
        line: None,
        message: format!("{left_out} more names of it are known; the first {NAMES} of each kind are listed. All were looked for."),
        advice: "Ask for one path or device alone to see its own names.".into(),
    });
    let target = Target {
        query: target.query.clone(),
        found: target.found,
        container_id: target.container.clone(),
        name: target.name.clone(),
        driver: target.driver.clone(),
        state: target.state.clone(),
        busy: target.busy,
        aliases,
        candidates: target.candidates.clone(),
    };
    (target, note)
}

fn errors_about(snapshot: &Snapshot, target: &resolve::Target) -> Vec<BusyError> {
    let about_one = |e: &BusyError| {
        e.container_id
            .iter()
            .chain(&e.other_ids)
            .any(|id| id.len() >= 12 && target.ids.iter().any(|own| own.starts_with(id.as_str())))
            || e.path.as_ref().is_some_and(|p| target.paths.iter().any(|own| own == p.as_bytes()))
    };
    let about = |e: &&BusyError| e.all().any(about_one);
    let chosen = target.error.and_then(|i| snapshot.errors.get(i));
    let others = snapshot.errors.iter().filter(|e| chosen != Some(*e)).filter(about);
    // Here every wording is a line of evidence of its own.
    let lines = chosen.into_iter().chain(others).flat_map(|e| e.all());
    lines.take(ERRORS).map(|e| BusyError { wordings: Vec::new(), ..e.clone() }).collect()
}

/// So many holders are told, the worst ones.
const HOLDERS: usize = 1_000;

/// How much of what was found is listed.
struct Listed {
    holders: usize,
    all_holders: usize,
    mounts: usize,
    all_mounts: usize,
    /// Mounts of each holder at most.
    each: usize,
}

impl Listed {
    fn of(found: &[Found]) -> Self {
        let totals: Vec<usize> = found.iter().map(|f| f.mounts.len()).collect();
        let listed = &totals[..totals.len().min(HOLDERS)];
        let each = level(listed, LISTED).max(1);
        Self {
            holders: listed.len(),
            all_holders: totals.len(),
            mounts: listed.iter().map(|total| each.min(*total)).sum(),
            all_mounts: totals.iter().sum(),
            each,
        }
    }

    /// That there are more.
    fn note(&self) -> Option<Diagnostic> {
        (self.mounts < self.all_mounts || self.holders < self.all_holders).then(|| Diagnostic {
            code: "not-all-listed".into(),
            file: None,
            line: None,
            message: format!(
                "{} holders have {} mounts of it; the first {} holders are listed, with {} mounts of each at most. The verdict is about all of them.",
                self.all_holders, self.all_mounts, self.holders, self.each
            ),
            advice: "Ask for one container, path or device alone, or look into the mount tables that are named as evidence.".into(),
        })
    }
}

fn holder(snapshot: &Snapshot, target: &resolve::Target, found: &Found, listed: usize) -> Holder {
    let (mut causes, remedies) = causes::explain(snapshot, target, found);
    let more_causes = causes.split_off(causes.len().min(1));
    let cause = causes.pop();
    let mut evidence: Vec<_> = found.mounts.iter().take(listed).map(|m| m.evidence.clone()).collect();
    evidence.extend(found.open_files.iter().map(|f| f.evidence.clone()));
    evidence.extend(found.evidence.iter().cloned());
    evidence.extend(membership_evidence(snapshot, found));
    if let Some((_, mark)) = found
        .namespace
        .and_then(|key| snapshot.namespaces.get(&key))
        .filter(|_| found.kind == super::HolderKind::SystemdUnit)
        .and_then(|n| snapshot.systemd_marks(n))
    {
        evidence.push(mark);
    }
    evidence.dedup();
    let mut processes = found.pids.iter().filter_map(|pid| process_view(snapshot, *pid));
    Holder {
        kind: found.kind,
        effect: found.effect,
        effect_reason: found.effect_reason.clone(),
        mount_namespace: found.namespace.and_then(|key| snapshot.namespaces.get(&key)?.inode()).or(
            match found.namespace {
                Some(crate::snapshot::NamespaceKey::Inode(inode)) => Some(inode.0),
                _ => None,
            },
        ),
        pids: found.pids.iter().map(|p| p.0).collect(),
        process: processes.next(),
        more_processes: processes.take(MORE_PROCESSES).collect(),
        unit: found.unit.clone(),
        container: found.container.clone(),
        mounts: found.mounts.iter().take(listed).cloned().collect(),
        open_files: found.open_files.clone(),
        cause,
        more_causes,
        evidence,
        remedies: if found.effect == Effect::Unrelated { Vec::new() } else { remedies },
    }
}

/// The lines that say which namespace and which unit or container the first process is in.
fn membership_evidence(snapshot: &Snapshot, found: &Found) -> Vec<super::Evidence> {
    let Some(pid) = found.pids.first() else { return Vec::new() };
    let Some(process) = snapshot.processes.get(pid) else { return Vec::new() };
    let mut evidence = Vec::new();
    if let Some(inode) = process.mount_namespace {
        evidence.push(super::Evidence {
            file: format!("proc/{}/ns/mnt", pid.0),
            line: None,
            text: format!("mnt:[{}]", inode.0),
        });
    }
    evidence.extend(process.membership.evidence());
    evidence
}
