//! What needs all members to be known: containers from cgroups, listings and logs.

use super::*;

/// Namespaces without a process get what keeps them.
pub(super) fn note_namespace_keepers(snapshot: &mut Snapshot) {
    for pin in snapshot.pins.iter().filter(|p| p.kind == b"mnt") {
        let key = crate::snapshot::NamespaceKey::Inode(pin.inode);
        if let Some(namespace) = snapshot.namespaces.get_mut(&key) {
            namespace.kept_by.push(pin.evidence.clone());
        }
    }
}

/// A cgroup names the container even where the runtime has forgotten it.
pub(super) fn add_container_processes(snapshot: &mut Snapshot) {
    let members: Vec<(String, Pid)> = snapshot
        .processes
        .iter()
        .filter_map(|(pid, p)| Some((p.membership.container.clone()?, *pid)))
        .collect();
    for (id, pid) in members {
        let container = snapshot.containers.entry(id.clone()).or_default();
        container.record.id = id;
        container.pids.insert(pid);
    }
}

/// Listings show short ids: they belong to the one container whose id begins so.
pub(super) fn add_listed_containers(
    snapshot: &mut Snapshot,
    mut listed: Vec<(Evidence, runtime_state::ContainerRecord)>,
) {
    listed.sort_by(|a, b| a.0.cmp(&b.0));
    for (evidence, mut record) in listed {
        // The log names ids in full, too.
        let logged = snapshot.errors.iter().flat_map(|e| e.all()).filter_map(|e| e.container_id.as_ref());
        let all = snapshot.containers.keys().chain(logged);
        let known: BTreeSet<&String> =
            all.filter(|id| id.len() == 64 && id.starts_with(&record.id)).collect();
        if let (Some(only), 1) = (known.first(), known.len()) {
            record.id = (*only).clone();
        }
        let container = snapshot.containers.entry(record.id.clone()).or_default();
        container.record.id.clone_from(&record.id);
        container.evidence.push(evidence);
        merge(&mut container.record, record);
    }
}

/// The runtime's log links ids that its state has forgotten.
pub(super) fn add_logged_layers(snapshot: &mut Snapshot) {
    let links: BTreeMap<(String, String), Evidence> = snapshot
        .log_links
        .iter()
        .filter_map(|l| Some(((l.container_id.clone(), l.layer_id.clone()?), l.evidence.clone())))
        .collect();
    for ((id, layer), evidence) in links {
        let known: Vec<String> = snapshot.containers.keys().filter(|k| k.starts_with(&id)).cloned().collect();
        let id = if let [one] = &known[..] { one.clone() } else { id };
        let container = snapshot.containers.entry(id.clone()).or_default();
        container.record.id = id;
        container.layers.entry(layer).or_insert(evidence);
    }
    for link in &snapshot.log_links {
        if let (Some(name), Some(container)) = (&link.name, snapshot.containers.get_mut(&link.container_id)) {
            container.record.name.get_or_insert_with(|| name.clone());
        }
    }
}
