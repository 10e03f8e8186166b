//! What kind of object is busy, under which storage driver, and who says so.

use super::busy_error::BusyKind;
use super::clauses::Operation;
use super::objects;

/// Storage drivers as docker, podman and containerd name them.
const DRIVERS: [&str; 12] = [
    "devicemapper",
    "aufs",
    "overlay2",
    "overlay",
    "overlayfs",
    "btrfs",
    "zfs",
    "vfs",
    "fuse-overlayfs",
    "devmapper",
    "windowsfilter",
    "native",
];

/// Storage driver or kind of object. What lies in the path decides first (`…/shm` is busy for a reason
/// of its own, whatever the driver), then the driver that the message names, then the rest.
pub(crate) fn driver(lower: &str, path: Option<&str>, device: Option<&str>) -> Option<String> {
    let special = path.and_then(special_path);
    let named = || named_driver(lower);
    // The path of a CSI volume does not tell what is behind it, the tool that speaks does.
    let by_path = || path.and_then(driver_of_path).filter(|d| d != "csi" || driver_of_text(lower).is_none());
    let by_device = || device.and_then(|d| driver_of_device(d, lower));
    let found = special.map(str::to_owned).or_else(named).or_else(by_path).or_else(by_device);
    let found = found.or_else(|| driver_of_text(lower).map(str::to_owned));
    // containerd's snapshotter has another name for the same.
    found.map(|d| if d == "devmapper" { "devicemapper".to_owned() } else { d })
}

fn special_path(path: &str) -> Option<&'static str> {
    let has = |part: &str| path.contains(part);
    let last = path.rsplit('/').find(|c| !c.is_empty()).unwrap_or_default();
    if has("/cgroup/") || path.ends_with("/cgroup") {
        return Some("cgroup");
    }
    if has("/netns/") {
        return Some("netns");
    }
    if has("/utsns/") || has("/ipcns/") || has("/userns/") || has("/pidns/") {
        return Some("namespace");
    }
    if has("/plugins/") && !has("/kubelet/") {
        return Some("plugin");
    }
    if has("/volume-subpaths/") {
        return Some("bind");
    }
    match last {
        "shm" => return Some("shm"),
        "mqueue" => return Some("mqueue"),
        "secrets" => return Some("secrets-tmpfs"),
        _ if has("/secrets/") || has("/mounts/secrets") => return Some("secrets-tmpfs"),
        _ if last.starts_with("runc.") && has("/runc/") => return Some("bind"),
        _ if last.starts_with(".nfs") => return Some("nfs"),
        _ => {}
    }
    None
}

/// `driver "overlay"`, `Driver aufs`, `storage-driver=overlay2`, `from driver devicemapper`.
fn named_driver(lower: &str) -> Option<String> {
    let mut words = lower
        .split(|c: char| c.is_whitespace() || "\"'=:,()[]".contains(c))
        .filter(|w| !w.is_empty())
        .peekable();
    while let Some(word) = words.next() {
        if (word.ends_with("driver") || word == "graphdriver")
            && let Some(name) = words.peek().filter(|n| DRIVERS.contains(n))
        {
            return Some((*name).to_owned());
        }
    }
    None
}

fn driver_of_path(path: &str) -> Option<String> {
    if let Some((_, plugin)) = path.split_once("/kubernetes.io~") {
        return Some(volume_plugin(plugin.split('/').next().unwrap_or(plugin)));
    }
    if let Some((_, plugin)) = path.split_once("/kubelet/plugins/kubernetes.io/") {
        return Some(volume_plugin(plugin.split('/').next().unwrap_or(plugin)));
    }
    // The kubelet calls the directory of a flexvolume driver `VENDOR~DRIVER`.
    if path.split_once("/volumes/").is_some_and(|(_, t)| t.split('/').next().is_some_and(|d| d.contains('~')))
    {
        return Some("flexvolume".to_owned());
    }
    if let Some((_, tail)) = path.split_once("io.containerd.snapshotter.v1.") {
        return Some(tail.split('/').next().unwrap_or(tail).to_owned());
    }
    if path.contains("io.containerd.runtime.")
        || path.contains("/containerd/tmpmounts")
        || path.contains("/run/containerd/") && path.ends_with("/rootfs")
    {
        return Some("overlayfs".to_owned());
    }
    let parts: Vec<&str> = path.split('/').collect();
    let component = parts.iter().rev().find(|p| DRIVERS.contains(p) && **p != "native");
    if let Some(name) = component {
        return Some((*name).to_owned());
    }
    // A layer's directory by its relative path.
    if let [.., id, "merged"] = parts.as_slice()
        && objects::is_full_id(id)
    {
        return Some("overlay2".to_owned());
    }
    // `overlay-containers/ID/userdata`: podman's run directory under that driver.
    let run = parts.iter().find_map(|p| p.strip_suffix("-containers").filter(|d| DRIVERS.contains(d)));
    run.map(str::to_owned)
        .or_else(|| objects::is_block_node(path).then(|| driver_of_device(path, "")).flatten())
}

