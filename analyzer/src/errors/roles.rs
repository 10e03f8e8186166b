//! From the operands and tokens of one message to its facts: which id is the container's, which path
//! or device is busy, which ids are others'. And whether the message is a busy error at all.

use super::busy_error::BusyKind;
use super::classify;
use super::clauses::{Operation, Role};
use super::matching::{self, Operand};
use super::objects::{self, Token};
use super::proof::Proof;
use super::wording::{self, Hit};
use crate::order;

/// What one message says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) container_id: Option<String>,
    pub(crate) other_ids: Vec<String>,
    pub(crate) path: Option<String>,
    pub(crate) device: Option<String>,
    pub(crate) driver: Option<String>,
    pub(crate) runtime: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) busy: BusyKind,
    /// Docker's `-job rm(ID) = ERR (1)`, which only follows the error that it belongs to.
    pub(crate) follow_up: bool,
}

/// Reads a message; `None` where it is not about a busy mount, device or container.
pub(crate) fn interpret(text: &str, program: Option<&str>) -> Option<Facts> {
    let lower = text.to_ascii_lowercase();
    let hit = wording::find(&lower)?;
    let operands = matching::apply(text, &lower);
    let tokens = objects::paths(text);
    let (path, operation) = busy_path(text, &hit, &operands, &tokens);
    let device = busy_device(text, &hit, &operands, &tokens);
    // `umount: /dev/sdb1: target is busy`: the path is the device.
    let path = path.filter(|p| !objects::is_block_node(p));

    if over_a_file(&lower, path.as_deref(), operation)
        || !concerns_storage(&lower, &hit, &operands, path.as_deref(), device.as_deref(), program)
    {
        return None;
    }
    let (container_id, name) = container(text, &operands, path.as_deref());
    let other_ids = other_ids(text, &operands, container_id.as_deref(), name.as_deref(), path.as_deref());
    let driver = classify::driver(&lower, path.as_deref(), device.as_deref());
    let runtime = classify::runtime(&lower, program);
    let busy = classify::kind(&lower, operation, driver.as_deref(), path.as_deref(), device.as_deref());
    let follow_up = lower.contains("= err (1)") && hit.proof == Proof::Word;
    Some(Facts { container_id, other_ids, path, device, driver, runtime, name, busy, follow_up })
}

/// The path that was busy: of the clauses the one nearest before the wording, else the nearest path
/// before it, else the first after it.
fn busy_path(text: &str, hit: &Hit, operands: &[Operand], tokens: &[Token]) -> (Option<String>, Operation) {
    let clause_path = |o: &&Operand| o.role == Role::Path;
    let before = operands.iter().filter(clause_path).filter(|o| o.start < hit.start);
    // Of two clauses at one place the longer literal (the earlier row) knows better.
    if let Some(o) = before.max_by_key(|o| (o.start, std::cmp::Reverse(o.row))) {
        return (Some(clean_path(&o.value)), operation(operands, hit, Some(o)));
    }
    let after = operands.iter().filter(clause_path).filter(|o| o.start > hit.start);
    let after = after.min_by_key(|o| (o.start, o.row));
    // `[Errno 16] Device or resource busy: 'PATH'` is as good as a clause before.
    if let Some(o) = after.filter(|o| o.start < hit.start + 64) {
        return (Some(clean_path(&o.value)), operation(operands, hit, Some(o)));
    }
    let free = |t: &&Token| names_storage(text, t);
    if let Some(t) = tokens.iter().filter(free).rfind(|t| t.start < hit.start && !mount_option(text, t)) {
        return (Some(clean_path(t.text)), operation(operands, hit, None));
    }
    if let Some(o) = after {
        return (Some(clean_path(&o.value)), operation(operands, hit, Some(o)));
    }
    let after = tokens.iter().filter(free).find(|t| t.start > hit.start);
    let upper = tokens.iter().find(|t| text[..t.start].ends_with("upperdir="));
    let path = after.or(upper).map(|t| clean_path(t.text));
    (path, operation(operands, hit, None))
}

fn operation(operands: &[Operand], hit: &Hit, path: Option<&Operand>) -> Operation {
    let known = |o: &&Operand| o.operation != Operation::None;
    if let Some(o) = path.filter(known) {
        return o.operation;
    }
    let nearest = operands.iter().filter(known).filter(|o| o.start < hit.start).max_by_key(|o| o.start);
    nearest.or_else(|| operands.iter().find(known)).map_or(Operation::None, |o| o.operation)
}

fn clean_path(path: &str) -> String {
    path.trim_end_matches(|c: char| c.is_whitespace()).to_owned()
}

