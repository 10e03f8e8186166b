//! Snapshot, target and holders → what happened when, from the bundle's clocks: boot time plus start ticks, the
//! runtime's own times, systemd's, and logs with their zones. Where a source tells no zone or year, its words
//! stay as they are; nothing is guessed.

pub(crate) mod clock;
pub(crate) mod text;

use std::collections::BTreeSet;

use clock::Moment;

use crate::bytes::visible;
use crate::holders::Found;
use crate::order;
use crate::report::{BusyError, Effect, Evidence, HolderKind, TimelineEvent, TimelineKind};
use crate::resolve::{Target, short};
use crate::snapshot::{Container, Pid, Process, Snapshot};

/// Mount and umount lines that a timeline carries.
const MOUNT_EVENTS: usize = 20;

/// What happened to a target and its holders, in order.
pub(crate) fn events(
    snapshot: &Snapshot,
    target: &Target,
    found: &[Found],
    errors: &[BusyError],
) -> Vec<TimelineEvent> {
    if !target.found {
        return Vec::new();
    }
    let mut events: Vec<Dated> = Vec::new();
    events.extend(booted(snapshot));
    events.extend(container_events(snapshot, target));
    let holding = || found.iter().filter(|h| h.effect != Effect::Unrelated && !h.is_target);
    events.extend(holding().filter_map(|holder| holder_start(snapshot, holder)));
    events.extend(unit_events(snapshot, holding()));
    events.extend(mount_events(snapshot, target));
    events.extend(error_events(snapshot, errors));
    events.extend(collected(snapshot));
    order::sort_by(&mut events, |a, b| {
        let place = |e: &Dated| e.event.evidence.first().map(|e| (e.file.clone(), e.line));
        (a.moment.is_none(), &a.moment, a.event.kind, place(a), &a.event.what).cmp(&(
            b.moment.is_none(),
            &b.moment,
            b.event.kind,
            place(b),
            &b.event.what,
        ))
    });
    // The journal as text and as JSON tell the same, and a sosreport has it twice as text.
    let mut told = BTreeSet::new();
    let events = events.into_iter().map(|e| e.event);
    events.filter(|e| told.insert((e.what.clone(), e.at.clone(), e.written.clone()))).collect()
}

/// An event with the time that it is sorted by.
struct Dated {
    moment: Option<Moment>,
    event: TimelineEvent,
}

fn dated(moment: Moment, kind: TimelineKind, what: String, evidence: Vec<Evidence>) -> Dated {
    let at = Some(moment.text());
    Dated { moment: Some(moment), event: TimelineEvent { at, written: None, kind, what, evidence } }
}

/// When a line of a log was written.
struct Stamped<'s> {
    moment: Option<Moment>,
    /// As it stands there.
    text: String,
    /// The line of the same log that tells the year and zone which this one lacks.
    by: Option<&'s Evidence>,
}

impl<'s> Stamped<'s> {
    fn new(snapshot: &'s Snapshot, moment: Option<Moment>, text: String, line: Option<&Evidence>) -> Self {
        let told = line
            .filter(|_| moment.is_none())
            .and_then(|e| snapshot.recorded.log_clock.instant(&e.file, e.line, &text))
            .and_then(|(seconds, by)| Some((Moment::at(u64::try_from(seconds).ok()?), by)));
        match told {
            Some((moment, by)) => Self { moment: Some(moment), text, by: Some(by) },
            None => Self { moment, text, by: None },
        }
    }

    fn event(&self, kind: TimelineKind, what: String, mut evidence: Vec<Evidence>) -> Dated {
        let (Some(moment), Some(by)) = (&self.moment, self.by) else {
            return written(self.moment.clone(), &self.text, kind, what, evidence);
        };
        let what = format!("{what} Another line of that log tells year and zone.");
        evidence.push(by.clone());
        let mut event = dated(moment.clone(), kind, what, evidence);
        event.event.written = Some(visible(self.text.as_bytes()));
        event
    }
}

