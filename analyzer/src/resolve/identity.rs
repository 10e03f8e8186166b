//! Container id, name and layer id: one leads to the others through the runtime's state, the cgroups and the log.

use super::Target;
use crate::bytes::{components, visible};
use crate::report::{AliasKind, Evidence};
use crate::snapshot::Snapshot;

/// Fewer digits are a name, a pid or chance.
const SHORTEST_PREFIX: usize = 3;

pub(super) fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Adds an id. Only 12 digits and more are compared with path components: shorter ones meet by chance.
pub(super) fn add_id(target: &mut Target, id: &str, kind: AliasKind, evidence: Option<Evidence>) {
    if kind == AliasKind::ContainerId && id.len() == 64 {
        target.container.get_or_insert_with(|| id.to_owned());
    }
    if id.len() >= 12 && is_hex(id) {
        target.ids.insert(id.to_owned());
    }
    target.alias(id.to_owned(), kind, evidence);
}

/// Whether some container has this id as its layer's, and no container is called so.
pub(super) fn is_layer_of_another(snapshot: &Snapshot, id: &str) -> bool {
    !snapshot.containers.contains_key(id) && snapshot.containers.values().any(|c| c.layers.contains_key(id))
}

/// Containers that go by this text: by name, by id, by layer id, or by a prefix of an id. More than one is an
/// ambiguous prefix.
pub(super) fn containers_named(snapshot: &Snapshot, text: &str) -> Vec<String> {
    let name = text.trim_start_matches('/');
    let exact: Vec<String> = snapshot
        .containers
        .iter()
        .filter(|(id, c)| {
            *id == text || c.record.name.as_deref() == Some(name) || c.layers.contains_key(text)
        })
        .map(|(id, _)| id.clone())
        .collect();
    // A name can be reused after its owner is gone: the one that still has a state or a process counts.
    if exact.len() > 1 {
        let live: Vec<String> = exact
            .iter()
            .filter(|id| {
                snapshot.containers.get(*id).is_some_and(|c| c.record.state.is_some() || !c.pids.is_empty())
            })
            .cloned()
            .collect();
        return if live.len() == 1 { live } else { exact };
    }
    if !exact.is_empty() || !is_hex(text) || text.len() < SHORTEST_PREFIX {
        return exact;
    }
    snapshot
        .containers
        .iter()
        .filter(|(id, c)| id.starts_with(text) || c.layers.keys().any(|l| l.starts_with(text)))
        .map(|(id, _)| id.clone())
        .collect()
}

/// An id that only logs or mount tables know.
pub(super) fn add_logged_id(snapshot: &Snapshot, target: &mut Target, text: &str) -> bool {
    if !is_hex(text) || text.len() < SHORTEST_PREFIX {
        return false;
    }
    let logged = snapshot.errors.iter().flat_map(|e| e.all()).flat_map(|e| {
        let ids = e.container_id.iter().chain(&e.other_ids);
        ids.filter(|id| id.starts_with(text)).map(|id| (id.clone(), e.evidence.clone()))
    });
    let logged: Vec<_> = logged.collect();
    if let Some((longest, evidence)) = logged.into_iter().max_by_key(|(id, _)| id.len()) {
        add_id(target, &longest, AliasKind::Other, evidence);
        return true;
    }
    if text.len() < 12 {
        return false;
    }
    for placed in snapshot.mounts_that_mention(text.as_bytes()) {
        let mount = &placed.mount;
        let (point, source) = (mount.mount_point(), mount.source());
        let upper = mount.super_option(b"upperdir").unwrap_or_default();
        let id = components(&point)
            .chain(components(&source))
            .chain(components(&upper))
            .find_map(|c| hex_with_prefix(c, text));
        if let Some(id) = id {
            add_id(target, &id, AliasKind::LayerId, Some(placed.evidence()));
            return true;
        }
    }
    false
}

/// The id in a path component, where it begins with `prefix`.
fn hex_with_prefix(component: &[u8], prefix: &str) -> Option<String> {
    let bare = component.strip_suffix(b"-init").unwrap_or(component);
    let bare = bare.rsplit(|&b| b == b'-').next()?;
    let bare = std::str::from_utf8(bare).ok()?;
    (is_hex(bare) && bare.len() >= 12 && bare.starts_with(prefix)).then(|| bare.to_owned())
}

/// Follows ids to containers, containers to layers and names.
pub(super) fn expand(snapshot: &Snapshot, target: &mut Target) {
    let ids: Vec<String> = target.ids.iter().cloned().collect();
    let containers: Vec<&String> = match &target.container {
        // The container is known: its layers follow, other ids of the line do not lead to other containers.
        Some(id) => snapshot.containers.keys().filter(|k| *k == id).collect(),
        None => {
            let short =
                target.aliases.iter().filter(|a| a.kind == AliasKind::ContainerId).map(|a| a.value.clone());
            let short: Vec<String> = short.collect();
            snapshot
                .containers
                .iter()
                .filter(|(key, c)| {
                    let by_id = |id: &String| key.starts_with(id.as_str()) || c.layers.contains_key(id);
                    ids.iter().any(by_id)
                        || short.iter().any(|id| id.len() >= SHORTEST_PREFIX && by_id(id))
                        || { target.name.is_some() && c.record.name == target.name && ids.is_empty() }
                })
                .map(|(key, _)| key)
                .collect()
        }
    };
    let [id] = containers[..] else { return };
    let Some(container) = snapshot.containers.get(id) else { return };
    add_id(target, id, AliasKind::ContainerId, container.evidence.first().cloned());
    for (layer, evidence) in &container.layers {
        target.aliases.retain(|a| !(a.value == *layer && a.kind == AliasKind::Other));
        add_id(target, layer, AliasKind::LayerId, Some(evidence.clone()));
    }
    if let Some(pid) = container.pids.first()
        && let Some(process) = snapshot.processes.get(pid)
    {
        target.alias(id.clone(), AliasKind::ContainerId, process.membership.evidence());
    }
    let record = &container.record;
    if let Some(name) = &record.name {
        let name = visible(name.as_bytes());
        target.alias(name.clone(), AliasKind::Name, container.evidence.first().cloned());
        target.name = Some(name);
    }
    target.driver = target.driver.take().or_else(|| record.driver.clone());
    target.state =
        record.state.clone().or_else(|| (!container.pids.is_empty()).then(|| "running".to_owned()));
}