/// Kubernetes' volume plugin as a kind: `kubernetes.io~secret` is a tmpfs of secrets.
fn volume_plugin(name: &str) -> String {
    match name {
        "secret" => "secret-tmpfs".to_owned(),
        name => name.to_owned(),
    }
}

fn driver_of_device(device: &str, lower: &str) -> Option<String> {
    let name = device.strip_prefix("/dev/").unwrap_or(device);
    let lvm = ["logical volume", "lvremove", "lvchange", "volume group"];
    let found = if lower.contains("device-mapper:") {
        "devicemapper"
    } else if lower.contains("mdadm:") {
        // Its advice speaks of an "active volume group", which makes nothing a logical volume.
        "md"
    } else if lvm.iter().any(|w| lower.contains(w)) {
        "lvm"
    } else if name.starts_with("loop") {
        "loop"
    } else if name.starts_with("rbd") || lower.contains("rbd:") || lower.contains("rbd ") {
        "rbd"
    } else if name.starts_with("nbd") {
        "nbd"
    } else if name.starts_with("md") {
        "md"
    } else if name.starts_with("drbd") {
        "drbd"
    } else if name.starts_with("zd")
        || name.starts_with("zvol/")
        || ["dataset is busy", "pool is busy", "zfs "].iter().any(|w| lower.contains(w))
    {
        "zfs"
    } else if name.contains("docker-") || objects::is_full_id(name) {
        "devicemapper"
    } else if name.starts_with("luks") || lower.contains("crypt") {
        "dm-crypt"
    } else if name.starts_with("mapper/") || name.starts_with("dm-") || lower.contains("device-mapper") {
        "devicemapper"
    } else {
        return None;
    };
    Some(found.to_owned())
}

/// Where neither path nor device tells: the tool that speaks.
fn driver_of_text(lower: &str) -> Option<&'static str> {
    const TOOLS: [(&str, &str); 38] = [
        ("rbd:", "rbd"),
        ("rbd unmap", "rbd"),
        ("losetup", "loop"),
        ("loop device", "loop"),
        ("device-mapper", "devicemapper"),
        ("devmapper", "devicemapper"),
        ("devicemapper", "devicemapper"),
        ("libdevmapper", "devicemapper"),
        ("deviceset.go", "devicemapper"),
        ("waiting for device", "devicemapper"),
        ("failed to remove device", "devicemapper"),
        ("unmounting device", "devicemapper"),
        ("overlayfs:", "overlay"),
        ("overlay mount", "overlay"),
        ("network namespace", "netns"),
        ("failed to unmount ns", "netns"),
        ("cgroup", "cgroup"),
        ("zfs", "zfs"),
        ("dataset is busy", "zfs"),
        ("pool is busy", "zfs"),
        ("pool or dataset is busy", "zfs"),
        ("btrfs", "btrfs"),
        ("subvolume", "btrfs"),
        ("unmount secrets", "secrets-tmpfs"),
        ("unmount ipc", "shm"),
        ("unmount shm", "shm"),
        ("mdadm", "md"),
        ("drbd", "drbd"),
        ("held open by someone", "drbd"),
        ("multipath", "multipath"),
        ("map in use", "multipath"),
        ("mount.cifs", "cifs"),
        ("umount.nfs", "nfs"),
        ("mount.nfs", "nfs"),
        ("fusermount", "fuse"),
        (" overlay2:", "overlay2"),
        (" overlay:", "overlay"),
        ("aufs", "aufs"),
    ];
    TOOLS.iter().find(|(word, _)| lower.contains(word)).map(|(_, driver)| *driver)
}

/// Runtime of a program's name as syslog has it.
pub(crate) fn runtime_of_program(program: &str) -> Option<&'static str> {
    const PROGRAMS: [(&str, &str); 26] = [
        ("dockerd", "docker"),
        ("docker", "docker"),
        ("docker-current", "docker"),
        ("dockerd-current", "docker"),
        ("docker-containerd", "docker"),
        ("containerd", "containerd"),
        ("k3s", "containerd"),
        ("kubelet", "kubelet"),
        ("kubelet-wrapper", "kubelet"),
        ("hyperkube", "kubelet"),
        ("crio", "crio"),
        ("cri-o", "crio"),
        ("podman", "podman"),
        ("conmon", "podman"),
        ("buildah", "buildah"),
        ("lxd", "lxd"),
        ("lxd.daemon", "lxd"),
        ("incusd", "incus"),
        ("lxc-start", "lxc"),
        ("runc", "runc"),
        ("crun", "crun"),
        ("nomad", "nomad"),
        ("rkt", "rkt"),
        ("systemd-nspawn", "systemd-nspawn"),
        ("rexray", "rexray"),
        ("convoy", "convoy"),
    ];
    PROGRAMS.iter().find(|(name, _)| *name == program).map(|(_, runtime)| *runtime)
}