/// With a time that may lack zone or year; then the sentence says so.
fn written(
    moment: Option<Moment>,
    text: &str,
    kind: TimelineKind,
    what: String,
    evidence: Vec<Evidence>,
) -> Dated {
    match moment {
        Some(moment) => dated(moment, kind, what, evidence),
        None => {
            let what = format!("{what} The source gives no year or zone.");
            let written = Some(visible(text.as_bytes()));
            Dated { moment: None, event: TimelineEvent { at: None, written, kind, what, evidence } }
        }
    }
}

fn booted(snapshot: &Snapshot) -> Option<Dated> {
    let seconds = snapshot.facts.boot_time?;
    let (file, text) = match snapshot.facts.collector {
        Some(_) => ("manifest.json", format!("boot_time {seconds}")),
        None => ("proc/stat", format!("btime {seconds}")),
    };
    let evidence = Evidence { file: file.to_owned(), line: None, text };
    Some(dated(Moment::at(seconds), TimelineKind::Booted, "The host started.".to_owned(), vec![evidence]))
}

fn collected(snapshot: &Snapshot) -> Option<Dated> {
    let text = snapshot.facts.collected_at.as_deref()?;
    let evidence = Evidence {
        file: "manifest.json".to_owned(),
        line: None,
        text: format!("started_at {}", visible(text.as_bytes())),
    };
    let what = "The bundle was taken.".to_owned();
    Some(written(clock::instant(text), text, TimelineKind::Collected, what, vec![evidence]))
}

fn container_events(snapshot: &Snapshot, target: &Target) -> Vec<Dated> {
    let mut events = Vec::new();
    let Some(id) = &target.container else { return events };
    let Some(container) = snapshot.containers.get(id) else { return events };
    let label = target.label();
    match &container.record.started_at {
        Some(text) => events.push(written(
            clock::instant(text),
            text,
            TimelineKind::ContainerStarted,
            format!("{} started.", capitalized(&label)),
            container.evidence.first().cloned().into_iter().collect(),
        )),
        None => events.extend(first_process(snapshot, container, &label)),
    }
    if let Some((text, evidence)) = snapshot.recorded.finished_at.get(id) {
        let what = format!("{} ended.", capitalized(&label));
        let moment = clock::instant(text);
        events.push(written(moment, text, TimelineKind::ContainerFinished, what, vec![evidence.clone()]));
    }
    events
}

/// Where no runtime tells, a container is at least as old as its oldest process.
fn first_process(snapshot: &Snapshot, container: &Container, label: &str) -> Option<Dated> {
    let (pid, process, moment) = oldest(snapshot, container.pids.iter())?;
    let what = format!(
        "The oldest process of {label} that is still there, {} ({}), started.",
        process.name(),
        pid.0
    );
    Some(dated(moment, TimelineKind::ContainerStarted, what, vec![start_evidence(snapshot, pid, process)]))
}

/// Start of a process: boot time plus clock ticks (proc_pid_stat(5), field 22).
fn start_of(snapshot: &Snapshot, process: &Process) -> Option<Moment> {
    let ticks = snapshot.facts.clock_ticks.unwrap_or(100).max(1);
    let start = process.start_ticks?;
    let nanos = u32::try_from(start % ticks * 1_000_000_000 / ticks).unwrap_or(0);
    Some(Moment { seconds: snapshot.facts.boot_time?.checked_add(start / ticks)?, nanos })
}

fn oldest<'s>(
    snapshot: &'s Snapshot,
    pids: impl Iterator<Item = &'s Pid>,
) -> Option<(Pid, &'s Process, Moment)> {
    pids.filter_map(|pid| {
        let process = snapshot.processes.get(pid)?;
        Some((*pid, process, start_of(snapshot, process)?))
    })
    .min_by(|a, b| (&a.2, a.0).cmp(&(&b.2, b.0)))
}

