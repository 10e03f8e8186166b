//! What the census and the timeline need beside what holders need: sizes of devices, ends of containers,
//! network namespaces of processes, and systemd's lines about mount units.

use std::collections::BTreeMap;

use serde_json::Value;

use super::entry_path::{EntryPath, Role};
use super::log_clock::LogClock;
use super::{NamespaceInode, Pid};
use crate::archive::Content;
use crate::bytes::visible;
use crate::evidence::Evidence;
use crate::json;
use crate::parse::{namespace_link, numbered_lines, whole_number};

/// Lines about mounts that are kept of all logs; a host that mounts more often is told by the first ones.
const MOUNT_LINES: usize = 20_000;
/// `/sys/block/NAME/size` counts in sectors of 512 bytes whatever the device's own are (kernel doc
/// `ABI/stable/sysfs-block`).
const SECTOR: u64 = 512;

/// Facts of a host, each with where it stands where that is not plain from the key.
#[derive(Debug, Default, Clone)]
pub struct Recorded {
    /// Bytes of a block device, by kernel name.
    pub device_sizes: BTreeMap<Vec<u8>, u64>,
    /// Network namespace of each process.
    pub network_namespaces: BTreeMap<Pid, NamespaceInode>,
    /// When the runtime says that a container ended, by full id; RFC 3339 as the runtime wrote it.
    pub finished_at: BTreeMap<String, (String, Evidence)>,
    /// True where the bundle has a runtime's own list of containers: who is not in it is gone.
    pub has_container_list: bool,
    /// Lines that tell of a mount or umount of a mount unit (`var-lib-docker-….mount: Succeeded.`).
    pub mount_lines: Vec<Evidence>,
    /// Year and zone of the logs whose stamps lack them.
    pub log_clock: LogClock,
}

impl Recorded {
    /// Takes one member of a bundle.
    pub(super) fn add(&mut self, path: &EntryPath<'_>, role: &Role<'_>, content: &Content<'_>) {
        match (content, role) {
            (Content::Symlink(target), Role::OfProcess(pid, name)) if **name == *b"ns/net" => {
                if let Some((b"net", inode)) = namespace_link::parse(target) {
                    self.network_namespaces.insert(*pid, inode);
                }
            }
            (Content::File(bytes), Role::OfBlockDevice(name, rest)) if rest == b"size" => {
                if let Some(sectors) = whole_number::<u64>(bytes.trim_ascii()) {
                    self.device_sizes.insert(name.to_vec(), sectors.saturating_mul(SECTOR));
                }
            }
            (Content::File(bytes), Role::Containers) => {
                self.has_container_list = true;
                self.add_ends(bytes, &path.shown(), "/id", "/finished_at");
            }
            // An earlier `inspect` beside the present one does not tell the present.
            (Content::File(bytes), Role::DockerConfig) if !path.shown().contains("before") => {
                self.has_container_list = true;
                self.add_ends(bytes, &path.shown(), "/Id", "/State/FinishedAt");
                self.add_ends(bytes, &path.shown(), "/ID", "/State/FinishedAt");
            }
            (Content::File(bytes), Role::Log) => self.add_log(bytes, &path.shown()),
            _ => {}
        }
    }

    fn add_ends(&mut self, text: &[u8], file: &str, id: &str, end: &str) {
        let items = match json::value(text) {
            Ok(Value::Array(items)) => items,
            Ok(object @ Value::Object(_)) => vec![object],
            _ => return,
        };
        for item in &items {
            let text = |pointer| item.pointer(pointer).and_then(Value::as_str);
            // docker writes year 1 for "not yet".
            if let (Some(id), Some(end)) =
                (text(id), text(end).filter(|t| !t.is_empty() && !t.starts_with("0001-")))
            {
                let shown = visible(end.as_bytes());
                let evidence = Evidence {
                    file: file.to_owned(),
                    line: None,
                    text: format!("{} {shown}", visible(id.as_bytes())),
                };
                self.finished_at.entry(id.to_owned()).or_insert((shown, evidence));
            }
        }
    }

    fn add_log(&mut self, log: &[u8], file: &str) {
        let has = |text: &[u8], what: &[u8]| memchr::memmem::find(text, what).is_some();
        let (has_mounts, has_stamps) = (has(log, b".mount: "), has(log, b"time=\""));
        if !has_mounts && !has_stamps {
            return;
        }
        for (line, text) in numbered_lines(log) {
            if has_mounts && self.mount_lines.len() < MOUNT_LINES && has(text, b".mount: ") {
                let evidence = Evidence { file: file.to_owned(), line: Some(line), text: visible(text) };
                self.mount_lines.push(evidence);
            }
            if has_stamps {
                self.log_clock.note(file, line, text);
            }
        }
    }
}
