//! Which fields of a report stand in a link of version 1, and in what order. What stands here is fixed for ever:
//! old links open by it. A later version appends, or writes another walk beside this one.

use super::wire::Wire;
use crate::parse::mountinfo::parse_line;
use crate::report::{
    Alias, AliasKind, BundleInfo, BusyError, BusyKind, Cause, ContainerRef, Diagnostic, Effect, Evidence,
    Holder, HolderKind, Host, MountView, NamespaceRole, NamespaceView, OpenFile, ProcessView, Remedy, Report,
    SCHEMA, Status, Target, TimelineEvent, TimelineKind, Verdict, When,
};

/// Walks over a whole report.
pub(super) fn report(w: &mut Wire<'_>, r: &mut Report) {
    if w.is_reading() {
        SCHEMA.clone_into(&mut r.schema);
    }
    host(w, &mut r.host);
    target(w, &mut r.target);
    verdict(w, &mut r.verdict);
    w.list(&mut r.holders, holder);
    w.list(&mut r.next_steps, remedy);
    w.list(&mut r.propagation, Wire::text);
    w.list(&mut r.namespaces, namespace);
    w.list(&mut r.errors, error);
    bundle(w, &mut r.bundle);
    w.list(&mut r.looked_at, Wire::text);
    w.list(&mut r.warnings, diagnostic);
    w.list(&mut r.timeline, event);
}

pub(super) fn host(w: &mut Wire<'_>, h: &mut Host) {
    w.maybe_text(&mut h.name);
    w.maybe_text(&mut h.kernel);
    w.time(&mut h.collected_at);
    w.maybe_text(&mut h.runtime);
    w.maybe_flag(&mut h.drops_foreign_mounts);
}

pub(super) fn bundle(w: &mut Wire<'_>, b: &mut BundleInfo) {
    w.text(&mut b.format);
    w.maybe_text(&mut b.collector);
    w.flag(&mut b.complete);
    w.maybe_flag(&mut b.privileged);
    w.small(&mut b.processes);
    w.small(&mut b.mount_namespaces);
    w.small(&mut b.mount_tables);
    w.small(&mut b.log_lines);
}

fn target(w: &mut Wire<'_>, t: &mut Target) {
    w.text(&mut t.query);
    w.flag(&mut t.found);
    w.maybe_text(&mut t.container_id);
    w.maybe_text(&mut t.name);
    w.maybe_text(&mut t.driver);
    w.maybe_text(&mut t.state);
    busy(w, &mut t.busy);
    w.list(&mut t.aliases, alias);
    w.list(&mut t.candidates, Wire::text);
}

fn busy(w: &mut Wire<'_>, kind: &mut BusyKind) {
    use BusyKind::*;
    w.choice(kind, &[Unknown, Directory, Device, Dataset, Umount, OverlayMount, NamespaceFile, Cgroup, File]);
}

fn alias(w: &mut Wire<'_>, a: &mut Alias) {
    use AliasKind::*;
    w.text(&mut a.value);
    w.choice(
        &mut a.kind,
        &[Other, ContainerId, Name, LayerId, Device, DeviceNumber, Dataset, Path, UpperDir, Namespace],
    );
    w.list(&mut a.evidence, evidence);
}

fn verdict(w: &mut Wire<'_>, v: &mut Verdict) {
    w.choice(&mut v.status, &[Status::Unknown, Status::Held, Status::Free]);
    w.text(&mut v.summary);
}

fn effect(w: &mut Wire<'_>, e: &mut Effect) {
    w.choice(e, &[Effect::Unrelated, Effect::Holding, Effect::Blocking]);
}

fn holder(w: &mut Wire<'_>, h: &mut Holder) {
    use HolderKind::*;
    w.choice(&mut h.kind, &[Host, Daemon, Container, SystemdUnit, Unshared, Pinned, OpenFile, Device]);
    effect(w, &mut h.effect);
    w.text(&mut h.effect_reason);
    w.inode(&mut h.mount_namespace);
    w.list(&mut h.pids, Wire::pid);
    w.maybe(&mut h.process, process);
    w.list(&mut h.more_processes, process);
    w.maybe_text(&mut h.unit);
    w.maybe(&mut h.container, container);
    w.list(&mut h.mounts, mount);
    w.list(&mut h.open_files, open_file);
    w.maybe(&mut h.cause, cause);
    w.list(&mut h.more_causes, cause);
    w.list(&mut h.evidence, evidence);
    w.list(&mut h.remedies, remedy);
}

pub(super) fn process(w: &mut Wire<'_>, p: &mut ProcessView) {
    w.pid(&mut p.pid);
    w.text(&mut p.comm);
    w.text(&mut p.cmdline);
    let mut state = p.state.map_or(0, u32::from);
    w.small(&mut state);
    p.state = char::from_u32(state).filter(|c| c.is_ascii_graphic());
    w.time(&mut p.started_at);
}

