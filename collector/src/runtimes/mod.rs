//! What the container runtimes know: ids, names, images, states and layers. From their files, not their sockets: a
//! daemon that hangs cannot hold the collection up, and environment variables and labels are never taken.

mod bolt;
mod containerd;
mod docker;
mod lxc;
mod storage;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::bundle::{Entry, Secrets};
use crate::context::{Context, Fact};
use crate::summary::Skip;
use crate::watchdog::Batch;

/// Most containers read of one store.
const CONTAINERS_MAX: usize = 5000;
/// Longest state file read.
const STATE_MAX: usize = 8 << 20;

/// One container, as `runtime/containers.json` has it.
pub(crate) type Container = Map<String, Value>;

/// The containers of all runtimes, and docker's own files about their layers.
pub(crate) fn read(context: &Context, facts: &[Fact]) -> Batch<Fact> {
    let mut batch = Batch::new();
    let mut containers = BTreeMap::new();
    let mut add = |container: Container| {
        let text = |key: &str| container.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        // The first runtime that knows a container knows it best: docker's are containerd's too.
        containers.entry(text("id")).or_insert(container);
    };
    let containerd = containerd::read(context, facts, &mut batch);
    for mut container in docker::read(context, facts, &mut batch) {
        // docker's containerd image store: what docker itself does not write down is in containerd's databases.
        let id = container.get("id").and_then(Value::as_str).unwrap_or_default();
        if let Some(path) = containerd.docker_upper_dirs.get(id) {
            container.insert("upper_dir".into(), Value::from(path.as_str()));
        }
        add(container);
    }
    storage::read(context, facts, &mut batch).into_iter().for_each(&mut add);
    containerd.containers.into_iter().for_each(&mut add);
    lxc::read(context, facts, &mut batch).into_iter().for_each(&mut add);
    let list = Value::Array(containers.into_values().map(Value::Object).collect());
    let (path, data) = ("runtime/containers.json".into(), format!("{list:#}\n").into_bytes());
    batch.entries.push(Entry::File { path, data, secrets: Secrets::Names });
    batch
}

/// The names in a directory of a store, at most [`CONTAINERS_MAX`]. A store that is not there is none.
fn names(context: &Context, directory: &str, batch: &mut Batch<Fact>) -> Vec<String> {
    let mut names = match context.root.list(directory.as_bytes()) {
        Ok(names) => names,
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENOTDIR)) => return vec![],
        Err(error) => {
            batch.skips.push(Skip::new("runtime", directory.as_bytes(), &error));
            return vec![];
        }
    };
    if names.len() > CONTAINERS_MAX {
        let why = format!("only the first {CONTAINERS_MAX} entries of {directory} are read");
        batch.skips.push(Skip::because("runtime", directory.as_bytes(), "cap", why));
        names.truncate(CONTAINERS_MAX);
    }
    names.into_iter().filter_map(|name| String::from_utf8(name).ok()).collect()
}

/// A JSON file of a store; `None`, and counted, when it cannot be read or understood.
fn json(context: &Context, path: &str, batch: &mut Batch<Fact>) -> Option<Value> {
    let content = match context.root.read(path.as_bytes(), STATE_MAX) {
        Ok(content) => content,
        Err(error) => {
            if error.raw_os_error() != Some(libc::ENOENT) {
                batch.skips.push(Skip::new("runtime", path.as_bytes(), &error));
            }
            return None;
        }
    };
    let value = serde_json::from_slice(&content.bytes);
    if value.is_err() {
        let why = if content.truncated { "longer than 8 MiB" } else { "not JSON" };
        batch.skips.push(Skip::because("runtime", path.as_bytes(), "unread", why));
    }
    value.ok()
}

/// A time, or null for the year 1 that Go writes for "never".
fn time(value: &Value) -> Value {
    match value.as_str() {
        Some(text) if !text.is_empty() && !text.starts_with("0001-") => Value::from(text),
        _ => Value::Null,
    }
}
