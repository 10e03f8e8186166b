//! containerd's databases below its root directory.
//!
//! `io.containerd.metadata.v1.bolt/meta.db` has, below `v1/NAMESPACE`, `containers/ID` and, in `snapshots/SNAPSHOTTER/KEY`,
//! the name under which a snapshotter knows a container's snapshot (`metadata/buckets.go` of containerd). The
//! snapshotter's own `metadata.db` has its number, and with it the directory, in `v1/snapshots/NAME`
//! (`snapshots/storage/bolt.go`). Of a container's labels only those below are looked at; its spec, which holds the
//! environment, is not.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use crate::context::{Context, Fact};
use crate::runtimes::CONTAINERS_MAX;
use crate::runtimes::bolt::{self, Bucket, Database, Value};
use crate::summary::Skip;
use crate::utc;
use crate::watchdog::Batch;

/// The one snapshotter whose snapshots are directories that mount tables name.
const OVERLAYFS: &str = "overlayfs";
/// Seconds from the year 1, which Go counts from, to 1970.
const YEAR_1_TO_1970: u64 = 62_135_596_800;

/// A container, running or not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) image: Option<String>,
    pub(super) snapshotter: Option<String>,
    pub(super) created_at: Option<String>,
    pub(super) name: Option<String>,
    pub(super) pod: Option<String>,
    pub(super) pod_namespace: Option<String>,
    /// The upper directory of its overlay.
    pub(super) upper_dir: Option<String>,
    snapshot_key: Option<String>,
}

/// What the databases of one root directory tell.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    /// By namespace and id.
    pub(super) containers: BTreeMap<(String, String), Known>,
    /// Upper directories by the namespace and key of the snapshot.
    pub(super) upper_dirs: BTreeMap<(String, String), String>,
}

/// Reads the databases below `root`; `snapshots` is where the overlay snapshotter keeps its own.
pub(super) fn read(context: &Context, root: &str, snapshots: &str, batch: &mut Batch<Fact>) -> Metadata {
    let path = format!("{root}/io.containerd.metadata.v1.bolt/meta.db");
    let Some((mut containers, names)) = database(context, &path, batch, read_metadata) else {
        return Metadata::default();
    };
    if containers.len() > CONTAINERS_MAX {
        let why = format!("only the first {CONTAINERS_MAX} containers are read");
        batch.skips.push(Skip::because("runtime", path.as_bytes(), "cap", why));
        while containers.len() > CONTAINERS_MAX {
            containers.pop_last();
        }
    }
    let path = format!("{snapshots}/metadata.db");
    let numbers = database(context, &path, batch, read_numbers).unwrap_or_default();
    let directory = |name: &String| Some(format!("/{snapshots}/snapshots/{}/fs", numbers.get(name)?));
    let upper_dirs: BTreeMap<_, _> =
        names.into_iter().filter_map(|(key, name)| Some((key, directory(&name)?))).collect();
    for ((namespace, _), container) in &mut containers {
        if container.snapshotter.as_deref() == Some(OVERLAYFS)
            && let Some(key) = container.snapshot_key.take()
        {
            container.upper_dir = upper_dirs.get(&(namespace.clone(), key)).cloned();
        }
    }
    Metadata { containers, upper_dirs }
}

/// `None`, and counted unless it is not there at all, when it cannot be read.
fn database<T>(
    context: &Context,
    path: &str,
    batch: &mut Batch<Fact>,
    walk: impl Fn(&Database<'_>) -> io::Result<T>,
) -> Option<T> {
    let file = context.root.file(path.as_bytes());
    match file.and_then(|file| bolt::read(&file, walk)) {
        Ok(found) => Some(found),
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENOTDIR)) => None,
        Err(error) => {
            batch.skips.push(match error.raw_os_error() {
                Some(_) => Skip::new("runtime", path.as_bytes(), &error),
                None => Skip::because("runtime", path.as_bytes(), "unread", error.to_string()),
            });
            None
        }
    }
}

type Containers = BTreeMap<(String, String), Known>;
/// Namespace and key of a snapshot → the name under which the overlay snapshotter has it.
type SnapshotNames = BTreeMap<(String, String), String>;

fn read_metadata(database: &Database<'_>) -> io::Result<(Containers, SnapshotNames)> {
    let (mut containers, mut names) = (BTreeMap::new(), BTreeMap::new());
    let Some(v1) = database.bucket(&database.root(), b"v1")? else { return Ok((containers, names)) };
    each_bucket(database, &v1, &mut |namespace, objects| {
        if let Some(list) = database.bucket(&objects, b"containers")? {
            each_bucket(database, &list, &mut |id, fields| {
                containers.insert((text(namespace), text(id)), container(database, &fields)?);
                Ok(())
            })?;
        }
        let snapshots = database.bucket(&objects, b"snapshots")?;
        let Some(snapshots) = snapshots else { return Ok(()) };
        let Some(list) = database.bucket(&snapshots, OVERLAYFS.as_bytes())? else { return Ok(()) };
        each_bucket(database, &list, &mut |key, fields| {
            // Layers of images are named by their content; no container writes to them.
            if !key.starts_with(b"sha256:") {
                let name = fields_in(database, &fields, &["name"])?.remove("name");
                names.extend(name.map(|name| ((text(namespace), text(key)), text(&name))));
            }
            Ok(())
        })
    })?;
    Ok((containers, names))
}

