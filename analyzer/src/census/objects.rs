//! What a mount is of a container: told by device name, upper directory, dataset, namespace inode or whole path
//! components, never by a substring.

use std::collections::BTreeMap;

use super::LeftoverKind;
use crate::bytes::{components, visible};
use crate::order;
use crate::parse::mountinfo::Mount;
use crate::parse::namespace_link;
use crate::snapshot::{DeviceNumber, NamespaceInode, Snapshot};

/// Something that a container needs while it lives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Object {
    pub(super) kind: LeftoverKind,
    /// Layer, container or sandbox id, pod uid, containerd snapshot, `net:[N]`.
    pub(super) id: String,
    /// The network namespace, for that kind.
    pub(super) network: Option<NamespaceInode>,
}

impl Object {
    fn new(kind: LeftoverKind, id: &[u8]) -> Self {
        Self { kind, id: visible(id), network: None }
    }
}

/// Tells mounts of containers apart from all others.
#[derive(Debug, Default)]
pub(super) struct Classifier {
    /// Thin devices by number, with the layer at the end of their names.
    thin: BTreeMap<DeviceNumber, String>,
}

impl Classifier {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let by_sys = snapshot.devices.values().filter_map(|d| Some((d.number?, d.dm_name.as_deref()?)));
        let by_tool = snapshot.dm_names.iter().map(|(name, (number, _))| (*number, &name[..]));
        let thin = by_sys.chain(by_tool).filter_map(|(n, name)| Some((n, visible(layer_of_device(name)?))));
        Self { thin: order::map(thin) }
    }

    /// Thin devices of containers, with their layer ids.
    pub(super) fn thin_devices(&self) -> impl Iterator<Item = (DeviceNumber, &str)> {
        self.thin.iter().map(|(number, layer)| (*number, layer.as_str()))
    }

    pub(super) fn object(&self, mount: &Mount<'_>) -> Option<Object> {
        if mount.fs_type.starts_with(b"cgroup") {
            return None;
        }
        if let Some((kind, inode)) = namespace_link::parse(&mount.root()) {
            let id = format!("net:[{}]", inode.0);
            let network = Object { kind: LeftoverKind::NetworkNamespace, id, network: Some(inode) };
            return (kind == b"net").then_some(network);
        }
        if let Some(layer) = self.thin.get(&mount.device) {
            return Some(Object::new(LeftoverKind::ThinDevice, layer.as_bytes()));
        }
        let source = mount.source();
        if let Some(name) = source.strip_prefix(b"/dev/mapper/")
            && let Some(layer) = layer_of_device(name)
        {
            return Some(Object::new(LeftoverKind::ThinDevice, layer));
        }
        by_path(&mount.mount_point()).or_else(|| by_storage(mount))
    }
}

/// `docker-MAJOR:MINOR-INODE-LAYER` (moby devmapper), `container-…-LAYER` (containers/storage).
fn layer_of_device(name: &[u8]) -> Option<&[u8]> {
    let rest = name.strip_prefix(b"docker-").or(name.strip_prefix(b"container-"))?;
    let rest = rest.strip_suffix(b"-init").unwrap_or(rest);
    rest.rsplit(|&b| b == b'-').next().filter(|id| is_id(id))
}

/// Where runtimes mount what is a container's. The pattern must end where the mount point ends, anything may
/// stand before it (`/rootfs`).
fn by_path(point: &[u8]) -> Option<Object> {
    use LeftoverKind::{PodVolume, RootFileSystem, Secrets, Shm};
    let parts: Vec<&[u8]> = components(point).collect();
    let found = |kind, id: &[u8]| Some(Object::new(kind, id));
    if let Some(at) = parts.windows(2).position(|w| w == [&b"kubelet"[..], b"pods"]) {
        return match parts.get(at + 2..) {
            Some([uid, b"volumes" | b"volume-subpaths", _, ..]) if is_pod(uid) => found(PodVolume, uid),
            _ => None,
        };
    }
    match parts[..] {
        [.., b"devicemapper", b"mnt", id]
        | [.., b"aufs", b"mnt", id]
        | [.., b"btrfs", b"subvolumes", id]
        | [.., b"zfs", b"graph", id]
        | [.., b"overlay" | b"overlay2", id, b"merged"]
            if is_id(bare(id)) =>
        {
            found(RootFileSystem, bare(id))
        }
        [.., b"io.containerd.runtime.v2.task" | b"io.containerd.runtime.v1.linux", _, id, b"rootfs"] => {
            found(RootFileSystem, id)
        }
        [.., b"containers", id, b"shm"]
        | [.., b"containers", id, b"mounts", b"shm"]
        | [.., b"overlay-containers", id, b"userdata", b"shm"]
        | [.., b"sandboxes", id, b"shm"]
            if is_id(id) =>
        {
            found(Shm, id)
        }
        [.., b"containers", id, b"secrets"] | [.., b"containers", id, b"mounts", b"secrets"] if is_id(id) => {
            found(Secrets, id)
        }
        _ => None,
    }
}

