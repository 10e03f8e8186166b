//! A host as files: a bundle, a plain archive, a directory tree.

use super::mounts::escape;
use super::{Host, INITIAL_NS, Process, rfc3339, time};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// How long the collection of a synthetic host is said to have taken.
const DURATION_MS: u32 = 412;
const CLOCK_TICKS: u64 = 100;
/// Where `aufs`, `overlay2` and friends keep the layer database.
const LAYERDB: &str = "var/lib/docker/image";

/// One entry of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Path without the archive's top directory.
    pub path: String,
    /// What it is.
    pub content: Content,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A regular file.
    File(Vec<u8>),
    /// A symbolic link with its text.
    Link(String),
    /// A hard link to an earlier entry.
    Same(String),
}

impl Entry {
    /// A regular file.
    pub fn file(path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), content: Content::File(content.into()) }
    }

    /// A symbolic link.
    pub fn link(path: String, target: impl Into<String>) -> Self {
        Self { path, content: Content::Link(target.into()) }
    }
}

impl Host {
    /// The bundle that the collector would write now.
    pub fn bundle(&self) -> Vec<u8> {
        gzip(&tar(&self.top(), self.started(), &self.entries()))
    }

    /// What somebody without the collector might send: a plain tar of `/proc`, every table in full, no
    /// links of any kind, and the log.
    pub fn plain_tar(&self) -> Vec<u8> {
        let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for entry in self.entries() {
            match entry.content {
                Content::File(data) if entry.path.starts_with("proc/") && !entry.path.ends_with("/links") => {
                    files.insert(entry.path, data);
                }
                Content::Same(of) => {
                    let data = files.get(&of).cloned().unwrap_or_default();
                    files.insert(entry.path, data);
                }
                _ => {}
            }
        }
        if !self.log.is_empty() {
            files.insert("var/log/messages".into(), self.log_text());
        }
        let entries: Vec<Entry> = files.into_iter().map(|(path, data)| Entry::file(path, data)).collect();
        tar("", self.started(), &entries)
    }

    /// Writes the host's `proc`, `sys` and `var` below `dir`, for a collector's `--proc` and `--root`.
    ///
    /// # Errors
    /// Where a file or link cannot be made.
    pub fn write_tree(&self, dir: &Path) -> std::io::Result<()> {
        for entry in self.entries() {
            if !["proc/", "sys/", "var/"].iter().any(|top| entry.path.starts_with(top)) {
                continue;
            }
            let path = dir.join(&entry.path);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            match entry.content {
                Content::File(data) => std::fs::write(path, data)?,
                Content::Link(target) => std::os::unix::fs::symlink(target, path)?,
                Content::Same(of) => std::fs::hard_link(dir.join(of), path)?,
            }
        }
        Ok(())
    }

    /// Name of the bundle's top directory.
    pub fn top(&self) -> String {
        format!("ebusy-{}-{}", self.name, time::compact(self.started()))
    }

    fn started(&self) -> u64 {
        self.time()
    }

    /// The bundle's entries in their order.
    pub fn entries(&self) -> Vec<Entry> {
        let namespaces = self.namespaces();
        let mut entries = vec![self.manifest()];
        self.host_files(&mut entries);
        let mut tables = BTreeMap::new();
        for process in self.processes.values() {
            self.process_files(process, &mut tables, &mut entries);
        }
        for (ns, kept_by) in &self.kept {
            let dir = format!("ns/mnt-{}", self.inode_of(*ns));
            entries.push(Entry::file(format!("{dir}/mountinfo"), self.mounts.mountinfo(*ns, "/")));
            entries.push(Entry::file(format!("{dir}/kept-by"), kept_by.join("\n") + "\n"));
        }
        for ns in namespaces.iter().filter(|ns| self.collector_goes_into(**ns) && !self.kept.contains_key(ns))
        {
            let path = format!("ns/mnt-{}/mountinfo", self.inode_of(*ns));
            entries.push(Entry::file(path, self.mounts.mountinfo(*ns, "/")));
        }
        self.block_files(&mut entries);
        self.docker_files(&mut entries);
        for (unit, show) in &self.units {
            entries.push(Entry::file(format!("systemd/{unit}.show"), show.as_bytes()));
        }
        entries.extend(self.files.iter().map(|(path, data)| Entry::file(path, data.clone())));
        if !self.log.is_empty() {
            entries.push(Entry::file("logs/journal.log", self.log_text()));
        }
        entries.push(self.summary(tables.len(), namespaces.len()));
        entries
    }

    fn log_text(&self) -> Vec<u8> {
        (self.log.join("\n") + "\n").into_bytes()
    }

