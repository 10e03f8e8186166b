//! Query → target: what is busy, under all the names that it goes by, each with the evidence that links it.

mod below;
mod identity;
mod other_ids;
mod rbd;
mod storage;

pub(crate) use storage::is_mount_of_path;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use crate::Query;
use crate::bytes::visible;
use crate::order;
use crate::parse::mountinfo::Mount;
use crate::report::{Alias, AliasKind, BusyError, BusyKind, Diagnostic, Evidence};
use crate::snapshot::{DeviceNumber, NamespaceInode, Snapshot, TableId};

/// So many places where one name was read are kept: it stands in each of a thousand mount tables.
const PLACES: usize = 100;

/// What is busy.
#[derive(Debug, Default)]
pub struct Target {
    /// As asked for.
    pub query: String,
    /// Whether the bundle knows it.
    pub found: bool,
    /// What kind of object.
    pub busy: BusyKind,
    /// Full container id.
    pub container: Option<String>,
    /// Container name.
    pub name: Option<String>,
    /// Storage driver or kind of object.
    pub driver: Option<String>,
    /// Container's state.
    pub state: Option<String>,
    /// Container and layer ids: 12 and more hexadecimal digits. They match whole path components.
    pub ids: BTreeSet<String>,
    /// Paths of the busy object itself on the host.
    pub paths: BTreeSet<Vec<u8>>,
    /// Where a path is to be unmounted: the device of what the umount takes. What else is mounted at that path, below
    /// it or in another namespace, is not what is busy.
    pub uppermost: Option<DeviceNumber>,
    /// Devices of what that one covers.
    pub covered: BTreeSet<DeviceNumber>,
    /// Devices that nothing but the target is on.
    pub devices: BTreeSet<DeviceNumber>,
    /// Datasets.
    pub datasets: BTreeSet<Vec<u8>>,
    /// Namespaces that the busy file pins.
    pub namespaces: BTreeSet<(Vec<u8>, NamespaceInode)>,
    /// Names with evidence.
    pub aliases: Vec<Alias>,
    /// Containers that an ambiguous query fits.
    pub candidates: Vec<String>,
    /// The busy error that was chosen, by its index.
    pub error: Option<usize>,
    /// What the query was found to be, where that is not what it seems.
    pub notes: Vec<Diagnostic>,
    /// The mount that the runtime's own is or was on, see [`crate::holders::runtime_place`]: looked for once.
    pub(crate) runtime_place: OnceLock<Option<(TableId, u32)>>,
}

impl Target {
    /// Adds a name, or more evidence for a known one.
    fn alias(&mut self, value: String, kind: AliasKind, evidence: Option<Evidence>) {
        match self.aliases.iter_mut().find(|a| a.value == value && a.kind == kind) {
            Some(known) if known.evidence.len() >= PLACES => {}
            Some(known) => known.evidence.extend(evidence.filter(|e| !known.evidence.contains(e))),
            None => self.aliases.push(Alias { value, kind, evidence: evidence.into_iter().collect() }),
        }
    }

    /// Whether anything tells the busy object itself, not just its container.
    pub fn knows_object(&self) -> bool {
        !(self.paths.is_empty()
            && self.devices.is_empty()
            && self.datasets.is_empty()
            && self.namespaces.is_empty())
    }

    /// Whether a mount at the busy path can be the busy one.
    pub(crate) fn is_uppermost(&self, mount: &Mount<'_>) -> bool {
        self.uppermost.is_none_or(|device| device == mount.device)
    }

    /// What to call it in a sentence.
    pub fn label(&self) -> String {
        match (&self.name, &self.container) {
            (Some(name), Some(id)) => format!("container {name} ({})", short(id)),
            (None, Some(id)) => format!("container {}", short(id)),
            _ => self.query.clone(),
        }
    }

    /// The component as an id of the target: the id itself, `ID-init`, `ID-removing`, or a device-mapper name
    /// that ends in it.
    pub fn id_in<'t>(&'t self, component: &[u8]) -> Option<&'t str> {
        let bare =
            component.strip_suffix(b"-init").or(component.strip_suffix(b"-removing")).unwrap_or(component);
        let bare = bare.rsplit(|&b| b == b'-').next().unwrap_or(bare);
        let bare = std::str::from_utf8(bare).ok()?;
        self.ids.get(bare).map(String::as_str)
    }
}

/// The first 12 digits of an id, as docker shows it.
pub fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// Finds out what a query means on this host.
///
/// ```
/// # mod parts { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/parts/host.rs")); }
/// # use parts::host;
/// // `host` gives an `Analysis` of a host, as `Analysis::open` does.
///
/// use ebusy_analyzer::{Query, holders, resolve};
///
/// let analysis = host("web1")?;
/// let target = resolve::resolve(analysis.snapshot(), &Query::Text("/mnt/data".to_owned()));
/// assert!(target.found);
/// let found = holders::find(analysis.snapshot(), &target);
/// assert!(found[0].pids.iter().any(|pid| pid.0 == 645));
/// # Ok::<(), ebusy_analyzer::OpenError>(())
/// ```
pub fn resolve(snapshot: &Snapshot, query: &Query) -> Target {
    let mut target = Target::default();
    match query {
        Query::Default => match snapshot.errors.first() {
            Some(error) => from_error(snapshot, &mut target, 0, error),
            None => return target,
        },
        Query::Error(index) => match snapshot.errors.get(*index) {
            Some(error) => from_error(snapshot, &mut target, *index, error),
            None => return target,
        },
        Query::Text(text) => from_text(snapshot, &mut target, text.trim()),
    }
    if target.candidates.is_empty() {
        identity::expand(snapshot, &mut target);
        target.found |= below::add(snapshot, &mut target);
        if target.error.is_none()
            && target.paths.len() < 2
            && let Some((index, error)) = error_about(snapshot, &target)
        {
            adopt_error(snapshot, &mut target, index, error);
            identity::expand(snapshot, &mut target);
        }
        storage::locate(snapshot, &mut target);
    }
    order::sort_by(&mut target.aliases, |a, b| (a.kind, &a.value).cmp(&(b.kind, &b.value)));
    target
}