/// Who wrote the message: the program of the log's header, else the words that only one of them uses.
pub(crate) fn runtime(lower: &str, program: Option<&str>) -> Option<String> {
    const WORDS: [(&str, &str); 37] = [
        ("error response from daemon", "docker"),
        ("buildah", "buildah"),
        ("crio", "crio"),
        ("cri-o", "crio"),
        ("libpod", "podman"),
        ("podman", "podman"),
        ("root filesystem: 1 error occurred", "podman"),
        ("removing storage for container", "podman"),
        ("cleaning up storage", "podman"),
        ("overlay-containers", "podman"),
        ("containers/storage", "podman"),
        ("lxd", "lxd"),
        ("incus", "incus"),
        ("lxc", "lxc"),
        ("kubernetes.io~", "kubelet"),
        ("unmountvolume", "kubelet"),
        ("/kubelet/", "kubelet"),
        ("io.containerd.", "containerd"),
        ("containerd", "containerd"),
        ("handler for ", "docker"),
        ("container_delete", "docker"),
        ("cannot destroy container", "docker"),
        ("failed to remove root filesystem", "docker"),
        ("unable to remove filesystem for", "docker"),
        ("error removing mounted layer", "docker"),
        ("error during layer", "docker"),
        ("deviceset.go", "docker"),
        ("server.go", "docker"),
        ("waiting for device", "docker"),
        ("unmounting device", "docker"),
        ("/var/lib/docker", "docker"),
        ("/docker/", "docker"),
        ("docker", "docker"),
        ("-job rm(", "docker"),
        ("oci runtime", "docker"),
        ("/run/runc/", "runc"),
        ("runc", "runc"),
    ];
    let named = program.and_then(runtime_of_program);
    let found =
        named.or_else(|| WORDS.iter().find(|(word, _)| lower.contains(word)).map(|(_, runtime)| *runtime));
    found.map(str::to_owned)
}

/// The kind of object, on which the kernel's rules depend.
pub(crate) fn kind(
    lower: &str,
    operation: Operation,
    driver: Option<&str>,
    path: Option<&str>,
    device: Option<&str>,
) -> BusyKind {
    let has = |word: &str| lower.contains(word);
    match driver {
        Some("cgroup") => return BusyKind::Cgroup,
        Some("netns" | "namespace") => return BusyKind::NamespaceFile,
        _ => {}
    }
    if has("dataset is busy")
        || has("pool is busy")
        || has("btrfs snapshot")
        || operation == Operation::Dataset
    {
        return BusyKind::Dataset;
    }
    if has("overlay mount") || has("mount overlay:") || has("is in-use") || has("failed to mount overlay") {
        return BusyKind::OverlayMount;
    }
    if operation == Operation::Mount && matches!(driver, Some("overlay" | "overlay2" | "overlayfs")) {
        return BusyKind::OverlayMount;
    }
    if matches!(operation, Operation::Remove | Operation::Rename) && path.is_some() {
        return BusyKind::Directory;
    }
    if operation == Operation::Unmount || path.is_some() && (has("umount") || has("unmount")) {
        return BusyKind::Umount;
    }
    let by_mapper = driver == Some("devicemapper") && path.is_none();
    if device.is_some() || by_mapper || operation == Operation::Device {
        return BusyKind::Device;
    }
    match (path, operation) {
        (Some(_), _) => BusyKind::Directory,
        _ => BusyKind::Unknown,
    }
}

/// The container whose directory a path is, by the layouts of docker (`containers/ID`), podman and CRI-O
/// (`overlay-containers/ID`, `crio-ID.scope`, `libpod-ID.scope`), containerd (`…task/NAMESPACE/ID`,
/// `sandboxes/ID`) and the kubelet's cgroups (`podUID/ID`).
pub(crate) fn container_of_path(path: &str) -> Option<&str> {
    let parts: Vec<&str> = path.split('/').collect();
    for (i, part) in parts.iter().enumerate() {
        if let Some(id) = scope(part) {
            return Some(id);
        }
        if !objects::is_full_id(part) {
            continue;
        }
        let parent = i.checked_sub(1).and_then(|n| parts.get(n)).copied().unwrap_or_default();
        let task = path.contains("io.containerd.runtime.")
            || path.contains("/runtime-runc/")
            || path.contains("/libcontainerd/");
        let pod = parent.starts_with("pod") && parent.len() > 8 || parent.starts_with("kubepods");
        if task || pod || parent == "containers" || parent == "sandboxes" || parent.ends_with("-containers") {
            return Some(part);
        }
    }
    None
}

/// `crio-ID.scope`, `docker-ID.scope`, `libpod-ID.scope`, `cri-containerd-ID.scope`.
fn scope(part: &str) -> Option<&str> {
    let name = part.strip_suffix(".scope").unwrap_or(part);
    let wrapped = [
        "crio-conmon-",
        "crio-",
        "docker-",
        "libpod-conmon-",
        "libpod-payload-",
        "libpod-",
        "cri-containerd-",
    ];
    wrapped.iter().find_map(|p| name.strip_prefix(p)).filter(|id| objects::is_full_id(id))
}
