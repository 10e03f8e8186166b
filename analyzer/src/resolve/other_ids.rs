//! Ids that are no container's: a pod's uid, a sandbox, a snapshot's number, an image, a job's id in a name. People
//! copy the wrong one; it is recognised for what it is and led to the container.

use super::{Target, identity, short};
use crate::bytes::{components, visible};
use crate::order;
use crate::report::{AliasKind, BusyError, Diagnostic, Evidence};
use crate::snapshot::{Container, Snapshot};

/// Shorter parts of names are found in too many of them.
const SHORTEST_PART: usize = 6;

/// What an id is, and the containers that it leads to, each with evidence.
struct Lead {
    what: &'static str,
    containers: Vec<(String, Option<Evidence>)>,
}

/// Follows an id that is no container's; true where it leads to one, or to several candidates.
pub(super) fn follow(snapshot: &Snapshot, target: &mut Target, text: &str) -> bool {
    let rules: [fn(&Snapshot, &str) -> Option<Lead>; 7] =
        [by_gone_device, by_sandbox, by_image, by_snapshot, by_cgroup, by_name, by_job];
    let Some(lead) = rules.iter().find_map(|rule| rule(snapshot, text)) else {
        return false;
    };
    let all: Vec<&str> = lead.containers.iter().map(|(id, _)| id.as_str()).collect();
    match &without_sandboxes(snapshot, &lead.containers)[..] {
        [(id, evidence)] => {
            // It was tried as a path or a device before.
            *target = Target { query: std::mem::take(&mut target.query), ..Target::default() };
            target.alias(visible(text.as_bytes()), AliasKind::Other, evidence.clone());
            identity::add_id(target, id, AliasKind::ContainerId, evidence.clone());
            target.notes.push(note(text, lead.what, &format!("looked at its container {}", short(id))));
            true
        }
        _ => {
            target.candidates = all.iter().map(|id| (*id).to_owned()).collect();
            target.notes.push(note(text, lead.what, &format!("it has {} containers", all.len())));
            false
        }
    }
}

/// An error about a pod's volume or cgroup names the pod only: its containers are named, too. The busy object stays
/// what the error says.
pub(super) fn add_pods_containers(snapshot: &Snapshot, target: &mut Target, error: &BusyError) {
    let pods = error.all().flat_map(|e| &e.other_ids).filter(|id| is_uuid(id));
    let Some((pod, lead)) = pods.filter_map(|id| Some((id, by_cgroup(snapshot, id)?))).next() else { return };
    let containers = without_sandboxes(snapshot, &lead.containers);
    let names: Vec<String> = containers
        .iter()
        .map(|(id, _)| match snapshot.containers.get(id).and_then(|c| c.record.name.as_deref()) {
            Some(name) => format!("{} ({})", visible(name.as_bytes()), short(id)),
            None => short(id).to_owned(),
        })
        .collect();
    target.alias(pod.clone(), AliasKind::Other, error.evidence.clone());
    for (id, evidence) in containers {
        target.alias(id, AliasKind::ContainerId, evidence);
    }
    target.notes.push(note(pod, lead.what, &format!("its containers are {}", names.join(", "))));
}

/// What an id looks like that nothing on this host has.
pub(super) fn explain_unknown(target: &mut Target, text: &str) {
    let what = if is_uuid(text) {
        "a pod's uid or another UUID; no cgroup and no container here has it"
    } else if text.starts_with("sha256:") {
        "the digest of an image or a layer; no container here is known to use it"
    } else {
        return;
    };
    target.notes.push(note(text, what, "nothing was found"));
}

fn note(text: &str, what: &str, result: &str) -> Diagnostic {
    Diagnostic {
        code: "other-id".into(),
        file: None,
        line: None,
        message: format!("{} is no container's id but {what}: {result}.", visible(text.as_bytes())),
        advice: "Name the container, path or device itself if another one was meant.".into(),
    }
}