    fn manifest(&self) -> Entry {
        let capabilities = if self.collector_uid == 0 { "0000001fffffffff" } else { "0000000000000000" };
        let manifest = json!({
            "format": "ebusy.bundle/1", "collector": "0.1.0", "host": self.name, "kernel": self.kernel,
            "machine": "x86_64", "started_at": rfc3339(self.started()), "boot_time": self.boot_time,
            "clock_ticks": CLOCK_TICKS, "uid": self.collector_uid, "capabilities": capabilities,
            "pid": self.next_pid, "options": [],
        });
        Entry::file("manifest.json", pretty(&manifest))
    }

    fn summary(&self, tables: usize, namespaces: usize) -> Entry {
        let zombies = self.processes.values().filter(|p| !p.is_alive());
        let mut skipped = Vec::new();
        if let Some(zombie) = zombies.clone().next() {
            skipped.push(json!({"path": format!("proc/{}/mountinfo", zombie.pid), "error": "EINVAL",
                "count": zombies.count(), "why": "zombie processes have no mount table"}));
        }
        if self.collector_uid != 0 {
            skipped.push(json!({"path": "proc/1/ns/mnt", "error": "EACCES",
                "count": self.processes.len(), "why": "not root"}));
        }
        if let Some(pid) = self.refused.first() {
            skipped.push(json!({"path": format!("proc/{pid}/mountinfo"), "error": "EACCES",
                "count": self.refused.len(), "why": "not permitted, even to root"}));
        }
        let missing: &[&str] =
            if self.may_detach_mounts.is_none() { &["proc/sys/fs/may_detach_mounts"] } else { &[] };
        let logs = match self.log.len() {
            0 => json!([]),
            lines => json!([{"file": "logs/journal.log", "source": "journalctl -u docker", "lines": lines,
                "truncated": false}]),
        };
        let summary = json!({
            "processes": self.processes.len(), "mount_tables": tables, "mount_namespaces": namespaces,
            "duration_ms": DURATION_MS, "skipped": skipped, "logs": logs, "missing": missing,
        });
        Entry::file("summary.json", pretty(&summary))
    }

    fn host_files(&self, entries: &mut Vec<Entry>) {
        let version = format!("Linux version {} (builder@host) (gcc version 4.8.5) #1 SMP\n", self.kernel);
        let mut files = vec![
            ("proc/version", version),
            ("proc/uptime", format!("{}.00 {}.00\n", self.now, self.now)),
            ("proc/stat", format!("btime {}\n", self.boot_time)),
            ("proc/swaps", "Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n".to_owned()),
            ("proc/sys/kernel/osrelease", format!("{}\n", self.kernel)),
            ("proc/sys/kernel/hostname", format!("{}\n", self.name)),
            ("proc/sys/kernel/random/boot_id", format!("{}\n", self.random_boot_id())),
        ];
        if let Some(value) = self.may_detach_mounts {
            files.push(("proc/sys/fs/may_detach_mounts", format!("{value}\n")));
        }
        // What a test sets by hand comes instead of the usual.
        let files = files.into_iter().filter(|(path, _)| !self.files.contains_key(*path));
        entries.extend(files.map(|(path, text)| Entry::file(path, text)));
    }

    fn process_files(
        &self,
        process: &Process,
        tables: &mut BTreeMap<String, String>,
        entries: &mut Vec<Entry>,
    ) {
        let dir = format!("proc/{}", process.pid);
        let zombie = !process.is_alive();
        let is_refused = self.refused.contains(&process.pid);
        if !zombie && !is_refused {
            let table = self.table_of(process);
            let path = format!("{dir}/mountinfo");
            let first = tables.entry(table.clone()).or_insert_with(|| path.clone());
            let content =
                if *first == path { Content::File(table.into_bytes()) } else { Content::Same(first.clone()) };
            entries.push(Entry { path, content });
        }
        let cmdline: String = process.args.iter().map(|arg| format!("{arg}\0")).collect();
        entries.push(Entry::file(format!("{dir}/cmdline"), cmdline));
        entries.push(Entry::file(format!("{dir}/comm"), format!("{}\n", process.comm)));
        entries.push(Entry::file(format!("{dir}/stat"), process.stat(CLOCK_TICKS)));
        entries.push(Entry::file(format!("{dir}/status"), process.status()));
        entries.push(Entry::file(format!("{dir}/cgroup"), self.cgroup_text(&process.cgroup)));
        if zombie || is_refused || self.collector_uid != 0 {
            return;
        }
        self.ns_links(process, entries);
        let mut lines = String::new();
        for link in &process.links {
            if !link.name.starts_with("map/") {
                entries.push(Entry::link(format!("{dir}/{}", link.name), link.target.clone()));
            }
            let (major, minor) = link.device;
            let _ = write!(lines, "{} dev={major}:{minor} ino={}", link.name, link.inode);
            if let Some(mount) = link.mount {
                let _ = write!(lines, " mnt={mount}");
            }
            let _ = write!(lines, " type={}", link.kind);
            if let Some((major, minor)) = link.node {
                let _ = write!(lines, " rdev={major}:{minor}");
            }
            if link.name.starts_with("map/") {
                let _ = write!(lines, " path={}", escape(&link.target));
            }
            lines.push('\n');
        }
        if !lines.is_empty() {
            entries.push(Entry::file(format!("{dir}/links"), lines));
        }
    }