fn start_evidence(snapshot: &Snapshot, pid: Pid, process: &Process) -> Evidence {
    let ticks = process.start_ticks.unwrap_or_default();
    let hertz = snapshot.facts.clock_ticks.unwrap_or(100);
    let boot = snapshot.facts.boot_time.unwrap_or_default();
    let text = format!("started {ticks} ticks (1/{hertz} s) after boot, which was at {boot}");
    Evidence { file: format!("proc/{}/stat", pid.0), line: Some(1), text }
}

fn holder_start(snapshot: &Snapshot, holder: &Found) -> Option<Dated> {
    // The host's and the daemon's own processes say nothing about when a mount was copied.
    if holder.is_daemons && holder.kind != HolderKind::OpenFile {
        return None;
    }
    let (pid, process, moment) = oldest(snapshot, holder.pids.iter())?;
    let others = match holder.pids.len() {
        0 | 1 => String::new(),
        n => format!(", the oldest of {n} processes,"),
    };
    let of = match (&holder.container, &holder.unit) {
        (Some(container), _) => {
            format!(" of container {}", container.name.as_deref().unwrap_or(short(&container.id)))
        }
        (None, Some(unit)) => format!(" of {unit}"),
        (None, None) => String::new(),
    };
    let what = format!("{} ({}){of}{others} started, which holds it.", process.name(), pid.0);
    Some(dated(moment, TimelineKind::HolderStarted, what, vec![start_evidence(snapshot, pid, process)]))
}

/// Whether a holder's namespace is younger than the container: a namespace is a copy of all mounts of its time.
pub(crate) fn when_copied(snapshot: &Snapshot, target: &Target, holder: &Found) -> Option<String> {
    if holder.is_target {
        return None;
    }
    let container = snapshot.containers.get(target.container.as_ref()?)?;
    let recorded = container.record.started_at.as_deref().and_then(clock::instant);
    let made = recorded.or_else(|| Some(oldest(snapshot, container.pids.iter())?.2))?;
    let (pid, process, start) = oldest(snapshot, holder.pids.iter())?;
    let who = format!("{} ({})", process.name(), pid.0);
    let (start_text, made_text) = (start.text(), made.text());
    // A mount table tells no times; both clocks are exact to about a second.
    Some(match start.seconds > made.seconds.saturating_add(1) {
        true => format!(
            "{who} started at {start_text}, after the container ({made_text}): its namespace was copied while the container's file system was mounted."
        ),
        false if start.seconds.saturating_add(1) < made.seconds => format!(
            "{who} started at {start_text}, before the container ({made_text}): the mount came into its namespace later, through propagation or a bind."
        ),
        false => return None,
    })
}

/// The holders' units and the runtime's own: a start after the container's is a restart in between.
fn unit_events<'s>(snapshot: &'s Snapshot, holders: impl Iterator<Item = &'s Found>) -> Vec<Dated> {
    let daemon = snapshot.daemon().and_then(|(_, p)| p.membership.unit.as_deref().map(visible));
    let mut units: Vec<String> = holders.filter_map(|h| h.unit.clone()).chain(daemon).collect();
    order::sort(&mut units);
    units.dedup();
    let event = |unit: &String| {
        let properties = snapshot.units.get(unit.as_bytes())?;
        let text = properties.get("ActiveEnterTimestamp").filter(|t| !t.is_empty() && *t != "n/a")?;
        let restarts = properties.get("NRestarts").and_then(|n| n.parse::<u64>().ok()).filter(|n| *n > 0);
        let restarts =
            restarts.map(|n| format!(" systemd restarted it {n} times by itself.")).unwrap_or_default();
        let what = format!("{unit} became active.{restarts}");
        // Other captures have the properties of all units in one file of any name.
        let file = match snapshot.facts.collector {
            Some(_) => format!("systemd/{unit}.show"),
            None => format!("systemctl show {unit}"),
        };
        let evidence = Evidence { file, line: None, text: format!("ActiveEnterTimestamp={text}") };
        Some(written(clock::systemd(text), text, TimelineKind::UnitActive, what, vec![evidence]))
    };
    units.iter().filter_map(event).collect()
}