fn lead(what: &'static str, containers: Vec<(String, Option<Evidence>)>) -> Option<Lead> {
    (!containers.is_empty()).then_some(Lead { what, containers })
}

fn containers_where(
    snapshot: &Snapshot,
    fits: impl Fn(&Container) -> bool,
) -> Vec<(String, Option<Evidence>)> {
    let fit = snapshot.containers.iter().filter(|(_, c)| fits(c));
    fit.map(|(id, c)| (id.clone(), c.evidence.first().cloned())).collect()
}

/// The device of a layer that is no longer there: `docker-254:0-131121-LAYER`, `/dev/mapper/…` of it.
fn by_gone_device(snapshot: &Snapshot, text: &str) -> Option<Lead> {
    let (_, id) = text.rsplit_once('-').filter(|(_, id)| id.len() == 64 && identity::is_hex(id))?;
    lead(
        "the device of a layer, which is not on this host any more",
        containers_where(snapshot, |c| c.record.id == id || c.layers.contains_key(id)),
    )
}

fn by_sandbox(snapshot: &Snapshot, text: &str) -> Option<Lead> {
    if !identity::is_hex(text) || text.len() < 12 {
        return None;
    }
    // Listings cut ids: either may be the shorter one.
    let is_it = |id: &String| id.starts_with(text) || (id.len() >= 12 && text.starts_with(id.as_str()));
    lead("a pod's sandbox", containers_where(snapshot, |c| c.record.sandbox.as_ref().is_some_and(is_it)))
}

fn by_image(snapshot: &Snapshot, text: &str) -> Option<Lead> {
    let digest = text.rsplit_once("sha256:").map_or(text, |(_, digest)| digest);
    let by_digest = identity::is_hex(digest) && digest.len() >= 12;
    let is_it = |c: &Container| {
        let image = c.record.image.as_deref();
        let bare = image.map(|i| i.rsplit_once("sha256:").map_or(i, |(_, digest)| digest));
        image == Some(text)
            || (by_digest
                && [bare, c.record.image_id.as_deref()]
                    .into_iter()
                    .flatten()
                    .any(|id| id.starts_with(digest)))
    };
    lead("an image", containers_where(snapshot, is_it))
}

/// `…/snapshots/NUMBER/fs` is the upper directory of a containerd snapshot: containerd's own records name it, and where it is
/// mounted the mount point has the container's id.
fn by_snapshot(snapshot: &Snapshot, text: &str) -> Option<Lead> {
    let path: Vec<&[u8]> = components(text.as_bytes()).collect();
    let number = match path[..] {
        [number] => number,
        [.., b"snapshots", number] | [.., b"snapshots", number, b"fs" | b"work"] => number,
        _ => return None,
    };
    if number.is_empty() || !number.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let needle = [b"/snapshots/", number, b"/"].concat();
    // Each snapshotter counts for itself: a whole path is compared as a whole.
    let mut found = containers_where(snapshot, |c| {
        let upper = c.record.upper_dir.as_deref().unwrap_or_default().as_bytes();
        let parts: Vec<&[u8]> = components(upper).collect();
        match parts[..] {
            [.., b"snapshots", own, b"fs"] if own == number => {
                path.len() < 4
                    || path[..path.len() - 1] == parts[..parts.len() - 1]
                    || path == parts[..parts.len() - 1]
            }
            _ => false,
        }
    });
    for placed in snapshot.mounts_that_mention(&needle) {
        let upper = placed.mount.super_option(b"upperdir").unwrap_or_default();
        let is_upper = components(&upper).collect::<Vec<_>>().windows(2).any(|w| w == [b"snapshots", number]);
        let point = placed.mount.mount_point();
        let mut names = components(&point).rev().filter_map(|c| std::str::from_utf8(c).ok());
        let id = names.find(|c| c.len() == 64 && identity::is_hex(c));
        if let (true, Some(id)) = (is_upper, id)
            && !found.iter().any(|(known, _)| known == id)
        {
            found.push((id.to_owned(), Some(placed.evidence())));
        }
    }
    lead("the number of a containerd snapshot", found)
}