fn from_error(snapshot: &Snapshot, target: &mut Target, index: usize, error: &BusyError) {
    let object = [&error.container_id, &error.path, &error.device, &error.name];
    // A line that names nothing is called by its place.
    let place = || match &error.evidence {
        Some(Evidence { file, line: Some(line), .. }) => format!("{file}:{line}"),
        _ => "a line of the log".to_owned(),
    };
    target.query = object.into_iter().flatten().next().map_or_else(place, |o| visible(o.as_bytes()));
    target.found = true;
    adopt_error(snapshot, target, index, error);
}

/// Takes over what an error names.
fn adopt_error(snapshot: &Snapshot, target: &mut Target, index: usize, error: &BusyError) {
    target.error = Some(index);
    target.busy = error.busy;
    target.driver = target.driver.take().or_else(|| error.driver.clone());
    // Every wording of the failure tells ids; what is busy tells the leading one.
    for wording in error.all() {
        adopt_ids(snapshot, target, wording);
    }
    let evidence = error.evidence.clone();
    if let Some(device) = &error.device {
        let known = storage::add_device_name(snapshot, target, device.as_bytes(), evidence.clone());
        if !known && error.driver.as_deref() == Some("rbd") {
            rbd::add_image(snapshot, target, device);
        }
    }
    if let Some(path) = &error.path {
        storage::add_busy_path(target, error, path, evidence);
    }
    if target.container.is_none() {
        other_ids::add_pods_containers(snapshot, target, error);
    }
}

fn adopt_ids(snapshot: &Snapshot, target: &mut Target, error: &BusyError) {
    // What the bundle added to a line is no evidence of that line.
    let told = |word: &str| error.evidence.clone().filter(|evidence| evidence.text.contains(word));
    if let Some(id) = &error.container_id {
        // docker before 1.10 named the device by the container; later the same wording names the layer.
        let kind = if identity::is_layer_of_another(snapshot, id) {
            AliasKind::LayerId
        } else {
            AliasKind::ContainerId
        };
        identity::add_id(target, id, kind, told(id));
    }
    // A full id beside the container's is its layer or device; short ids are mostly other spellings of it.
    for id in error.other_ids.iter().filter(|id| id.len() == 64 && identity::is_hex(id)) {
        identity::add_id(target, id, AliasKind::Other, told(id));
    }
    if let Some(name) = &error.name
        && target.name.is_none()
    {
        target.name = Some(name.clone());
        target.alias(name.clone(), AliasKind::Name, told(name));
    }
}

/// The latest error that names one of the target's names.
fn error_about<'s>(snapshot: &'s Snapshot, target: &Target) -> Option<(usize, &'s BusyError)> {
    let ours = |id: &String| {
        target.ids.iter().any(|own| own == id || (id.len() >= 12 && own.starts_with(id.as_str())))
    };
    let about = |error: &BusyError| {
        error.container_id.iter().chain(&error.other_ids).any(ours)
            || error
                .path
                .as_ref()
                .is_some_and(|p| target.paths.iter().any(|own| crate::bytes::same_path(own, p.as_bytes())))
            || error.device.as_ref().is_some_and(|d| {
                target.aliases.iter().any(|a| {
                    a.kind == AliasKind::Device
                        && a.value.trim_start_matches("/dev/mapper/") == d.trim_start_matches("/dev/mapper/")
                })
            })
            || (error.name.is_some() && error.name == target.name && error.container_id.is_none())
    };
    snapshot.errors.iter().enumerate().find(|(_, error)| error.all().any(about))
}

fn from_text(snapshot: &Snapshot, target: &mut Target, text: &str) {
    let text = text.trim_matches(['"', '\'', '‘', '’']);
    target.query = visible(text.as_bytes());
    if text.is_empty() {
        return;
    }
    let containers = identity::containers_named(snapshot, text);
    match &containers[..] {
        [one] => {
            target.found = true;
            let evidence = snapshot.containers.get(one).and_then(|c| c.evidence.first().cloned());
            identity::add_id(target, one, AliasKind::ContainerId, evidence);
        }
        [] => {
            target.found = storage::add_named_object(snapshot, target, text)
                || rbd::add_image(snapshot, target, text)
                || other_ids::follow(snapshot, target, text)
                || (target.candidates.is_empty() && identity::add_logged_id(snapshot, target, text));
            if !target.found && target.candidates.is_empty() {
                other_ids::explain_unknown(target, text);
            }
        }
        several => target.candidates = several.to_vec(),
    }
}