pub(super) fn container(w: &mut Wire<'_>, c: &mut ContainerRef) {
    w.text(&mut c.id);
    w.maybe_text(&mut c.name);
    w.maybe_text(&mut c.image);
}

/// Nearly all of a mount stands in its line of mountinfo, and is read from there again.
pub(super) fn mount(w: &mut Wire<'_>, m: &mut MountView) {
    evidence(w, &mut m.evidence);
    w.text(&mut m.matched_by);
    w.maybe_flag(&mut m.follows);
    let of_line = parse_line(m.evidence.text.as_bytes()).ok().map(|line| MountView {
        follows: m.follows,
        ..MountView::of(&line, m.matched_by.clone(), m.evidence.clone())
    });
    let mut told = of_line.as_ref() == Some(m);
    w.flag(&mut told);
    match of_line.filter(|_| told && w.is_reading()) {
        Some(of_line) => *m = of_line,
        None if told && w.is_writing() => {}
        None => mount_fields(w, m),
    }
}

fn mount_fields(w: &mut Wire<'_>, m: &mut MountView) {
    w.small(&mut m.id);
    w.text(&mut m.mount_point);
    w.text(&mut m.root);
    w.text(&mut m.device);
    w.text(&mut m.fs_type);
    w.text(&mut m.source);
    w.maybe_small(&mut m.shared);
    w.maybe_small(&mut m.master);
    w.maybe_small(&mut m.propagate_from);
    w.flag(&mut m.unbindable);
}

pub(super) fn open_file(w: &mut Wire<'_>, f: &mut OpenFile) {
    w.pid(&mut f.pid);
    w.text(&mut f.reference);
    w.text(&mut f.path);
    evidence(w, &mut f.evidence);
}

fn cause(w: &mut Wire<'_>, c: &mut Cause) {
    w.text(&mut c.id);
    w.text(&mut c.summary);
}

pub(super) fn evidence(w: &mut Wire<'_>, e: &mut Evidence) {
    w.text(&mut e.file);
    w.maybe_small(&mut e.line);
    w.text(&mut e.text);
}

fn remedy(w: &mut Wire<'_>, r: &mut Remedy) {
    w.choice(&mut r.when, &[When::Now, When::Lasting]);
    w.text(&mut r.command);
    w.text(&mut r.effect);
    w.text(&mut r.risk);
}

pub(super) fn error(w: &mut Wire<'_>, e: &mut BusyError) {
    wording(w, e);
    // Other wordings have none themselves: a stranger's link must not nest them for ever.
    w.list(&mut e.wordings, wording);
}

fn wording(w: &mut Wire<'_>, e: &mut BusyError) {
    w.maybe_text(&mut e.container_id);
    w.list(&mut e.other_ids, Wire::text);
    w.maybe_text(&mut e.path);
    w.maybe_text(&mut e.device);
    w.maybe_text(&mut e.driver);
    w.maybe_text(&mut e.runtime);
    w.text(&mut e.line);
    w.small(&mut e.count);
    w.time(&mut e.first);
    w.time(&mut e.last);
    w.maybe_text(&mut e.name);
    busy(w, &mut e.busy);
    w.maybe(&mut e.evidence, evidence);
}

fn namespace(w: &mut Wire<'_>, n: &mut NamespaceView) {
    w.choice(&mut n.role, &[NamespaceRole::Host, NamespaceRole::Daemon, NamespaceRole::Holder]);
    w.inode(&mut n.inode);
    w.text(&mut n.label);
    w.small(&mut n.process_count);
    w.list(&mut n.processes, process);
    w.list(&mut n.mounts, mount);
    w.maybe(&mut n.parent_mount, mount);
    w.choice(&mut n.effect, &[None, Some(Effect::Unrelated), Some(Effect::Holding), Some(Effect::Blocking)]);
    w.text(&mut n.propagation);
}

pub(super) fn diagnostic(w: &mut Wire<'_>, d: &mut Diagnostic) {
    w.text(&mut d.code);
    w.maybe_text(&mut d.file);
    w.maybe_small(&mut d.line);
    w.text(&mut d.message);
    w.text(&mut d.advice);
}

fn event(w: &mut Wire<'_>, e: &mut TimelineEvent) {
    use TimelineKind::*;
    w.time(&mut e.at);
    w.maybe_text(&mut e.written);
    w.choice(
        &mut e.kind,
        &[
            Booted,
            UnitActive,
            ContainerStarted,
            HolderStarted,
            Mounted,
            ContainerFinished,
            Unmounted,
            FirstError,
            LastError,
            Collected,
        ],
    );
    w.text(&mut e.what);
    w.list(&mut e.evidence, evidence);
}
