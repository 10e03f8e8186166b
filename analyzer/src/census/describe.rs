//! A leftover in words, and its device, container and evidence as they are shown.

use std::collections::BTreeMap;

use super::objects::Object;
use super::owners::Life;
use super::{Leftover, LeftoverKind, PinnedDevice};
use crate::bytes::visible;
use crate::order;
use crate::report::{ContainerRef, Evidence};
use crate::resolve::short;
use crate::snapshot::{DeviceNumber, Snapshot};

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

pub(super) fn pinned(snapshot: &Snapshot, number: DeviceNumber) -> PinnedDevice {
    let kernel_name = snapshot.devices.iter().find(|(_, d)| d.number == Some(number)).map(|(name, _)| name);
    PinnedDevice {
        number: number.to_string(),
        name: snapshot.device_path(number).map(|path| visible(&path)),
        size_bytes: kernel_name.and_then(|name| snapshot.recorded.device_sizes.get(name).copied()),
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

/// Only for the order of groups: devices that count once however often they are mounted.
pub(super) fn sizes(leftovers: &[Leftover]) -> Option<u64> {
    let devices = leftovers.iter().filter_map(|l| l.device.as_ref());
    let devices: BTreeMap<&str, u64> =
        order::map(devices.filter_map(|d| Some((d.number.as_str(), d.size_bytes?))));
    (!devices.is_empty()).then(|| devices.values().fold(0u64, |sum, size| sum.saturating_add(*size)))
}