/// False for paths that are no object: programs, API routes, sockets, blocks of source code.
fn names_storage(text: &str, token: &Token) -> bool {
    let path = token.text;
    let program = [
        "/bin/",
        "/sbin/",
        "/usr/bin/",
        "/usr/sbin/",
        "/usr/local/bin/",
        "/usr/local/sbin/",
        "/usr/lib/",
        "/usr/libexec/",
    ];
    !program.iter().any(|p| path.starts_with(p))
        && !is_route(text, token)
        && !path.ends_with(".sock")
        && !path.ends_with(".go")
        // Where a logger says it was called from.
        && !path.contains(".go:")
}

/// `/v1.30/containers/ID/start`, `/containers/web?force=1`: the API's, not a file's.
fn is_route(text: &str, token: &Token) -> bool {
    let path = token.text;
    let versioned = path.strip_prefix("/v").is_some_and(|p| p.starts_with(|c: char| c.is_ascii_digit()));
    let method =
        ["DELETE ", "POST ", "GET ", "PUT ", "HEAD "].iter().any(|m| text[..token.start].ends_with(m));
    versioned || method || path.starts_with("/containers/") || path.starts_with("/csi.v")
}

fn mount_option(text: &str, token: &Token) -> bool {
    let head = &text[..token.start];
    let word = head.rfind([' ', ',', '[', '"']).map_or(head, |n| &head[n + 1..]);
    ["lowerdir=", "upperdir=", "workdir=", "lowerdir+="].iter().any(|o| word.starts_with(o))
}

fn busy_device(text: &str, hit: &Hit, operands: &[Operand], tokens: &[Token]) -> Option<String> {
    let known = |o: &&Operand| matches!(o.role, Role::Device | Role::Dataset | Role::ContainerDevice);
    // What one clause calls a device and another, that knows more of the line, a path is a path.
    let is_path = |o: &Operand| operands.iter().any(|p| p.role == Role::Path && p.start == o.start);
    let real = |o: &&Operand| plausible_device(o) && !is_path(o);
    let nearest = operands
        .iter()
        .filter(known)
        .filter(real)
        .filter(|o| o.start < hit.start)
        .max_by_key(|o| (o.start, std::cmp::Reverse(o.row)));
    let nearest = nearest.or_else(|| operands.iter().filter(known).find(real));
    if let Some(o) = nearest {
        return Some(o.value.clone());
    }
    let node = |t: &&Token| objects::is_block_node(t.text);
    let before = tokens.iter().filter(node).rfind(|t| t.start < hit.start);
    if let Some(t) = before.or_else(|| tokens.iter().find(node)) {
        return Some(t.text.to_owned());
    }
    // A device-mapper name without its directory.
    let name = text.split([' ', '"', '\'', ',', '(', ')']).find(|w| is_docker_dm_name(w))?;
    Some(name.trim_end_matches(':').to_owned())
}

/// Words that follow `device` or `unmap` in a sentence.
const NO_DEVICES: [&str; 30] = [
    "mapper", "with", "that", "this", "failed", "error", "from", "name", "device", "image", "volume", "spec",
    "while", "for", "is", "the", "to", "a", "in", "on", "of", "was", "not", "has", "by", "and", "or", "at",
    "s", "busy",
];

/// Words such as `for` or `is` after `device` are no device.
fn plausible_device(operand: &Operand) -> bool {
    let value = operand.value.as_str();
    match operand.role {
        Role::Dataset => !value.starts_with('/'),
        _ => value.contains(['/', '-', '_', '.']) || objects::is_id(value) || !NO_DEVICES.contains(&value),
    }
}

/// `docker-8:3-7063782-511136ea…`: MAJOR:MINOR and inode of docker's root, then the device's id.
fn is_docker_dm_name(word: &str) -> bool {
    let mut parts = word.trim_end_matches(':').strip_prefix("docker-").unwrap_or_default().splitn(3, '-');
    let number =
        |p: Option<&str>| p.is_some_and(|p| p.contains(':') && p.starts_with(|c: char| c.is_ascii_digit()));
    number(parts.next()) && parts.next().is_some() && parts.next().is_some()
}

/// True for `rename` over (or removal of) a file that is a bind mount inside a container: there the
/// mount is on purpose, and nothing of the container's storage is held.
fn over_a_file(lower: &str, path: Option<&str>, operation: Operation) -> bool {
    const BOUND: [&str; 3] = ["/etc/resolv.conf", "/etc/hosts", "/etc/hostname"];
    let names_bound = |text: &str| BOUND.iter().any(|b| wording::word(text, b).is_some());
    let starting = lower.contains("to rootfs") || lower.contains("container init");
    if names_bound(lower) && !starting && path.is_none_or(|p| !in_storage(p)) {
        return true;
    }
    let renames = operation == Operation::Rename
        || [
            "cannot rename",
            "can't rename",
            "rb_file_s_rename",
            "os.rename",
            "' -> '",
            "cannot move",
            "rename '",
        ]
        .iter()
        .any(|r| lower.contains(r));
    renames && path.is_none_or(|p| !in_storage(p))
}

