//! What needs all members to be known: containers from cgroups, listings and logs.

use super::*;
use crate::errors::failures;
use crate::order;

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
    for (pid, process) in &snapshot.processes {
        let Some(id) = &process.membership.container else { continue };
        match snapshot.containers.get_mut(id) {
            Some(container) => {
                container.record.id.clone_from(id);
                container.pids.insert(*pid);
            }
            None => {
                let record = runtime_state::ContainerRecord { id: id.clone(), ..Default::default() };
                let container = Container { record, pids: BTreeSet::from([*pid]), ..Container::default() };
                snapshot.containers.insert(id.clone(), container);
            }
        }
    }
}

/// Listings show short ids: they belong to the one container whose id begins so.
pub(super) fn add_listed_containers(
    snapshot: &mut Snapshot,
    mut listed: Vec<(Evidence, runtime_state::ContainerRecord)>,
) {
    order::sort_by(&mut listed, |a, b| a.0.cmp(&b.0));
    // The log names ids in full, too.
    let logged = snapshot.errors.iter().flat_map(|e| e.all()).filter_map(|e| e.container_id.as_ref());
    let mut known: BTreeSet<String> =
        order::set(snapshot.containers.keys().chain(logged).filter(|id| id.len() == 64).cloned());
    for (evidence, mut record) in listed {
        let mut fitting =
            known.range(record.id.clone()..).take_while(|known| known.starts_with(&record.id)).cloned();
        if let (Some(only), None) = (fitting.next(), fitting.next()) {
            record.id = only;
        } else if record.id.len() == 64 {
            known.insert(record.id.clone());
        }
        let container = snapshot.containers.entry(record.id.clone()).or_default();
        container.record.id.clone_from(&record.id);
        container.evidence.push(evidence);
        merge(&mut container.record, record);
    }
}

/// The runtime's log links ids that its state has forgotten.
pub(super) fn add_logged_layers(snapshot: &mut Snapshot) {
    let links: BTreeMap<(String, String), Evidence> = order::map(
        snapshot
            .log_links
            .iter()
            .filter_map(|l| Some(((l.container_id.clone(), l.layer_id.clone()?), l.evidence.clone()))),
    );
    for ((id, layer), evidence) in links {
        let from_here = snapshot.containers.range(id.clone()..).map(|(known, _)| known);
        let mut known = from_here.take_while(|known| known.starts_with(&id));
        let id = match (known.next(), known.next()) {
            (Some(one), None) => one.clone(),
            _ => id,
        };
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

/// Errors of one failure become one, also where some name the container and some its layer.
pub(super) fn group_errors(snapshot: &mut Snapshot) {
    let mut owners: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for (id, container) in &snapshot.containers {
        for layer in container.layers.keys().filter(|layer| !snapshot.containers.contains_key(*layer)) {
            owners.entry(layer).and_modify(|known| *known = None).or_insert(Some(id));
        }
    }
    let mut errors = std::mem::take(&mut snapshot.errors);
    failures::name_containers(&mut errors, &|id| owners.get(id).copied().flatten().map(str::to_owned));
    snapshot.errors = failures::group(errors);
    for error in snapshot.errors.iter_mut().filter(|error| error.name.is_none()) {
        let container = error.container_id.as_ref().and_then(|id| snapshot.containers.get(id));
        let name = container.and_then(|container| container.record.name.as_ref());
        error.name = name.map(|name| visible(name.as_bytes()));
    }
    // An error that names nothing can be looked at, but never answers "what is busy?" by itself.
    order::sort_by_key(&mut snapshot.errors, |e| !e.names_something());
}
