//! Which container has which layer or name, as logs tell it also outside of busy errors.

use super::objects;
use crate::evidence::Evidence;

/// A container and another name of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdLink {
    /// Full id of the container, or as much of it as the log has.
    pub container_id: String,
    /// Layer (mount) id of its writable layer.
    pub layer_id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// False where only the docker version tells that the first id is a container's (`removing mounted layer`).
    pub certain: bool,
    /// The line that says so.
    pub evidence: Evidence,
}

/// What stands before the container's id, and what before the layer's.
const LAYER_LINKS: [(&str, &str); 4] = [
    // moby, layer/layer_store.go, at debug level.
    ("GetMountID id: ", "-> mountID: "),
    // moby since 1.10: the mounted layer is named by the container.
    ("Error removing mounted layer ", ": "),
    ("failed to remove root filesystem for ", ": "),
    ("failed to remove root filesystem ", ": "),
];

/// The links of one message.
pub(crate) fn links(text: &str, evidence: &Evidence) -> Vec<IdLink> {
    let link = |container: &str, layer: Option<&str>, name: Option<&str>| IdLink {
        container_id: container.to_owned(),
        layer_id: layer.map(str::to_owned),
        name: name.map(str::to_owned),
        certain: !text.contains("mounted layer"),
        evidence: evidence.clone(),
    };
    let mut found = Vec::new();
    let mut container = None;
    for (before, between) in LAYER_LINKS {
        let Some((_, tail)) = text.split_once(before) else { continue };
        let Some(id) = first_id(tail).filter(|id| tail.starts_with(id)) else { continue };
        container.get_or_insert(id);
        let layer = tail[id.len()..].split_once(between).and_then(|(_, t)| layer_id(t));
        if let Some(layer) = layer.filter(|l| *l != id)
            && found.is_empty()
        {
            found.push(link(id, Some(layer), None));
        }
    }
    let name = ["/containers/", "Cannot destroy container "].iter().find_map(|p| name_after(text, p));
    if let (Some(id), Some(name)) = (container.or_else(|| after(text, "filesystem for ")), name) {
        found.push(link(id, None, Some(name)));
    }
    found
}

fn after<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    let (_, tail) = text.split_once(before)?;
    first_id(tail).filter(|id| tail.starts_with(id))
}

fn first_id(text: &str) -> Option<&str> {
    let id = text.split(|c: char| !c.is_ascii_alphanumeric()).next()?;
    objects::is_full_id(id).then_some(id)
}

/// The layer that could not be removed: a device, or the directory of a storage driver.
fn layer_id(text: &str) -> Option<&str> {
    let tail = [
        "failed to remove device ",
        "Failed to remove device ",
        "/overlay2/",
        "/overlay/",
        "/devicemapper/mnt/",
        "/aufs/mnt/",
        "/aufs/diff/",
    ]
    .iter()
    .find_map(|p| text.split_once(p).map(|t| t.1));
    first_id(tail.unwrap_or(text))
}

/// A name (not an id, not docker's `{name:.*}`) in an API route or a message.
fn name_after<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    let (head, tail) = text.split_once(before)?;
    // A route, not docker's directory `…/containers/ID/`.
    let route = head.rsplit(' ').next().is_none_or(|w| w.is_empty() || w.starts_with("/v"));
    let name = tail.split(['/', '?', ' ', ':', '"']).next()?;
    let named = !name.is_empty() && !objects::is_id(name) && !name.contains('{') && name != "create";
    (route && named).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CT: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9";
    const LAYER: &str = "f9e8d7c6b5a4039281706f5e4d3c2b1a0f9e8d7c6b5a4039281706f5e4d3c2b1";

    fn of(text: &str) -> Vec<(String, Option<String>, Option<String>)> {
        let evidence = Evidence { file: String::new(), line: None, text: String::new() };
        links(text, &evidence).into_iter().map(|l| (l.container_id, l.layer_id, l.name)).collect()
    }

    #[test]
    fn layers_of_containers() {
        let link = vec![(CT.to_owned(), Some(LAYER.to_owned()), None)];
        assert_eq!(of(&format!("GetMountID id: {CT} -> mountID: {LAYER}")), link);
        assert_eq!(
            of(&format!(
                "driver \"x\" failed to remove root filesystem for {CT}: failed to remove device {LAYER}: y"
            )),
            link
        );
        assert_eq!(
            of(&format!(
                "Error removing mounted layer {CT}: remove /var/lib/docker/overlay2/{LAYER}/merged: y"
            )),
            link
        );
        assert_eq!(
            of(&format!("Driver aufs failed to remove root filesystem {CT}: rename /a/aufs/mnt/{CT} b: y")),
            []
        );
    }

    #[test]
    fn names_of_containers() {
        let text = format!(
            "Handler for DELETE /v1.30/containers/web returned error: Unable to remove filesystem for {CT}: y"
        );
        assert_eq!(of(&text), [(CT.to_owned(), None, Some("web".to_owned()))]);
        assert_eq!(
            of(&format!("Handler for DELETE /containers/{{name:.*}} returned error: filesystem for {CT}: y")),
            []
        );
    }
}