/// Below the directories where runtimes, kubelets and volumes keep what they mount.
fn in_storage(path: &str) -> bool {
    const ROOTS: [&str; 21] = [
        "docker",
        "containers",
        "containerd",
        "kubelet",
        "lxc",
        "lxd",
        "incus",
        "overlay",
        "overlay2",
        "aufs",
        "devicemapper",
        "crio",
        "rkt",
        "origin",
        "rancher",
        "libpod",
        "cgroup",
        "netns",
        "podman",
        "volumes",
        "runc",
    ];
    path.split('/')
        .any(|c| ROOTS.contains(&c) || c.starts_with("io.containerd.") || c.starts_with("overlay-"))
        || ["/mnt", "/media", "/srv"].iter().any(|r| path.starts_with(r))
}

/// Whether the wording is about a mount, a device or a container.
fn concerns_storage(
    lower: &str,
    hit: &Hit,
    operands: &[Operand],
    path: Option<&str>,
    device: Option<&str>,
    program: Option<&str>,
) -> bool {
    let has = |words: &[&str]| words.iter().any(|w| lower.contains(w));
    let operated = operands.iter().any(|o| o.operation != Operation::None);
    let kernel_file = |p: &str| {
        (p.starts_with("/sys/") || p.starts_with("/proc/")) && !p.contains("/cgroup/") && !p.contains("/ns/")
    };
    let windows = path.is_none() && (lower.contains(":\\") || lower.contains(":/users"));
    match hit.proof {
        Proof::Storage => true,
        _ if windows || path.is_some_and(kernel_file) => false,
        Proof::Errno => {
            operated
                || device.is_some()
                || path.is_some_and(in_storage)
                || path.is_some()
                    && has(&[
                        "mount",
                        "rmdir",
                        "rmtree",
                        "remove",
                        "removing",
                        "delete",
                        "unlink",
                        "rm:",
                        "rm_rf",
                        "filesystemexception",
                        "apply2files",
                        "clean",
                    ])
                || has(CONTEXT)
                || program.is_some_and(|p| classify::runtime_of_program(p).is_some())
        }
        Proof::Word => {
            let busy = wording::word(lower, "busy").is_some();
            let device_in_use = operands.iter().any(|o| {
                matches!(o.role, Role::Device) && o.operation == Operation::Device && o.start < hit.start + 64
            });
            device_in_use && !lower.contains("image is in use")
                || busy
                    && operated
                    && (path.is_some()
                        || device.is_some()
                        || operands.iter().any(|o| objects::is_long_id(&o.value)))
                || lower.contains("-job rm(") && lower.contains("= err (1)")
        }
    }
}

/// Words of runtimes and storage that make a bare `EBUSY` theirs.
const CONTEXT: &[&str] = &[
    "error response from daemon",
    "handler for ",
    "/containers/",
    "container",
    "sandbox",
    "oci runtime",
    "layer",
    "snapshot",
    "overlay",
    "aufs",
    "cgroup",
    "devmapper",
    "device-mapper",
    "devicemapper",
    "umount",
    "unmount",
    "mount failed",
    "failed to mount",
    "rbd",
    "zfs",
    "btrfs",
    "lvremove",
    "lvchange",
    "losetup",
    "loop device",
    "netns",
    "network namespace",
    "graphdriver",
    "storage-driver",
    "podman",
    "dockerd",
    "kubelet",
    "lxc",
    "lxd",
    "incus",
    "mdadm",
    "dmsetup",
    "mount.nfs",
    "mount error",
    "mount.cifs",
    "cryptsetup",
    "vgchange",
    "wipefs",
    "mkfs",
    "failedmount",
    "pod_workers",
];

/// The container: by the first clause that names a full id, else by the path, else by the first
/// clause that names a short one. Its name, where a clause gives one instead of an id.
fn container(text: &str, operands: &[Operand], path: Option<&str>) -> (Option<String>, Option<String>) {
    let mut ids: Vec<&Operand> = operands
        .iter()
        .filter(|o| matches!(o.role, Role::Container | Role::ContainerId | Role::ContainerDevice))
        .collect();
    order::sort_by_key(&mut ids, |o| (o.role == Role::ContainerDevice, o.row));
    let route = route_container(text);
    let named = ids.iter().map(|o| o.value.trim_start_matches('/')).filter(|_| true);
    let name = named.clone().chain(route).find(|v| !objects::is_id(v)).map(str::to_owned);
    let others: Vec<&str> =
        operands.iter().filter(|o| o.role == Role::OtherId).map(|o| o.value.as_str()).collect();
    let full = named.clone().find(|v| objects::is_full_id(v));
    let full = full.or_else(|| route.filter(|v| objects::is_full_id(v)));
    let full = full.or_else(|| path.and_then(classify::container_of_path)).or_else(|| {
        objects::paths(text)
            .iter()
            .filter(|t| !is_route(text, t))
            .find_map(|t| classify::container_of_path(t.text))
    });
    let full = full.filter(|v| !others.contains(v));
    let short = || named.clone().chain(route).find(|v| objects::is_id(v));
    // A short form in a clause and the full one elsewhere in the line.
    let id = full.or_else(|| {
        let short = short()?;
        objects::ids_in(text)
            .iter()
            .map(|t| t.text)
            .find(|id| objects::is_full_id(id) && id.starts_with(short))
            .or(Some(short))
    });
    (id.map(str::to_owned), name.or_else(|| compose_name(text)))
}