/// A container's root file system wherever it is mounted, even at `/`.
fn by_storage(mount: &Mount<'_>) -> Option<Object> {
    let found = |id: &[u8]| Some(Object::new(LeftoverKind::RootFileSystem, id));
    if let Some(upper) = mount.super_option(b"upperdir") {
        let parts: Vec<&[u8]> = components(&upper).collect();
        return match parts[..] {
            [.., b"overlay" | b"overlay2", id, b"diff" | b"upper"] if is_id(bare(id)) => found(bare(id)),
            [.., b"io.containerd.snapshotter.v1.overlayfs", b"snapshots", number, b"fs"] => {
                found(&[b"snapshot ", number].concat())
            }
            _ => None,
        };
    }
    let source = mount.source();
    let root = mount.root();
    match mount.fs_type {
        b"zfs" => components(&source).next_back().map(bare).filter(|id| is_id(id)).and_then(found),
        b"btrfs" => {
            let parts: Vec<&[u8]> = components(&root).collect();
            parts
                .windows(2)
                .find(|w| w[0] == b"subvolumes" && is_id(bare(w[1])))
                .and_then(|w| found(bare(w[1])))
        }
        _ => None,
    }
}

/// The layer id without what drivers append for layers in the making and in removal.
fn bare(id: &[u8]) -> &[u8] {
    id.strip_suffix(b"-init").or(id.strip_suffix(b"-removing")).unwrap_or(id)
}

fn is_id(id: &[u8]) -> bool {
    id.len() == 64 && id.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_pod(uid: &[u8]) -> bool {
    uid.len() >= 32 && uid.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-'))
}

/// Whether the file that pins a network namespace is one that container runtimes make: docker's sandboxes
/// (libnetwork `osl/namespace_linux.go`: 12 digits), CNI's `cni-UUID` and podman's `netns-UUID`.
pub(super) fn is_runtime_network(point: &[u8]) -> bool {
    let parts: Vec<&[u8]> = components(point).collect();
    match parts[..] {
        [.., b"docker", b"netns", name] => is_sandbox(name),
        [.., b"netns", name] => name.starts_with(b"cni-") || name.starts_with(b"netns-"),
        _ => false,
    }
}

fn is_sandbox(name: &[u8]) -> bool {
    name.len() == 12 && name.iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn kind(path: &str) -> Option<LeftoverKind> {
        by_path(path.replace("ID", ID).as_bytes()).map(|o| o.kind)
    }

    #[test]
    fn each_runtimes_places_are_known_below_any_prefix() {
        use LeftoverKind::*;
        for prefix in ["", "/rootfs", "/host/x"] {
            for (path, wanted) in [
                ("/var/lib/docker/overlay2/ID/merged", RootFileSystem),
                ("/data/docker/aufs/mnt/ID", RootFileSystem),
                ("/var/lib/docker/devicemapper/mnt/ID-init", RootFileSystem),
                ("/var/lib/docker/containers/ID/mounts/shm", Shm),
                ("/run/containerd/io.containerd.runtime.v2.task/k8s.io/web/rootfs", RootFileSystem),
                ("/run/containerd/io.containerd.grpc.v1.cri/sandboxes/ID/shm", Shm),
                ("/var/lib/containers/storage/overlay/ID/merged", RootFileSystem),
                ("/run/containers/storage/overlay-containers/ID/userdata/shm", Shm),
                ("/var/lib/kubelet/pods/12345678-1234-1234-1234-123456789abc/volumes/x/y", PodVolume),
            ] {
                assert_eq!(kind(&format!("{prefix}{path}")), Some(wanted), "{prefix}{path}");
            }
        }
    }

    #[test]
    fn what_only_looks_like_it_is_not_a_containers() {
        for path in [
            "/var/lib/docker/overlay2",
            "/var/lib/docker/overlay2/ID",
            "/var/lib/docker/overlay2/l/merged",
            "/var/lib/docker/overlay2/xID/merged",
            "/srv/containers/backup/shm",
            "/var/lib/docker/containers/ID/shm/deeper",
            "/var/lib/kubelet/pods",
            "/var/lib/mykubelet/pods-ID/volumes/x/y",
        ] {
            assert_eq!(kind(path), None, "{path}");
        }
        assert!(is_runtime_network(b"/rootfs/run/docker/netns/0a1b2c3d4e5f"));
        assert!(!is_runtime_network(b"/run/docker/netns/default"));
        assert!(!is_runtime_network(b"/run/netns/qrouter-1"));
    }
}
