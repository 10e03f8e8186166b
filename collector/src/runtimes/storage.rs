//! containers/storage, which podman and CRI-O share: `DRIVER-containers/containers.json` below the graph root.
//!
//! States are kept elsewhere: CRI-O's in `userdata/state.json`, podman's in a database. A podman container's state
//! is therefore only known while its pid file names a process.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Container, json as read_json, time};
use crate::context::{Context, Fact, Runtime};
use crate::watchdog::Batch;

const DRIVERS: [&str; 5] = ["overlay", "vfs", "btrfs", "zfs", "devicemapper"];

pub(super) fn read(context: &Context, facts: &[Fact], batch: &mut Batch<Fact>) -> Vec<Container> {
    let mut containers = Vec::new();
    for root in graph_roots(context, facts) {
        for driver in DRIVERS {
            let path = format!("{root}/{driver}-containers/containers.json");
            let Some(Value::Array(list)) = read_json(context, &path, batch) else { continue };
            let known = list.iter().filter_map(|entry| container(context, &root, driver, entry, batch));
            containers.extend(known.collect::<Vec<_>>());
        }
    }
    containers
}

/// The default, `storage.conf`'s, and those that `conmon` processes and mounted overlays tell (rootless ones too).
fn graph_roots(context: &Context, facts: &[Fact]) -> BTreeSet<String> {
    let mut roots = BTreeSet::from(["var/lib/containers/storage".to_owned()]);
    for fact in facts {
        if let Fact::Directory { runtime: Runtime::Storage, path } = fact
            && let Ok(path) = std::str::from_utf8(path)
        {
            roots.insert(path.trim_matches('/').to_owned());
        }
    }
    for config in ["etc/containers/storage.conf", "usr/share/containers/storage.conf"] {
        let Ok(content) = context.root.read(config.as_bytes(), 1 << 20) else { continue };
        let text = String::from_utf8_lossy(&content.bytes).into_owned();
        let value = |line: &str| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == "graphroot").then(|| value.trim().trim_matches('"').trim_matches('/').to_owned())
        };
        roots.extend(text.lines().filter_map(value));
    }
    roots.remove("");
    roots
}

fn container(
    context: &Context,
    root: &str,
    driver: &str,
    entry: &Value,
    batch: &mut Batch<Fact>,
) -> Option<Container> {
    let id = entry["id"].as_str()?;
    // An id becomes part of a path here.
    if id.contains('/') || id.starts_with('.') {
        return None;
    }
    let layer = entry["layer"].as_str();
    // A JSON text in a JSON field. Of it, only names: it also holds labels.
    let metadata: Value =
        entry["metadata"].as_str().and_then(|m| serde_json::from_str(m).ok()).unwrap_or_default();
    let state = read_json(context, &format!("{root}/{driver}-containers/{id}/userdata/state.json"), batch);
    let is_crio = state.is_some() || !metadata["pod-name"].is_null();
    let state = state.unwrap_or_default();
    let pid = state["pid"].as_u64().filter(|pid| *pid > 0).or_else(|| pid_file(context, root, driver, id));
    let word = state["status"].as_str().map(|word| if word == "stopped" { "exited" } else { word });
    let value = json!({
        "runtime": if is_crio { "crio" } else { "podman" },
        "id": id,
        "name": entry["names"][0].as_str().or(metadata["name"].as_str()),
        "image": metadata["image-name"].as_str(),
        "pod": metadata["pod-name"].as_str(),
        "state": word.or(pid.map(|_| "running")),
        "pid": pid,
        "started_at": time(&state["started"]),
        "finished_at": time(&state["finished"]),
        "driver": driver,
        "layer_id": layer,
        "layer_path": layer.filter(|_| driver == "overlay").map(|layer| format!("/{root}/overlay/{layer}/merged")),
    });
    match value {
        Value::Object(container) => Some(container),
        _ => None,
    }
}

/// podman's pid file, in the run root. Only root's is looked for: a user's is where only its processes tell.
fn pid_file(context: &Context, root: &str, driver: &str, id: &str) -> Option<u64> {
    let run_root = if root == "var/lib/containers/storage" { "run/containers/storage" } else { return None };
    let path = format!("{run_root}/{driver}-containers/{id}/userdata/pidfile");
    let text = context.root.read(path.as_bytes(), 64).ok()?.bytes;
    let pid: u64 = std::str::from_utf8(&text).ok()?.trim().parse().ok()?;
    // The file outlives the process.
    context.proc.dir.exists(pid.to_string().as_bytes()).then_some(pid)
}
