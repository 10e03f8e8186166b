//! What container runtimes keep about their containers: the collector's `runtime/containers.json`, docker's
//! `containers/ID/config.v2.json`, and what `docker inspect` prints. Only identities and states are read.
//!
//! ```
//! use ebusy_analyzer::parse::runtime_state;
//!
//! let text = br#"[{"runtime": "docker", "id": "5a4e5b6c7d8e", "name": "web", "state": "running", "pid": 4321}]"#;
//! let containers = runtime_state::containers(text);
//! assert_eq!((containers[0].name.as_deref(), containers[0].pid), (Some("web"), Some(4321)));
//! // Damage is no reason to fail.
//! assert!(runtime_state::containers(b"[{").is_empty());
//! ```

use crate::json;
use serde_json::Value;

/// A container as one source tells it. Unknown fields are `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContainerRecord {
    /// Full id.
    pub id: String,
    /// `docker`, `podman`, `containerd`, `cri-o`.
    pub runtime: Option<String>,
    /// Name without the leading slash.
    pub name: Option<String>,
    /// Image name or id.
    pub image: Option<String>,
    /// The runtime's own word, lower case.
    pub state: Option<String>,
    /// Pid of its first process on the host.
    pub pid: Option<u32>,
    /// Start time as the runtime wrote it.
    pub started_at: Option<String>,
    /// Storage driver.
    pub driver: Option<String>,
    /// Id of the writable layer.
    pub layer_id: Option<String>,
    /// Device-mapper name of the root file system.
    pub device_name: Option<String>,
    /// Overlay upper directory.
    pub upper_dir: Option<String>,
    /// Id of the pod's sandbox container.
    pub sandbox: Option<String>,
    /// Kubernetes' uid of the pod, as `kubectl` shows it.
    pub pod_uid: Option<String>,
    /// Name of the pod.
    pub pod: Option<String>,
    /// Digest of the image, without `sha256:`.
    pub image_id: Option<String>,
}

/// The collector's array.
pub fn containers(text: &[u8]) -> Vec<ContainerRecord> {
    let Ok(Value::Array(items)) = json::value(text) else { return Vec::new() };
    items
        .iter()
        .filter_map(|item| {
            Some(ContainerRecord {
                id: string(item, "id")?,
                runtime: string(item, "runtime"),
                name: string(item, "name"),
                image: string(item, "image"),
                state: string(item, "state"),
                pid: pid(item.get("pid")),
                started_at: string(item, "started_at"),
                driver: string(item, "driver"),
                layer_id: string(item, "layer_id"),
                upper_dir: string(item, "upper_dir").or_else(|| string(item, "layer_path")),
                pod: string(item, "pod"),
                ..ContainerRecord::default()
            })
        })
        .collect()
}

/// docker's `config.v2.json` (one object) or `docker inspect` (an array of objects). Both name the same
/// things; the graph driver's data stands in `inspect` only.
pub fn docker(text: &[u8]) -> Vec<ContainerRecord> {
    let items = match json::value(text) {
        Ok(Value::Array(items)) => items,
        Ok(object @ Value::Object(_)) => vec![object],
        _ => return Vec::new(),
    };
    items.iter().filter_map(|item| docker_container(item).or_else(|| cri_container(item))).collect()
}

/// `crictl inspect`: the CRI's status beside what the runtime adds as `info`.
fn cri_container(item: &Value) -> Option<ContainerRecord> {
    let status = item.get("status")?;
    let info = item.get("info");
    let label = |name: &str| string(status.get("labels")?, name);
    let state = string(status, "state").map(|s| s.trim_start_matches("CONTAINER_").to_ascii_lowercase());
    Some(ContainerRecord {
        id: string(status, "id")?,
        runtime: Some("cri".into()),
        name: status.get("metadata").and_then(|m| string(m, "name")),
        image: status.get("image").and_then(|i| string(i, "image")),
        state,
        pid: pid(info.and_then(|i| i.get("pid"))),
        started_at: string(status, "startedAt"),
        sandbox: info.and_then(|i| string(i, "sandboxID")),
        pod_uid: label("io.kubernetes.pod.uid"),
        pod: label("io.kubernetes.pod.name"),
        image_id: string(status, "imageRef").and_then(|i| digest(&i)),
        ..ContainerRecord::default()
    })
}