    fn ns_links(&self, process: &Process, entries: &mut Vec<Entry>) {
        let mut links = BTreeMap::from([("mnt", self.inode_of(process.came_from.unwrap_or(process.ns)))]);
        links.extend(INITIAL_NS);
        links.extend(process.other_ns.iter().map(|(kind, inode)| (kind.as_str(), *inode)));
        for (kind, inode) in links {
            entries.push(Entry::link(format!("proc/{}/ns/{kind}", process.pid), format!("{kind}:[{inode}]")));
        }
    }

    fn cgroup_text(&self, path: &str) -> String {
        if self.cgroup_v2 {
            return format!("0::{path}\n");
        }
        let controllers = ["freezer", "pids", "cpuacct,cpu", "devices", "memory", "name=systemd"];
        controllers.iter().zip((1..=controllers.len()).rev()).fold(
            String::new(),
            |mut text, (name, number)| {
                let _ = writeln!(text, "{number}:{name}:{path}");
                text
            },
        )
    }

    fn block_files(&self, entries: &mut Vec<Entry>) {
        for (name, block) in &self.blocks {
            let dir = format!("sys/block/{name}");
            let (major, minor) = block.device;
            entries.push(Entry::file(format!("{dir}/dev"), format!("{major}:{minor}\n")));
            entries.push(Entry::file(format!("{dir}/size"), format!("{}\n", block.sectors)));
            entries.push(Entry::file(format!("{dir}/ro"), "0\n"));
            if let Some((dm_name, uuid)) = &block.device_mapper {
                entries.push(Entry::file(format!("{dir}/dm/name"), format!("{dm_name}\n")));
                entries.push(Entry::file(format!("{dir}/dm/uuid"), format!("{uuid}\n")));
            }
            if block.counted {
                let count = u32::from(self.is_open(block.device));
                entries.push(Entry::file(format!("{dir}/dm/open_count"), format!("{count}\n")));
            }
            if let Some(file) = &block.backing_file {
                entries.push(Entry::file(format!("{dir}/loop/backing_file"), format!("{file}\n")));
            }
            if let Some(((major, minor), inode)) = block.backing {
                let node = block.backing_node.map(|(major, minor)| format!(" rdev={major}:{minor}"));
                entries.push(Entry::file(
                    format!("{dir}/loop/status"),
                    format!("dev={major}:{minor} ino={inode}{}\n", node.unwrap_or_default()),
                ));
            }
            for (kind, others) in [("holders", &block.holders), ("slaves", &block.slaves)] {
                for other in others {
                    entries.push(Entry::link(format!("{dir}/{kind}/{other}"), format!("../../{other}")));
                }
            }
        }
    }

    fn docker_files(&self, entries: &mut Vec<Entry>) {
        let Some(docker) = &self.docker else { return };
        for container in docker.containers.iter().filter(|container| !container.layer_released) {
            let dir = format!("{LAYERDB}/{}/layerdb/mounts/{}", docker.driver.name(), container.id);
            entries.push(Entry::file(format!("{dir}/init-id"), format!("{}-init", container.layer)));
            entries.push(Entry::file(format!("{dir}/mount-id"), container.layer.as_bytes()));
        }
        if let Some(list) = self.containers_json() {
            entries.push(Entry::file("runtime/containers.json", pretty(&list)));
        }
    }
}

fn pretty(value: &serde_json::Value) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
    text.push(b'\n');
    text
}

/// A plain tar of entries below the directory `top` (may be empty).
pub fn tar(top: &str, mtime: u64, entries: &[Entry]) -> Vec<u8> {
    let prefixed = |path: &str| if top.is_empty() { path.to_owned() } else { format!("{top}/{path}") };
    let mut builder = tar::Builder::new(Vec::new());
    for entry in entries {
        let mut header = tar::Header::new_gnu();
        header.set_mtime(mtime);
        header.set_mode(0o600);
        header.set_uid(0);
        header.set_gid(0);
        let path = prefixed(&entry.path);
        let written = match &entry.content {
            Content::File(data) => {
                header.set_size(data.len() as u64);
                builder.append_data(&mut header, path, data.as_slice())
            }
            Content::Link(target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_size(0);
                builder.append_link(&mut header, path, target)
            }
            Content::Same(of) => {
                header.set_entry_type(tar::EntryType::Link);
                header.set_size(0);
                builder.append_link(&mut header, path, prefixed(of))
            }
        };
        written.expect("writing to memory");
    }
    builder.into_inner().expect("writing to memory")
}

/// gzip without name and time, so that the same bytes give the same bytes.
pub fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(data).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}