/// systemd's own lines about mount units of the target (`var-lib-docker-…-ID-merged.mount: Succeeded.`).
fn mount_events(snapshot: &Snapshot, target: &Target) -> Vec<Dated> {
    let event = |line: &Evidence| {
        let (before, after) = line.text.split_once(".mount: ")?;
        let unit = before.rsplit(' ').next()?;
        // systemd-escape(1): slashes become hyphens; an id has none, so it stands whole between them.
        let is_ours = unit.split('-').any(|part| target.ids.contains(part) && part.len() >= 12);
        if !is_ours {
            return None;
        }
        let (kind, word) = match after.split_whitespace().next()? {
            // "Succeeded." up to systemd 245, "Deactivated successfully." since.
            "Succeeded." | "Deactivated" | "Unmounting" | "Unmounted" => {
                (TimelineKind::Unmounted, "unmounted")
            }
            "Mounting" | "Mounted" => (TimelineKind::Mounted, "mounted"),
            _ => return None,
        };
        let (moment, text) = clock::of_line(&line.text);
        let what = format!("systemd saw {unit}.mount {word}.");
        Some(Stamped::new(snapshot, moment, text, Some(line)).event(kind, what, vec![line.clone()]))
    };
    snapshot.recorded.mount_lines.iter().filter_map(event).take(MOUNT_EVENTS).collect()
}

fn error_events(snapshot: &Snapshot, errors: &[BusyError]) -> Vec<Dated> {
    let first = |e: &BusyError| {
        let text = e.first.clone()?;
        Some(Stamped::new(snapshot, clock::instant(&text), text, e.evidence.as_ref()))
    };
    let last = |e: &BusyError| {
        let text = e.last.clone()?;
        Some(Stamped::new(snapshot, clock::instant(&text), text, its_log(e).as_ref()))
    };
    let firsts: Vec<_> = errors.iter().filter_map(|e| Some((first(e)?, e))).collect();
    let lasts: Vec<_> = errors.iter().filter_map(|e| Some((last(e)?, e))).collect();
    let is_dated = firsts.iter().chain(&lasts).any(|(stamp, _)| stamp.moment.is_some());
    // Latest first: without a date the order of the log is all there is.
    let first = match is_dated {
        true => firsts
            .iter()
            .filter(|(stamp, _)| stamp.moment.is_some())
            .min_by(|a, b| a.0.moment.cmp(&b.0.moment)),
        false => firsts.last(),
    };
    let last = match is_dated {
        true => lasts
            .iter()
            .filter(|(stamp, _)| stamp.moment.is_some())
            .max_by(|a, b| a.0.moment.cmp(&b.0.moment)),
        false => lasts.first(),
    };
    let times: u32 = errors.iter().fold(0, |sum, e| sum.saturating_add(e.count));
    let (Some((first, first_error)), Some((last, last_error))) = (first, last) else { return Vec::new() };
    let evidence = first_error.evidence.clone().into_iter().collect();
    let mut events =
        vec![first.event(TimelineKind::FirstError, "The first busy error.".to_owned(), evidence)];
    if (&first.moment, &first.text) != (&last.moment, &last.text) {
        let what = format!("The last of {times} busy errors.");
        events.push(last.event(TimelineKind::LastError, what, its_log(last_error).into_iter().collect()));
    }
    events
}

/// A repeated error remembers the line of its first time only: for the last time, the file is what is known.
fn its_log(error: &BusyError) -> Option<Evidence> {
    let line = if error.count == 1 { error.evidence.as_ref()?.line } else { None };
    Some(Evidence { line, ..error.evidence.clone()? })
}

fn capitalized(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}
