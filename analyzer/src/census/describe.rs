//! A leftover in words, and its device, container and evidence as they are shown.

use super::objects::{Object, is_runtime_network};
use super::owners::Life;
use super::{KindCount, LeftoverKind, PinnedDevice};
use crate::bytes::visible;
use crate::report::{ContainerRef, Evidence};
use crate::resolve::short;
use crate::snapshot::{DeviceNumber, Snapshot};

/// Why a mount in the runtime's own namespace does not belong there.
pub(super) fn why_own(kind: LeftoverKind, point: &[u8], life: &Life) -> String {
    match kind {
        LeftoverKind::PodVolume => {
            "No process and no container of this pod is left, but its volume is still mounted: kubelet calls the pod orphaned.".to_owned()
        }
        LeftoverKind::NetworkNamespace if is_runtime_network(point) => {
            "No process is in this network namespace any more, and the file that pins it is still there.".to_owned()
        }
        LeftoverKind::NetworkNamespace => {
            "No process is in this network namespace, only its file keeps it. Whoever made it (`ip netns add`) may still want it; `ip netns del` ends it.".to_owned()
        }
        _ => format!("{} is still mounted in the runtime's own namespace, though {}.", noun(kind), over(life)),
    }
}

/// Why a mount in a namespace that is neither host's nor daemon's does not belong there.
pub(super) fn why_foreign(kind: LeftoverKind, at_home: bool, life: &Life) -> String {
    let what = noun(kind);
    match (at_home, life) {
        (false, Life::Alive) => format!(
            "This is a copy of {what}, which the runtime's namespace no longer has: whoever mounted it there has given it up, but the container still lives."
        ),
        (false, Life::Unknown) => {
            format!("This is a copy of {what}, which the runtime's namespace no longer has.")
        }
        (false, life) => {
            format!("This is a copy of {what}, which the runtime's namespace no longer has; {}.", over(life))
        }
        (true, Life::Ended(_) | Life::Gone | Life::Deserted) => {
            format!("This is a copy of {what} outside of the runtime's umount; {}.", over(life))
        }
        (true, _) => format!(
            "This is a copy of {what} in a namespace that is neither the runtime's nor the container's, and the runtime's umount will not reach it: it stays when the container goes."
        ),
    }
}

pub(super) fn over(life: &Life) -> String {
    match life {
        Life::Ended(state) => format!("its container is {}", visible(state.as_bytes())),
        Life::Gone => "the runtime no longer knows its container".to_owned(),
        Life::Deserted => "no process of its container is left".to_owned(),
        Life::Alive => "its container lives".to_owned(),
        Life::Unknown => "the bundle does not tell whether its container lives".to_owned(),
    }
}

pub(super) fn state_word(life: &Life) -> Option<String> {
    match life {
        Life::Alive => Some("running".to_owned()),
        Life::Ended(state) => Some(visible(state.as_bytes())),
        Life::Gone => Some("gone".to_owned()),
        Life::Deserted | Life::Unknown => None,
    }
}

/// What to call it in a sentence.
pub(super) fn noun(kind: LeftoverKind) -> &'static str {
    match kind {
        LeftoverKind::ThinDevice => "a container's thin device",
        LeftoverKind::RootFileSystem => "a container's root file system",
        LeftoverKind::Shm => "a container's shm",
        LeftoverKind::Secrets => "a container's secrets",
        LeftoverKind::PodVolume => "a pod's volume",
        LeftoverKind::NetworkNamespace => "a pinned network namespace",
    }
}

/// What to call it in a list.
fn kind_name(kind: LeftoverKind) -> &'static str {
    match kind {
        LeftoverKind::ThinDevice => "thin device",
        LeftoverKind::RootFileSystem => "root file system",
        LeftoverKind::Shm => "shm",
        LeftoverKind::Secrets => "secrets",
        LeftoverKind::PodVolume => "pod volume",
        LeftoverKind::NetworkNamespace => "network namespace",
    }
}

/// `82 × root file system, 83 × network namespace (1 will block)`.
pub(super) fn kind_counts(kinds: &[KindCount]) -> String {
    let line = |kind: &KindCount| {
        let blocking = match kind.blocking {
            0 => String::new(),
            n => format!(" ({n} will block)"),
        };
        format!("{} × {}{blocking}", kind.count, kind_name(kind.kind))
    };
    kinds.iter().map(line).collect::<Vec<_>>().join(", ")
}

pub(super) fn pinned(snapshot: &Snapshot, number: DeviceNumber) -> PinnedDevice {
    PinnedDevice {
        number: number.to_string(),
        name: snapshot.device_path(number).map(|path| visible(&path)),
        size_bytes: snapshot
            .kernel_name(number)
            .and_then(|name| snapshot.recorded.device_sizes.get(name).copied()),
    }
}

pub(super) fn container_ref(snapshot: &Snapshot, id: &str) -> ContainerRef {
    let record = snapshot.containers.get(id).map(|c| &c.record);
    let shown = |text: &String| visible(text.as_bytes());
    ContainerRef {
        id: visible(id.as_bytes()),
        name: record.and_then(|r| r.name.as_ref().map(shown)),
        image: record.and_then(|r| r.image.as_ref().map(shown)),
    }
}

/// Where the object's container and its state were read.
pub(super) fn container_evidence(
    snapshot: &Snapshot,
    object: &Object,
    container: Option<&str>,
) -> Vec<Evidence> {
    let Some(container) = container.and_then(|id| snapshot.containers.get(id)) else { return Vec::new() };
    let layer = container.layers.get(&object.id).cloned();
    layer.into_iter().chain(container.evidence.first().cloned()).collect()
}

/// What to call a container in a line.
pub(super) fn container_name(container: &ContainerRef) -> String {
    match &container.name {
        Some(name) => format!("{name} ({})", short(&container.id)),
        None => short(&container.id).to_owned(),
    }
}