/// The container of an API route: `DELETE /v1.30/containers/ID`, not docker's `{name:.*}`.
fn route_container(text: &str) -> Option<&str> {
    let token =
        objects::paths(text).into_iter().find(|t| is_route(text, t) && t.text.contains("/containers/"))?;
    let (_, tail) = token.text.split_once("/containers/")?;
    let id = tail.split(['/', '?', ' ']).next()?;
    (!id.is_empty() && !id.contains('{') && !["create", "json", "prune"].contains(&id)).then_some(id)
}

/// `ERROR: for web_1  Driver …`, docker-compose's way to name the service's container.
fn compose_name(text: &str) -> Option<String> {
    let (_, tail) = text.split_once("ERROR: for ").or_else(|| text.strip_prefix("for ").map(|t| ("", t)))?;
    tail.split(' ').next().filter(|n| !n.is_empty()).map(str::to_owned)
}

/// The ids that are not the container's: of clauses, paths and devices, in the order of the text.
fn other_ids(
    text: &str,
    operands: &[Operand],
    container: Option<&str>,
    name: Option<&str>,
    path: Option<&str>,
) -> Vec<String> {
    let mut found: Vec<(usize, String)> = Vec::new();
    for o in operands {
        let id = matches!(
            o.role,
            Role::Container | Role::ContainerId | Role::OtherId | Role::ContainerDevice | Role::Device
        ) && (objects::is_id(&o.value) || objects::is_uuid(&o.value) && o.role == Role::OtherId);
        if id {
            found.push((o.start, o.value.clone()));
        }
    }
    if let Some(id) = route_container(text).filter(|id| objects::is_id(id)) {
        found.push((text.find(id).unwrap_or(0), id.to_owned()));
    }
    for token in objects::ids_in(text) {
        let digest = text[..token.start].ends_with("sha256:");
        let named = name.is_some_and(|n| n.contains(token.text));
        if !digest && !named && (objects::is_full_id(token.text) || in_object(text, &token)) {
            found.push((token.start, token.text.to_owned()));
        }
    }
    for token in objects::paths(text) {
        let at = |id: &str| (token.start + token.text.find(id).unwrap_or(0), id.to_owned());
        found.extend(pod_of(token.text).map(at));
    }
    if let Some(path) = path {
        found.extend(pod_of(path).map(|id| (text.find(id).unwrap_or(0), id.to_owned())));
        found.extend(netns_of(path).map(|id| (text.find(id).unwrap_or(0), id.to_owned())));
    }
    order::sort(&mut found);
    let mut ids: Vec<String> = Vec::new();
    for (_, id) in found {
        let short_of_known = ids.contains(&id);
        if Some(id.as_str()) != container && !short_of_known {
            ids.push(id);
        }
    }
    ids
}

/// A shorter id counts where it is part of a path or device, not in a job's or a commit's bracket. 32 digits name
/// pods, but also volume groups, bricks and whatever else is called by a UUID without hyphens.
fn in_object(text: &str, token: &Token) -> bool {
    if token.text.len() == 32 && !text[..token.start].ends_with("pod") {
        return false;
    }
    let word = text[..token.start].rfind([' ', '"', '\'', '=']).map_or(0, |n| n + 1);
    text[word..token.start].contains('/') || text[word..token.start].starts_with("docker-")
}

/// `…/pods/UID/volumes/…` and `…/podUID/…` of a cgroup.
fn pod_of(path: &str) -> Option<&str> {
    let mut last = "";
    for part in path.split('/') {
        if let Some(uid) = part.strip_prefix("pod").filter(|uid| objects::is_uuid(uid)) {
            return Some(uid);
        }
        if last == "pods" && objects::is_uuid(part) {
            return Some(part);
        }
        last = part;
    }
    None
}

/// The name of a network namespace, where it is made by a machine.
fn netns_of(path: &str) -> Option<&str> {
    let (_, name) = path.split_once("/netns/")?;
    let made = name.len() >= 8 && name.bytes().any(|b| b.is_ascii_digit()) && !name.contains('/');
    made.then_some(name)
}
