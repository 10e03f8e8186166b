//! containerd: its containers from its database ([`metadata`]), and of those that have a task what the task's directory
//! `…v2.task/NAMESPACE/ID` below its state directory tells.
//!
//! The OCI `config.json` in that directory tells the names that Kubernetes gave; nothing else of it is taken, as it holds
//! the environment.

mod metadata;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use self::metadata::{Known, Metadata};
use super::{Container, json as read_json, names};
use crate::context::{Context, Fact, Runtime};
use crate::watchdog::Batch;

const TASKS: [&str; 2] = ["io.containerd.runtime.v2.task", "io.containerd.runtime.v1.linux"];
const OVERLAYFS: &str = "io.containerd.snapshotter.v1.overlayfs";

/// What containerd knows.
pub(super) struct Containerd {
    pub(super) containers: Vec<Container>,
    /// Upper directories of docker's snapshots (namespace `moby`), by their key, which is the container's id.
    pub(super) docker_upper_dirs: BTreeMap<String, String>,
}

pub(super) fn read(context: &Context, facts: &[Fact], batch: &mut Batch<Fact>) -> Containerd {
    let places = Places::of(context, facts);
    let mut metadata = Metadata::default();
    for root in &places.roots {
        let own = format!("{root}/{OVERLAYFS}");
        let snapshots = places.snapshots.get(root).unwrap_or(&own);
        let found = metadata::read(context, root, snapshots, batch);
        metadata.containers.extend(found.containers);
        metadata.upper_dirs.extend(found.upper_dirs);
    }
    let mut containers = Vec::new();
    let mut has_tasks = false;
    for tasks in places.states.iter().flat_map(|state| TASKS.map(|tasks| format!("{state}/{tasks}"))) {
        has_tasks |= context.root.exists(tasks.as_bytes());
        for namespace in names(context, &tasks, batch) {
            for id in names(context, &format!("{tasks}/{namespace}"), batch) {
                let directory = format!("{tasks}/{namespace}/{id}");
                let task = Task::read(context, &directory, batch);
                let known = metadata.containers.remove(&(namespace.clone(), id.clone())).unwrap_or_default();
                containers.extend(container(&namespace, &id, Some(task), &known, has_tasks));
            }
        }
    }
    for ((namespace, id), known) in &metadata.containers {
        containers.extend(container(namespace, id, None, known, has_tasks));
    }
    let of_docker = metadata.upper_dirs.into_iter().filter(|((namespace, _), _)| namespace == "moby");
    Containerd { containers, docker_upper_dirs: of_docker.map(|((_, key), path)| (key, path)).collect() }
}

/// Where containerds keep their things; without leading slashes.
struct Places {
    roots: BTreeSet<String>,
    states: BTreeSet<String>,
    /// Root directory → where the overlay snapshotter was configured to keep its own.
    snapshots: BTreeMap<String, String>,
}

impl Places {
    /// The defaults of containerd, and of k3s, docker and microk8s that run one of their own, and what command lines and
    /// configuration files tell.
    fn of(context: &Context, facts: &[Fact]) -> Self {
        let set = |places: &[&str]| places.iter().map(|place| (*place).to_owned()).collect();
        let mut places = Self {
            roots: set(&[
                "var/lib/containerd",
                "var/lib/rancher/k3s/agent/containerd",
                "var/lib/docker/containerd/daemon",
                "var/snap/microk8s/common/var/lib/containerd",
            ]),
            states: set(&[
                "run/containerd",
                "run/k3s/containerd",
                "run/docker/containerd/daemon",
                "var/snap/microk8s/common/run/containerd",
            ]),
            snapshots: BTreeMap::new(),
        };
        let mut configs = BTreeSet::from(["etc/containerd/config.toml".to_owned()]);
        for fact in facts {
            let Fact::Directory { runtime, path } = fact else { continue };
            let Some(path) = std::str::from_utf8(path).ok().and_then(relative) else { continue };
            match runtime {
                Runtime::ContainerdState => places.states.insert(path),
                Runtime::ContainerdRoot => places.roots.insert(path),
                Runtime::ContainerdConfig => configs.insert(path),
                _ => false,
            };
        }
        for config in configs {
            if let Ok(content) = context.root.read(config.as_bytes(), 1 << 20) {
                places.add_config(&String::from_utf8_lossy(&content.bytes));
            }
        }
        places
    }