fn container(database: &Database<'_>, bucket: &Bucket) -> io::Result<Known> {
    let mut fields = fields_in(database, bucket, &["image", "snapshotter", "snapshotKey", "createdat"])?;
    let mut field = |name: &str| fields.remove(name);
    let mut known = Known {
        image: field("image").map(|value| text(&value)),
        snapshotter: field("snapshotter").map(|value| text(&value)),
        snapshot_key: field("snapshotKey").map(|value| text(&value)),
        created_at: field("createdat").and_then(|value| go_time(&value)),
        ..Known::default()
    };
    if let Some(labels) = database.bucket(bucket, b"labels")? {
        // Names only: any other label may hold anything.
        const NAME: &str = "io.kubernetes.container.name";
        const NERDCTL: &str = "nerdctl/name";
        const POD: &str = "io.kubernetes.pod.name";
        const POD_NAMESPACE: &str = "io.kubernetes.pod.namespace";
        let mut labels = fields_in(database, &labels, &[NAME, NERDCTL, POD, POD_NAMESPACE])?;
        let mut label = |name: &str| labels.remove(name).map(|value| text(&value));
        known.name = label(NAME).or_else(|| label(NERDCTL));
        known.pod = label(POD);
        known.pod_namespace = label(POD_NAMESPACE);
    }
    Ok(known)
}

/// Snapshot name → number.
fn read_numbers(database: &Database<'_>) -> io::Result<BTreeMap<String, u64>> {
    let mut numbers = BTreeMap::new();
    let Some(v1) = database.bucket(&database.root(), b"v1")? else { return Ok(numbers) };
    let Some(snapshots) = database.bucket(&v1, b"snapshots")? else { return Ok(numbers) };
    each_bucket(database, &snapshots, &mut |name, fields| {
        let number = fields_in(database, &fields, &["id"])?.remove("id");
        numbers.extend(number.and_then(|number| Some((text(name), uvarint(&number)?))));
        Ok(())
    })?;
    Ok(numbers)
}

fn each_bucket(
    database: &Database<'_>,
    outer: &Bucket,
    take: &mut dyn FnMut(&[u8], Bucket) -> io::Result<()>,
) -> io::Result<()> {
    database.each(outer, &mut |key, value| match value {
        Value::Bucket(bucket) => take(key, bucket),
        Value::Bytes(_) => Ok(()),
    })
}

/// The values of these keys.
fn fields_in(
    database: &Database<'_>,
    bucket: &Bucket,
    names: &[&'static str],
) -> io::Result<BTreeMap<&'static str, Vec<u8>>> {
    let wanted: BTreeSet<&'static str> = names.iter().copied().collect();
    let mut fields = BTreeMap::new();
    database.each(bucket, &mut |key, value| {
        if let Value::Bytes(bytes) = value
            && let Some(name) = wanted.iter().find(|name| name.as_bytes() == key)
            && !bytes.is_empty()
        {
            fields.insert(*name, bytes.to_vec());
        }
        Ok(())
    })?;
    Ok(fields)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Go's `time.Time.MarshalBinary`: a version, then seconds since the year 1 in UTC, big-endian; what follows is not needed.
fn go_time(bytes: &[u8]) -> Option<String> {
    let seconds = u64::from_be_bytes(bytes.get(1..9)?.try_into().ok()?);
    seconds.checked_sub(YEAR_1_TO_1970).filter(|seconds| *seconds < 1 << 36).map(utc::iso)
}

/// Go's `binary.Uvarint`: seven bits a byte, the lowest first.
fn uvarint(bytes: &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for (at, byte) in bytes.iter().enumerate().take(9) {
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_as_go_writes_them() {
        assert_eq!(uvarint(&[0x4d]), Some(77));
        assert_eq!(uvarint(&[0xac, 0x02]), Some(300));
        assert_eq!(uvarint(&[0x80]), None);
        let mut time = vec![1];
        time.extend_from_slice(&(YEAR_1_TO_1970 + 1_795_332_813).to_be_bytes());
        time.extend_from_slice(&[0, 0, 0, 0, 0xff, 0xff]);
        assert_eq!(go_time(&time).as_deref(), Some("2026-11-22T07:33:33Z"));
        assert_eq!(go_time(&[1, 0]), None);
    }
}
