//! containerd: one directory for each running task below its state directory, `…v2.task/NAMESPACE/ID`.
//!
//! The metadata itself is a database (bbolt) that is not read. The OCI `config.json` next to the task tells the names
//! that Kubernetes gave; nothing else of it is taken, as it holds the environment.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Container, json as read_json, names};
use crate::context::{Context, Fact, Runtime};
use crate::watchdog::Batch;

const TASKS: [&str; 2] = ["io.containerd.runtime.v2.task", "io.containerd.runtime.v1.linux"];

pub(super) fn read(context: &Context, facts: &[Fact], batch: &mut Batch<Fact>) -> Vec<Container> {
    // k3s, docker and microk8s run a containerd of their own.
    let mut states = BTreeSet::from(
        [
            "run/containerd",
            "run/k3s/containerd",
            "run/docker/containerd/daemon",
            "var/snap/microk8s/common/run/containerd",
        ]
        .map(str::to_owned),
    );
    for fact in facts {
        if let Fact::Directory { runtime: Runtime::ContainerdState, path } = fact
            && let Ok(path) = std::str::from_utf8(path)
        {
            states.insert(path.trim_matches('/').to_owned());
        }
    }
    states.remove("");
    let mut containers = Vec::new();
    for state in states {
        for tasks in TASKS {
            let tasks = format!("{state}/{tasks}");
            for namespace in names(context, &tasks, batch) {
                for id in names(context, &format!("{tasks}/{namespace}"), batch) {
                    containers.extend(container(
                        context,
                        &format!("{tasks}/{namespace}/{id}"),
                        &namespace,
                        &id,
                        batch,
                    ));
                }
            }
        }
    }
    containers
}

fn container(
    context: &Context,
    directory: &str,
    namespace: &str,
    id: &str,
    batch: &mut Batch<Fact>,
) -> Option<Container> {
    let pid = context.root.read(format!("{directory}/init.pid").as_bytes(), 64).ok();
    let pid = pid.and_then(|text| std::str::from_utf8(&text.bytes).ok()?.trim().parse::<u64>().ok());
    let alive = pid.map(|pid| context.proc.dir.exists(pid.to_string().as_bytes()));
    let config = read_json(context, &format!("{directory}/config.json"), batch).unwrap_or_default();
    let annotation = |key: &str| config["annotations"][format!("io.kubernetes.cri.{key}")].as_str();
    let name = annotation("container-name").or(annotation("sandbox-name"));
    let value = json!({
        "runtime": "containerd",
        "namespace": namespace,
        "id": id,
        "name": name,
        "image": annotation("image-name"),
        "pod": annotation("sandbox-name"),
        "state": alive.map(|alive| if alive { "running" } else { "exited" }),
        "pid": pid,
        "layer_path": format!("/{directory}/rootfs"),
    });
    match value {
        Value::Object(container) => Some(container),
        _ => None,
    }
}