    /// `root`, `state`, and the overlay snapshotter's `root_path` of a `config.toml`.
    fn add_config(&mut self, text: &str) {
        let (mut section, mut root, mut snapshots) = ("", None, None);
        for line in text.lines().map(str::trim) {
            if line.starts_with('[') {
                section = line;
            }
            let Some((key, value)) = line.split_once('=') else { continue };
            let Some(value) = relative(value.trim().trim_matches(['"', '\''])) else { continue };
            match (section, key.trim()) {
                ("", "root") => root = Some(value),
                ("", "state") => drop(self.states.insert(value)),
                (section, "root_path") if section.contains(OVERLAYFS) => snapshots = Some(value),
                _ => {}
            }
        }
        let root = root.unwrap_or_else(|| "var/lib/containerd".to_owned());
        if let Some(snapshots) = snapshots {
            self.snapshots.insert(root.clone(), snapshots);
        }
        self.roots.insert(root);
    }
}

/// An absolute path without its slash at the start.
fn relative(path: &str) -> Option<String> {
    let inner = path.trim_matches('/');
    (path.starts_with('/') && !inner.is_empty()).then(|| inner.to_owned())
}

/// A container's process, as its directory tells it.
struct Task {
    directory: String,
    pid: Option<u64>,
    is_alive: Option<bool>,
    config: Value,
}

impl Task {
    fn read(context: &Context, directory: &str, batch: &mut Batch<Fact>) -> Self {
        let pid = context.root.read(format!("{directory}/init.pid").as_bytes(), 64).ok();
        let pid = pid.and_then(|text| std::str::from_utf8(&text.bytes).ok()?.trim().parse::<u64>().ok());
        let is_alive = pid.map(|pid| context.proc.dir.exists(pid.to_string().as_bytes()));
        let config = read_json(context, &format!("{directory}/config.json"), batch).unwrap_or_default();
        Self { directory: directory.to_owned(), pid, is_alive, config }
    }

    fn annotation(&self, key: &str) -> Option<&str> {
        self.config["annotations"][format!("io.kubernetes.cri.{key}")].as_str()
    }
}

/// `is_listed`: there is a directory of tasks, so that a container without one is known not to run.
fn container(
    namespace: &str,
    id: &str,
    task: Option<Task>,
    known: &Known,
    is_listed: bool,
) -> Option<Container> {
    let annotation = |key: &str| task.as_ref().and_then(|task| task.annotation(key));
    let name = annotation("container-name").or(known.name.as_deref()).or(annotation("sandbox-name"));
    let state = match &task {
        Some(task) => task.is_alive.map(|alive| if alive { "running" } else { "exited" }),
        // docker has its own word for it.
        None => Some("exited").filter(|_| is_listed && namespace != "moby"),
    };
    let value = json!({
        "runtime": "containerd",
        "namespace": namespace,
        "id": id,
        "name": name,
        "image": annotation("image-name").or(known.image.as_deref()),
        "pod": annotation("sandbox-name").or(known.pod.as_deref()),
        "pod_namespace": annotation("sandbox-namespace").or(known.pod_namespace.as_deref()),
        "state": state,
        "pid": task.as_ref().and_then(|task| task.pid),
        "created_at": known.created_at,
        "driver": known.snapshotter,
        "layer_path": task.as_ref().map(|task| format!("/{}/rootfs", task.directory)),
        "upper_dir": known.upper_dir,
    });
    match value {
        Value::Object(container) => Some(container),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_tells_the_places() {
        let mut places =
            Places { roots: BTreeSet::new(), states: BTreeSet::new(), snapshots: BTreeMap::new() };
        places.add_config(
            "version = 2\nroot = \"/srv/ctd\"\nstate = '/run/ctd'\n[grpc]\n  root = \"/no\"\n\
             [plugins.\"io.containerd.snapshotter.v1.overlayfs\"]\n  root_path = \"/fast/snap\"\n",
        );
        assert_eq!(places.roots, BTreeSet::from(["srv/ctd".to_owned()]));
        assert_eq!(places.states, BTreeSet::from(["run/ctd".to_owned()]));
        assert_eq!(places.snapshots.get("srv/ctd").map(String::as_str), Some("fast/snap"));
    }
}