/// The digest behind `sha256:`, also of `NAME@sha256:DIGEST`.
fn digest(image: &str) -> Option<String> {
    let digest = image.rsplit_once("sha256:").map_or(image, |(_, digest)| digest);
    (digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit())).then(|| digest.to_owned())
}

fn docker_container(item: &Value) -> Option<ContainerRecord> {
    let id = string(item, "Id").or_else(|| string(item, "ID"))?;
    // Images have an Id too, but no State.
    let state = item.get("State")?;
    let graph = item.get("GraphDriver");
    let data = graph.and_then(|g| g.get("Data"));
    let config = item.get("Config");
    Some(ContainerRecord {
        id,
        runtime: Some("docker".into()),
        name: string(item, "Name").map(|n| n.trim_start_matches('/').to_owned()),
        image: config.and_then(|c| string(c, "Image")).or_else(|| string(item, "Image")),
        state: docker_state(state),
        pid: pid(state.get("Pid")),
        started_at: string(state, "StartedAt").filter(|t| !t.starts_with("0001-")),
        driver: string(item, "Driver").or_else(|| graph.and_then(|g| string(g, "Name"))),
        layer_id: None,
        device_name: data.and_then(|d| string(d, "DeviceName")),
        upper_dir: data.and_then(|d| string(d, "UpperDir")),
        sandbox: config.and_then(|c| string(c.get("Labels")?, "io.kubernetes.sandbox.id")),
        pod_uid: config.and_then(|c| string(c.get("Labels")?, "io.kubernetes.pod.uid")),
        pod: config.and_then(|c| string(c.get("Labels")?, "io.kubernetes.pod.name")),
        image_id: string(item, "Image").and_then(|i| digest(&i)),
    })
}

/// moby `container/state.go`: the flags in the order in which `StateString` asks for them.
fn docker_state(state: &Value) -> Option<String> {
    if let Some(status) = string(state, "Status") {
        return Some(status);
    }
    let flag = |name: &str| state.get(name).and_then(Value::as_bool).unwrap_or(false);
    let word = if flag("Running") {
        match (flag("Paused"), flag("Restarting")) {
            (true, _) => "paused",
            (_, true) => "restarting",
            _ => "running",
        }
    } else if flag("RemovalInProgress") {
        "removing"
    } else if flag("Dead") {
        "dead"
    } else if string(state, "StartedAt").is_none_or(|t| t.starts_with("0001-")) {
        "created"
    } else {
        "exited"
    };
    Some(word.to_owned())
}

fn string(item: &Value, key: &str) -> Option<String> {
    item.get(key)?.as_str().filter(|s| !s.is_empty()).map(str::to_owned)
}

fn pid(value: Option<&Value>) -> Option<u32> {
    value?.as_u64().and_then(|p| u32::try_from(p).ok()).filter(|&p| p != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inspect_tells_name_state_and_device() {
        let text = br#"[{"Id":"ab","Name":"/web","Driver":"devicemapper","State":{"Dead":true,"Pid":0,"StartedAt":"2026-01-01T00:00:00Z"},
            "GraphDriver":{"Name":"devicemapper","Data":{"DeviceName":"docker-8:1-7-cd"}},"Config":{"Image":"bb:1","Env":["SECRET=1"]}}]"#;
        let all = docker(text);
        let c = &all[0];
        assert_eq!((c.name.as_deref(), c.state.as_deref(), c.pid), (Some("web"), Some("dead"), None));
        assert_eq!(c.device_name.as_deref(), Some("docker-8:1-7-cd"));
        assert!(docker(b"[]").is_empty());
        assert!(docker(b"{broken").is_empty());
    }
}
