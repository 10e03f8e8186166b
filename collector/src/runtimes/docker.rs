//! docker: `containers/ID/config.v2.json` and `image/DRIVER/layerdb/mounts` below its data root.
//!
//! The layout is moby's (`container/container.go`, `layer/filestore.go`). The data root is where the running daemon's
//! command line, `daemon.json` or the upper directories of mounted overlays say, else `/var/lib/docker`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Container, STATE_MAX, json as read_json, names, time};
use crate::bundle::Entry;
use crate::context::{Context, Fact, Runtime};
use crate::watchdog::Batch;

pub(super) fn read(context: &Context, facts: &[Fact], batch: &mut Batch<Fact>) -> Vec<Container> {
    let mut containers = Vec::new();
    for root in data_roots(context, facts, batch) {
        let layers = layers(context, &root, batch);
        for id in names(context, &format!("{root}/containers"), batch) {
            let path = format!("{root}/containers/{id}/config.v2.json");
            // Dockers before 1.8 have config.json.
            let old = format!("{root}/containers/{id}/config.json");
            let config = read_json(context, &path, batch).or_else(|| read_json(context, &old, batch));
            if let Some(config) = config {
                containers.push(container(&root, &id, &config, layers.get(&id)));
            }
        }
    }
    containers
}

/// Every directory that may be a data root, without a leading slash.
fn data_roots(context: &Context, facts: &[Fact], batch: &mut Batch<Fact>) -> BTreeSet<String> {
    let mut roots = BTreeSet::from(["/var/lib/docker".to_owned()]);
    let mut configs = BTreeSet::from(["/etc/docker/daemon.json".to_owned()]);
    for fact in facts {
        let Fact::Directory { runtime, path } = fact else { continue };
        let Ok(path) = String::from_utf8(path.clone()) else { continue };
        match runtime {
            Runtime::Docker => roots.insert(path),
            Runtime::DockerConfig => configs.insert(path),
            _ => false,
        };
    }
    for config in configs {
        let Some(config) = read_json(context, config.trim_start_matches('/'), batch) else { continue };
        for key in ["data-root", "graph"] {
            roots.extend(config[key].as_str().filter(|path| path.starts_with('/')).map(str::to_owned));
        }
    }
    let mut plain: BTreeSet<String> = roots.iter().map(|root| root.trim_matches('/').to_owned()).collect();
    plain.remove("");
    // With userns-remap everything lies one level deeper, in UID.GID.
    for root in plain.clone() {
        let remapped =
            |name: &String| name.bytes().all(|b| b.is_ascii_digit() || b == b'.') && name.contains('.');
        let inner = names(context, &root, batch).into_iter().filter(remapped);
        plain.extend(inner.map(|name| format!("{root}/{name}")));
    }
    plain
}

/// Copies layerdb's files and returns container id → (driver, layer id).
fn layers(context: &Context, root: &str, batch: &mut Batch<Fact>) -> BTreeMap<String, (String, String)> {
    let mut layers = BTreeMap::new();
    for driver in names(context, &format!("{root}/image"), batch) {
        let mounts = format!("{root}/image/{driver}/layerdb/mounts");
        for id in names(context, &mounts, batch) {
            for file in ["mount-id", "init-id"] {
                let path = format!("{mounts}/{id}/{file}");
                let Ok(content) = context.root.read(path.as_bytes(), STATE_MAX) else { continue };
                if file == "mount-id" {
                    let layer = String::from_utf8_lossy(&content.bytes).trim().to_owned();
                    layers.insert(id.clone(), (driver.clone(), layer));
                }
                batch.entries.push(Entry::plain(path, content.bytes));
            }
        }
    }
    layers
}

fn container(root: &str, id: &str, config: &Value, layer: Option<&(String, String)>) -> Container {
    let state = &config["State"];
    let driver = config["Driver"].as_str().or(layer.map(|(driver, _)| driver.as_str()));
    let layer_id = layer.map(|(_, layer)| layer.as_str());
    let path = driver.and_then(|driver| layer_path(root, id, driver, layer_id));
    let value = json!({
        "runtime": "docker",
        "id": config["ID"].as_str().unwrap_or(id),
        "name": config["Name"].as_str().map(|name| name.trim_start_matches('/')),
        "image": config["Config"]["Image"],
        "state": state_word(state),
        "pid": state["Pid"].as_u64().filter(|pid| *pid > 0),
        "started_at": time(&state["StartedAt"]),
        "finished_at": time(&state["FinishedAt"]),
        "driver": driver,
        "layer_id": layer_id,
        "layer_path": path,
    });
    match value {
        Value::Object(container) => container,
        _ => Container::new(),
    }
}

/// docker's own word, as in `State.StateString` of moby's `container/state.go`.
fn state_word(state: &Value) -> &'static str {
    let is = |key: &str| state[key].as_bool().unwrap_or(false);
    if is("Running") {
        return match (is("Paused"), is("Restarting")) {
            (true, _) => "paused",
            (_, true) => "restarting",
            _ => "running",
        };
    }
    if is("RemovalInProgress") {
        "removing"
    } else if is("Dead") {
        "dead"
    } else if time(&state["StartedAt"]).is_null() {
        "created"
    } else {
        "exited"
    }
}

/// Where the root file system is mounted when the container runs, as each graph driver has it.
fn layer_path(root: &str, id: &str, driver: &str, layer: Option<&str>) -> Option<String> {
    let Some(layer) = layer else {
        // The containerd image store has no layerdb; the mount is named after the container.
        return (driver == "overlayfs").then(|| format!("/{root}/rootfs/{driver}/{id}"));
    };
    Some(match driver {
        "overlay2" | "overlay" => format!("/{root}/{driver}/{layer}/merged"),
        "devicemapper" => format!("/{root}/devicemapper/mnt/{layer}"),
        "aufs" => format!("/{root}/aufs/mnt/{layer}"),
        "btrfs" => format!("/{root}/btrfs/subvolumes/{layer}"),
        "zfs" => format!("/{root}/zfs/graph/{layer}"),
        "vfs" => format!("/{root}/vfs/dir/{layer}"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_dockers_word() {
        let word = |state: Value| state_word(&state);
        assert_eq!(word(json!({"Running": true, "Paused": true})), "paused");
        assert_eq!(word(json!({"Running": true})), "running");
        assert_eq!(word(json!({"RemovalInProgress": true, "Dead": true})), "removing");
        assert_eq!(word(json!({"Dead": true})), "dead");
        assert_eq!(word(json!({"StartedAt": "0001-01-01T00:00:00Z"})), "created");
        assert_eq!(word(json!({"StartedAt": "2026-11-22T07:34:40Z"})), "exited");
    }
}
