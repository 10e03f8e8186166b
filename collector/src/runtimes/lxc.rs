//! LXC, LXD and Incus: one directory for each container, named after it.
//!
//! LXC's `config` tells where the root file system is (lxc.container.conf(5)); of LXD and Incus, whose settings are in
//! a database that is not read, the link `containers/NAME` tells it. A container runs while its monitor does, whose
//! command line is `[lxc monitor] DIRECTORY NAME` for all three.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Container, names};
use crate::context::{Context, Fact, Runtime};
use crate::watchdog::Batch;

const CONFIG_MAX: usize = 1 << 20;
/// LXD's and Incus's directories; the first is the snap's.
const DAEMONS: [(&str, &str); 3] =
    [("lxd", "var/snap/lxd/common/lxd"), ("lxd", "var/lib/lxd"), ("incus", "var/lib/incus")];

pub(super) fn read(context: &Context, facts: &[Fact], batch: &mut Batch<Fact>) -> Vec<Container> {
    // `/var/lib/lxc/web`: as many as there are running containers.
    let mut running = BTreeSet::new();
    for fact in facts {
        if let Fact::Directory { runtime: Runtime::Lxc, path } = fact {
            running.insert(String::from_utf8_lossy(path).into_owned());
        }
    }
    let mut containers = Vec::new();
    let mut directories = BTreeSet::from(["var/lib/lxc".to_owned()]);
    directories.extend(
        running.iter().filter_map(|path| Some(path.rsplit_once('/')?.0.trim_matches('/').to_owned())),
    );
    let is_daemons = |directory: &String| DAEMONS.iter().any(|(_, own)| directory.starts_with(own));
    for directory in directories.iter().filter(|directory| !is_daemons(directory)) {
        for name in names(context, directory, batch) {
            let config = format!("{directory}/{name}/config");
            let Ok(content) = context.root.read(config.as_bytes(), CONFIG_MAX) else { continue };
            let root = root_in(&String::from_utf8_lossy(&content.bytes));
            let is_running = running.contains(&format!("/{directory}/{name}"));
            containers.extend(container("lxc", &name, is_running, root));
        }
    }
    for (runtime, directory) in DAEMONS {
        let inside = format!("{directory}/containers");
        for name in names(context, &inside, batch) {
            let link = context.root.link(format!("{inside}/{name}").as_bytes()).ok();
            let root = link.and_then(|target| Some(format!("{}/rootfs", String::from_utf8(target).ok()?)));
            let is_running = running.contains(&format!("/{inside}/{name}"));
            containers.extend(container(runtime, &name, is_running, root));
        }
    }
    containers
}

/// The directory in `lxc.rootfs.path` (`lxc.rootfs` before LXC 2.1), which may have its kind before a colon. Nothing
/// else is taken of the file, as it may hold the environment.
fn root_in(config: &str) -> Option<String> {
    let value = |line: &str| {
        let (key, value) = line.split_once('=')?;
        matches!(key.trim(), "lxc.rootfs.path" | "lxc.rootfs").then(|| value.trim().to_owned())
    };
    let value = config.lines().rev().find_map(value)?;
    // `overlay:LOWER:UPPER` names two directories, neither of which is where it is mounted.
    let path = value.rsplit(':').next().filter(|_| value.matches(':').count() < 2)?;
    path.starts_with('/').then(|| path.to_owned())
}

fn container(runtime: &str, name: &str, is_running: bool, root: Option<String>) -> Option<Container> {
    let value = json!({
        "runtime": runtime,
        "id": name,
        "name": name,
        "state": is_running.then_some("running"),
        "layer_path": root,
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
    fn where_the_root_is() {
        assert_eq!(root_in("lxc.rootfs.path = dir:/srv/a/rootfs\n").as_deref(), Some("/srv/a/rootfs"));
        assert_eq!(root_in("lxc.rootfs = /srv/b\nlxc.environment = A=b\n").as_deref(), Some("/srv/b"));
        assert_eq!(root_in("lxc.rootfs.path = overlay:/l:/u\n"), None);
        assert_eq!(root_in("lxc.uts.name = x\n"), None);
    }
}