/// Pods and jobs name the cgroups above their containers: `kubepods-pod8ca_1.slice`, `job_17`.
fn by_cgroup(snapshot: &Snapshot, text: &str) -> Option<Lead> {
    if text.len() < SHORTEST_PART || text.contains('/') {
        return None;
    }
    // systemd writes a uid's hyphens as underscores (kubelet's `escapeSystemdCgroupName`).
    let wanted = text.replace('_', "-");
    let mut found: Vec<(String, Option<Evidence>)> = Vec::new();
    for process in snapshot.processes.values() {
        let Some(id) = &process.membership.container else { continue };
        let path = String::from_utf8_lossy(&process.membership.text).replace('_', "-");
        let in_path = has_part(&path, &wanted) || has_part(&path, &format!("pod{wanted}"));
        if in_path && !found.iter().any(|(known, _)| known == id) {
            found.push((id.clone(), process.membership.evidence()));
        }
    }
    let by_record = containers_where(snapshot, |c| {
        [&c.record.pod_uid, &c.record.pod].into_iter().flatten().any(|known| known == text)
    });
    found.extend(
        by_record.into_iter().filter(|(id, _)| {
            !snapshot.processes.values().any(|p| p.membership.container.as_ref() == Some(id))
        }),
    );
    order::sort(&mut found);
    found.dedup_by(|a, b| a.0 == b.0);
    lead(if is_uuid(text) { "a pod's uid" } else { "a group of containers (a pod or a job)" }, found)
}

/// docker 1.x numbers its jobs: `[8ad069f7] -job rm(ac05cffda663) = ERR (1)`.
fn by_job(snapshot: &Snapshot, text: &str) -> Option<Lead> {
    if text.len() != 8 || !identity::is_hex(text) {
        return None;
    }
    let job = format!("[{text}]");
    let error = snapshot.errors.iter().find(|e| e.all().any(|w| w.line.contains(&job)))?;
    let id = error.all().find_map(|e| e.container_id.clone().filter(|id| id.len() >= 12))?;
    lead("the number of a job of docker 1.x", vec![(id, error.evidence.clone())])
}

/// Nomad, swarm and CI runners put the job's id into the container's name.
fn by_name(snapshot: &Snapshot, text: &str) -> Option<Lead> {
    if text.len() < SHORTEST_PART {
        return None;
    }
    let named = |c: &Container| c.record.name.as_deref().is_some_and(|name| has_part(name, text));
    lead("a part of a container's name (a job or a task)", containers_where(snapshot, named))
}

/// Whether the text stands in the other one between characters that separate.
fn has_part(whole: &str, part: &str) -> bool {
    let separates = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
    whole.match_indices(part).any(|(at, _)| {
        separates(whole[..at].chars().next_back()) && separates(whole[at + part.len()..].chars().next())
    })
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split(['-', '_']).collect();
    groups.iter().map(|g| g.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(|g| identity::is_hex(g))
}

/// A pod's sandbox only keeps its namespaces (the process is called `pause`): where one other container is left,
/// that is meant.
fn without_sandboxes(
    snapshot: &Snapshot,
    containers: &[(String, Option<Evidence>)],
) -> Vec<(String, Option<Evidence>)> {
    let is_sandbox = |id: &String| {
        let pids = snapshot.containers.get(id).map(|c| &c.pids);
        let mut processes = pids.into_iter().flatten().filter_map(|p| snapshot.processes.get(p)).peekable();
        processes.peek().is_some() && processes.all(|p| p.comm == b"pause")
    };
    let rest: Vec<_> = containers.iter().filter(|(id, _)| !is_sandbox(id)).cloned().collect();
    if rest.is_empty() { containers.to_vec() } else { rest }
}
