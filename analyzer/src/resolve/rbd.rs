//! Ceph's rbd images: `POOL/IMAGE`. The kernel's device is `/dev/rbdN`; udev links `/dev/rbd/POOL/IMAGE` to it, and
//! Kubernetes names the mount points after the image.

use super::{Target, storage};
use crate::bytes::{components, visible};
use crate::parse::mountinfo::Mount;
use crate::report::{AliasKind, BusyKind, Evidence};
use crate::snapshot::{DeviceNumber, Snapshot};

/// Takes a text as an image; true where a mount shows its device.
pub(super) fn add_image(snapshot: &Snapshot, target: &mut Target, text: &str) -> bool {
    let image = text.rsplit('/').next().unwrap_or(text);
    if image.len() < 3 || text.starts_with('/') || text.matches('/').count() > 2 {
        return false;
    }
    if let Some((device, evidence)) = mapped(snapshot, text) {
        target.busy = BusyKind::Device;
        target.alias(visible(text.as_bytes()), AliasKind::Other, Some(evidence.clone()));
        storage::add_device_name(snapshot, target, device, Some(evidence.clone()));
        return true;
    }
    let mut devices: Vec<(DeviceNumber, String, Evidence)> = Vec::new();
    for placed in snapshot.mounts_where(&|mount| is_of_image(mount, text, image)) {
        let mount = &placed.mount;
        if !devices.iter().any(|(d, ..)| *d == mount.device) {
            devices.push((mount.device, visible(&mount.source()), placed.evidence()));
        }
    }
    let [(number, source, evidence)] = &devices[..] else { return false };
    target.busy = BusyKind::Device;
    target.alias(visible(text.as_bytes()), AliasKind::Other, Some(evidence.clone()));
    target.alias(source.clone(), AliasKind::Device, Some(evidence.clone()));
    storage::add_device(target, *number, Some(evidence.clone()));
    true
}

/// The device that `rbd showmapped` tells for `POOL/IMAGE`, or for an image of only one pool.
fn mapped<'s>(snapshot: &'s Snapshot, text: &str) -> Option<(&'s [u8], &'s Evidence)> {
    let is_it = |image: &[u8]| {
        image == text.as_bytes()
            || (!text.contains('/') && image.rsplit(|&b| b == b'/').next() == Some(text.as_bytes()))
    };
    let mut fit = snapshot.rbd_images.iter().filter(|(image, _)| is_it(image));
    let (_, (device, evidence)) = fit.next()?;
    fit.next().is_none().then_some((device, evidence))
}

/// By udev's name of the source, by kubelet's `POOL-image-IMAGE`, or by the volume's uuid that ends both
/// `csi-vol-UUID` and the mount point's directory (ceph-csi).
fn is_of_image(mount: &Mount<'_>, text: &str, image: &str) -> bool {
    let (source, point) = (mount.source(), mount.mount_point());
    if !source.starts_with(b"/dev/rbd") || mount.device.is_anonymous() {
        return false;
    }
    let by_source = source.strip_prefix(b"/dev/rbd/").is_some_and(|name| {
        let name = visible(name);
        name == text || (!text.contains('/') && name.rsplit('/').next() == Some(image))
    });
    let kubelet = match text.split_once('/') {
        Some((pool, image)) => format!("{pool}-image-{image}"),
        None => format!("-image-{image}"),
    };
    let uuid = image.strip_prefix("csi-vol-").filter(|u| u.len() == 36).map(|u| format!("-{u}"));
    by_source
        || components(&point).any(|c| {
            let whole = text.contains('/') && c == kubelet.as_bytes();
            let end = !text.contains('/') && c.ends_with(kubelet.as_bytes());
            whole || end || uuid.as_ref().is_some_and(|u| c.ends_with(u.as_bytes()))
        })
}
