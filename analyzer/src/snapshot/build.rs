//! Takes the members of a bundle one by one and puts the host together.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use super::entry_path::{EntryPath, Role};
use super::{
    BlockDevice, Container, DeviceNumber, MountTable, NamespaceInode, NamespacePin, Pid, PinnedBy, Process,
    Snapshot, TableForm, TableId,
};
use crate::archive::{Content, End, Want};
use crate::bytes::{components, visible};
use crate::errors::LogScanner;
use crate::parse::cgroup::Membership;
use crate::parse::{
    cgroup, container_list, device_tools, kernel_release, links, lsof, mountinfo, namespace_link,
    numbered_lines, process_files, process_list, runtime_state, whole_number, words,
};
use crate::report::{Diagnostic, Evidence};

/// Diagnostics of one kind that are listed one by one; the rest is only counted.
const LISTED_BAD_LINES: usize = 20;

/// A snapshot in the making.
#[derive(Debug, Default)]
pub struct Builder {
    snapshot: Snapshot,
    logs: LogScanner,
    recorded: super::Recorded,
    tables_by_hash: HashMap<u64, Vec<TableId>>,
    /// Where each table's text came from, for hard links.
    table_of_file: HashMap<String, TableId>,
    pinned_tables: Vec<(Option<NamespaceInode>, TableId)>,
    links: Vec<TableLink>,
    /// Rows of `ps` listings with their file.
    listed: Vec<(String, process_list::Row)>,
    bad_lines: usize,
    /// `/proc/PID/mounts` with their file.
    mounts: Vec<(Pid, String, Vec<u8>)>,
    saw_summary: bool,
    saw_manifest: bool,
    saw_sosreport: bool,
    /// Where it was read, for texts that were put together from lines of other files.
    read_in: Option<String>,
    tables_read_in: HashMap<TableId, String>,
    /// Rows of `docker ps` and the like.
    listed_containers: Vec<(Evidence, runtime_state::ContainerRecord)>,
    /// Rows of `lsof` listings with their file.
    open_files: Vec<(String, lsof::OpenFile)>,
}

/// A mount table stored as a hard link to another member.
#[derive(Debug)]
struct TableLink {
    file: String,
    source: String,
    owner: TableOwner,
}

#[derive(Debug, Clone, Copy)]
enum TableOwner {
    Process(Pid),
    Pinned(Option<NamespaceInode>),
}

impl Builder {
    /// What is needed of a member.
    pub fn wants(path: &[u8]) -> Want {
        let wanted = match EntryPath::new(path).role() {
            Role::Other => false,
            Role::Loose => return Want::Text,
            Role::OfProcess(_, name) => {
                matches!(
                    &name[..],
                    b"mountinfo"
                        | b"mounts"
                        | b"cmdline"
                        | b"comm"
                        | b"stat"
                        | b"status"
                        | b"cgroup"
                        | b"links"
                ) || name.starts_with(b"fdinfo/")
                    || name.ends_with(b"-stat")
            }
            Role::OfProc(name) => matches!(
                &name[..],
                b"stat"
                    | b"version"
                    | b"swaps"
                    | b"sys/kernel/osrelease"
                    | b"sys/kernel/hostname"
                    | b"sys/fs/may_detach_mounts"
            ),
            _ => true,
        };
        if wanted { Want::Bytes } else { Want::Nothing }
    }

    /// Whether anything of a host was in what was taken.
    pub(super) fn has_host(&self) -> bool {
        !self.snapshot.processes.is_empty() || !self.snapshot.tables.is_empty()
    }

    /// Takes one member by its path on the host.
    pub(crate) fn add(&mut self, path: &EntryPath<'_>, content: &Content<'_>) {
        self.recorded.add(path, content);
        self.saw_sosreport |= path.0.first() == Some(&&b"sos_commands"[..]);
        match content {
            Content::File(bytes) => self.add_file(path, bytes),
            Content::Symlink(target) => self.add_symlink(path, target),
            Content::HardLink(target) => self.add_hard_link(path, target),
            Content::TooLarge(size) => self.warn(
                "file-too-large",
                Some(path.shown()),
                None,
                format!(
                    "This file has {size} bytes and was left out; the limit is {} bytes.",
                    crate::archive::MEMBER_LIMIT
                ),
                "What it says is missing from the report. Take it out of the archive or look at it by hand.",
            ),
            Content::Broken(why) => self.warn(
                "broken-member",
                Some(path.shown()),
                None,
                format!("Only the part before its damage was read: {}.", visible(why.as_bytes())),
                "What follows there is missing from the report. Ask for the file again.",
            ),
        }
    }

    /// Takes a text that lies beside the host's directories: a log, or what a tool printed.
    pub(super) fn add_loose(&mut self, file: &str, bytes: &[u8]) {
        self.logs.push_file(file, bytes);
        self.add_tool_output(bytes, file);
    }

    /// Says that what comes now was read in that text, whatever path it has.
    pub(crate) fn read_in(&mut self, name: &str) {
        self.read_in = Some(name.to_owned());
    }

    /// Notes what kind of input this is.
    pub(crate) fn set_format(&mut self, format: &str) {
        self.snapshot.facts.format = format.to_owned();
    }

    fn add_file(&mut self, path: &EntryPath<'_>, bytes: &[u8]) {
        let file = self.read_in.clone().unwrap_or_else(|| path.shown());
        match path.role() {
            Role::Manifest => self.add_manifest(bytes, &file),
            Role::Summary => self.add_summary(bytes),
            Role::OfProcess(pid, name) => self.add_process_file(pid, &name, bytes, file, &path.shown()),
            Role::OfProc(name) => self.add_proc_file(&name, bytes, &file),
            Role::PinnedTable(inode) => self.add_pinned_table(inode, bytes, file, &path.shown()),
            Role::PinnedBy(inode) => self.add_pins(inode, bytes, &file),
            Role::OfBlockDevice(name, rest) => self.add_device_file(name, &rest, bytes, &file),
            Role::LayerOf { driver, container, init } => self.add_layer(driver, container, init, bytes, file),
            Role::Containers => self.add_containers(runtime_state::containers(bytes), &file),
            Role::DockerConfig => self.add_docker_state(&file, bytes),
            Role::UnitProperties(unit) => self.add_unit(unit, bytes),
            Role::Log => {
                set_if_absent(&mut self.snapshot.facts.kernel, kernel_in_log(bytes));
                if let Some(version) = docker_version_in_log(bytes) {
                    self.snapshot.facts.docker_version.get_or_insert(version);
                }
                self.logs.push_file(&file, bytes);
            }
            Role::HostName => set_if_absent(&mut self.snapshot.facts.host, text_of(bytes)),
            Role::ToolOutput => self.add_tool_output(bytes, &file),
            Role::Loose | Role::Other => {}
        }
    }

    fn add_symlink(&mut self, path: &EntryPath<'_>, target: &[u8]) {
        match path.role() {
            Role::OfProcess(pid, name) => {
                let file = path.shown();
                if let Some((kind, inode)) = namespace_link::parse(target) {
                    if name == b"ns/mnt" {
                        self.process(pid).mount_namespace = Some(inode);
                    } else if name.starts_with(b"fd/") {
                        let evidence = Evidence { file, line: None, text: visible(target) };
                        let by = PinnedBy::Descriptor(pid, name);
                        self.snapshot.pins.push(NamespacePin { kind: kind.to_vec(), inode, by, evidence });
                    }
                    return;
                }
                let process = self.process(pid);
                match &name[..] {
                    b"root" => process.root = Some(target.to_vec()),
                    b"exe" => process.exe = Some(target.to_vec()),
                    _ => {}
                }
                process.link_texts.insert(name, target.to_vec());
            }
            Role::OfBlockDevice(name, rest) => {
                if let Some(holder) = rest.strip_prefix(b"holders/") {
                    let evidence = Evidence { file: path.shown(), line: None, text: visible(target) };
                    let device = self.device(name);
                    device.holders.insert(holder.to_vec());
                    device.evidence.get_or_insert(evidence);
                }
            }
            _ => {}
        }
    }

    /// Only mount tables are stored as hard links. The member that holds the bytes comes first in a bundle as
    /// the collector writes it; in a repacked one it may come later.
    fn add_hard_link(&mut self, path: &EntryPath<'_>, target: &[u8]) {
        let owner = match path.role() {
            Role::OfProcess(pid, name) if name == b"mountinfo" => TableOwner::Process(pid),
            Role::PinnedTable(inode) => TableOwner::Pinned(inode),
            _ => return,
        };
        self.links.push(TableLink { file: path.shown(), source: EntryPath::new(target).shown(), owner });
    }

    /// Follows the hard links. A link to a link needs another round; what is left then leads nowhere.
    fn follow_links(&mut self) {
        let mut links = std::mem::take(&mut self.links);
        loop {
            let before = links.len();
            links.retain(|link| {
                let Some(table) = self.table_of_file.get(&link.source).copied() else { return true };
                self.table_of_file.insert(link.file.clone(), table);
                match link.owner {
                    TableOwner::Process(pid) => {
                        self.snapshot.processes.entry(pid).or_default().table = Some(table)
                    }
                    TableOwner::Pinned(inode) => self.pinned_tables.push((inode, table)),
                }
                false
            });
            if links.len() == before {
                break;
            }
        }
        for link in links {
            self.warn(
                "dangling-hard-link",
                Some(link.file),
                None,
                format!("It is a hard link to {}, which is not in the bundle.", link.source),
                "The mount table of this process is missing. Send the bundle again as the collector wrote it.",
            );
        }
    }

    fn add_manifest(&mut self, bytes: &[u8], file: &str) {
        let Ok(manifest) = serde_json::from_slice::<Value>(bytes) else {
            self.warn(
                "bad-manifest",
                Some(file.to_owned()),
                None,
                "The manifest is not JSON.".into(),
                "The bundle is damaged or was edited; host facts may be missing.",
            );
            return;
        };
        let string = |key: &str| {
            manifest.get(key).and_then(Value::as_str).filter(|s| !s.is_empty()).map(str::to_owned)
        };
        let number = |key: &str| manifest.get(key).and_then(Value::as_u64);
        // Other tools' archives have a manifest.json of their own.
        if string("format").is_none_or(|f| !f.starts_with("ebusy.bundle/")) {
            return;
        }
        self.saw_manifest = true;
        let facts = &mut self.snapshot.facts;
        facts.format = string("format").unwrap_or_default();
        facts.collector = string("collector");
        facts.host = string("host").or(facts.host.take());
        facts.kernel = string("kernel").or(facts.kernel.take());
        facts.collected_at = string("started_at");
        facts.boot_time = number("boot_time").or(facts.boot_time);
        facts.clock_ticks = number("clock_ticks");
        facts.collector_pid = number("pid").and_then(|p| u32::try_from(p).ok()).map(Pid);
        // CAP_SYS_PTRACE (bit 19) lets a process read other users' links (capabilities(7)).
        let capabilities = string("capabilities").and_then(|c| u64::from_str_radix(&c, 16).ok());
        facts.privileged = match (number("uid"), capabilities) {
            (_, Some(bits)) => Some(bits & (1 << 19) != 0),
            (Some(uid), None) => Some(uid == 0),
            (None, None) => None,
        };
        let format = facts.format.clone();
        if !format.is_empty() && format != "ebusy.bundle/1" {
            self.warn(
                "newer-bundle",
                Some(file.to_owned()),
                None,
                format!("The bundle says it is {format}; this version reads ebusy.bundle/1."),
                "Open it with a newer ebusy. What is understood is shown.",
            );
        }
    }

    fn add_summary(&mut self, bytes: &[u8]) {
        self.saw_summary = true;
        let Ok(summary) = serde_json::from_slice::<Value>(bytes) else { return };
        for skipped in summary.get("skipped").and_then(Value::as_array).into_iter().flatten() {
            let text = |key: &str| skipped.get(key).and_then(Value::as_str).unwrap_or_default();
            let count = skipped.get("count").and_then(Value::as_u64).unwrap_or(1);
            // A process that ended meanwhile or a zombie hides nothing.
            if matches!(text("error"), "ENOENT" | "ESRCH" | "EINVAL") {
                continue;
            }
            self.warn(
                "not-collected",
                Some(visible(text("path").as_bytes())),
                None,
                format!(
                    "Not collected ({}, {count} times): {}",
                    visible(text("error").as_bytes()),
                    visible(text("why").as_bytes())
                ),
                "What is missing could hold the target. Run the collector again as root, on the host itself.",
            );
        }
    }

    fn add_process_file(&mut self, pid: Pid, name: &[u8], bytes: &[u8], file: String, path: &str) {
        match name {
            // A process that is ending shows an empty table: that is no table.
            b"mountinfo" | b"mounts" if bytes.is_empty() => {}
            b"mountinfo" => {
                let table = self.add_table(bytes, &file, path, TableForm::Mountinfo);
                self.process(pid).table = Some(table);
            }
            b"mounts" => self.mounts.push((pid, file, bytes.to_vec())),
            b"cmdline" => self.process(pid).cmdline = bytes.to_vec(),
            b"comm" => self.process(pid).comm = bytes.strip_suffix(b"\n").unwrap_or(bytes).to_vec(),
            b"stat" => {
                if let Some(stat) = process_files::stat(bytes) {
                    let process = self.process(pid);
                    process.start_ticks = stat.start_ticks;
                    process.parent = Some(Pid(stat.parent));
                    process.state = process.state.or(stat.state);
                    if process.comm.is_empty() {
                        process.comm = stat.comm;
                    }
                }
            }
            b"status" => {
                let status = process_files::status(bytes);
                let process = self.process(pid);
                process.state = status.state.or(process.state);
                if process.comm.is_empty() {
                    process.comm = status.name.unwrap_or_default();
                }
            }
            b"cgroup" => self.process(pid).membership = Membership { file, ..cgroup::parse(bytes) },
            b"links" => {
                let process = self.process(pid);
                process.links = links::listing(bytes);
                process.links_file = file;
            }
            _ if name.ends_with(b"-stat") => {
                let process = self.process(pid);
                if process.links.is_empty() {
                    process.links = links::stat_listing(bytes);
                    process.links_file = file;
                }
            }
            _ => {}
        }
    }

    fn add_proc_file(&mut self, name: &[u8], bytes: &[u8], file: &str) {
        let facts = &mut self.snapshot.facts;
        match name {
            b"sys/kernel/osrelease" => set_if_absent(&mut facts.kernel, text_of(bytes)),
            b"sys/kernel/hostname" => set_if_absent(&mut facts.host, text_of(bytes)),
            b"sys/fs/may_detach_mounts" => facts.may_detach_mounts = Some(bytes.trim_ascii() != b"0"),
            b"version" => {
                let release = bytes
                    .strip_prefix(b"Linux version ")
                    .and_then(|r| r.split(u8::is_ascii_whitespace).next());
                set_if_absent(&mut facts.kernel, release.and_then(text_of));
            }
            b"stat" => {
                let btime = numbered_lines(bytes)
                    .find_map(|(_, l)| whole_number(l.strip_prefix(b"btime ")?.trim_ascii()));
                facts.boot_time = facts.boot_time.or(btime);
            }
            b"swaps" => {
                let areas = numbered_lines(bytes).skip(1).filter_map(|(line, row)| {
                    let path = row.split(u8::is_ascii_whitespace).next()?;
                    let evidence = Evidence { file: file.to_owned(), line: Some(line), text: visible(row) };
                    Some((crate::bytes::decode_octal(path).into_owned(), evidence))
                });
                self.snapshot.swaps.extend(areas);
            }
            _ => {}
        }
    }

    fn add_table(&mut self, bytes: &[u8], file: &str, path: &str, form: TableForm) -> TableId {
        let table = self.intern_table(bytes, file, form);
        self.table_of_file.insert(path.to_owned(), table);
        if let Some(name) = &self.read_in {
            self.tables_read_in.entry(table).or_insert_with(|| name.clone());
        }
        table
    }

    /// `/proc/PID/mounts` counts where there is no mountinfo.
    fn add_mounts(&mut self) {
        for (pid, file, bytes) in std::mem::take(&mut self.mounts) {
            if self.snapshot.processes.get(&pid).is_none_or(|p| p.table.is_none()) {
                let table =
                    self.add_table(&bytes, &file, &format!("proc/{}/mounts", pid.0), TableForm::Mounts);
                self.process(pid).table = Some(table);
            }
        }
    }

    fn add_pinned_table(&mut self, inode: Option<NamespaceInode>, bytes: &[u8], file: String, path: &str) {
        let looks_right =
            numbered_lines(bytes).next().is_some_and(|(_, line)| mountinfo::parse_line(line).is_ok());
        if looks_right {
            let table = self.add_table(bytes, &file, path, TableForm::Mountinfo);
            self.pinned_tables.push((inode, table));
        }
    }

    fn add_pins(&mut self, inode: NamespaceInode, bytes: &[u8], file: &str) {
        for (line, text) in numbered_lines(bytes) {
            let evidence = Evidence { file: file.to_owned(), line: Some(line), text: visible(text) };
            let words: Vec<&[u8]> = text.splitn(3, |&b| b == b' ').collect();
            let by = match words[..] {
                [what, pid, name] => match (what, whole_number(pid).map(Pid)) {
                    (b"fd", Some(pid)) => PinnedBy::Descriptor(pid, [b"fd/", name].concat()),
                    // A thread may be in another mount namespace than its process.
                    (b"thread", Some(pid)) => PinnedBy::Descriptor(pid, [b"thread ", name].concat()),
                    (b"bind", Some(pid)) => {
                        PinnedBy::BindSeenBy(pid, crate::bytes::decode_octal(name).into_owned())
                    }
                    _ => PinnedBy::Noted(text.to_vec()),
                },
                _ => PinnedBy::Noted(text.to_vec()),
            };
            self.snapshot.pins.push(NamespacePin { kind: b"mnt".to_vec(), inode, by, evidence });
        }
    }

    fn add_device_file(&mut self, name: &[u8], rest: &[u8], bytes: &[u8], file: &str) {
        let evidence =
            Evidence { file: file.to_owned(), line: Some(1), text: visible(bytes.trim_ascii_end()) };
        let device = self.device(name);
        match rest {
            b"dev" => device.number = device_number_of(bytes.trim_ascii()),
            b"dm/name" => {
                device.dm_name = Some(bytes.trim_ascii_end().to_vec());
                device.evidence = Some(evidence);
            }
            b"dm/open_count" => device.open_count = whole_number(bytes.trim_ascii()).map(|n| (n, evidence)),
            b"loop/backing_file" => {
                device.backing_file = Some(bytes.strip_suffix(b"\n").unwrap_or(bytes).to_vec());
                device.evidence.get_or_insert(evidence);
            }
            b"loop/status" => {
                let dev = bytes.split(u8::is_ascii_whitespace).find_map(|w| w.strip_prefix(b"dev="));
                device.backing_device = dev.and_then(device_number_of);
                device.evidence = Some(evidence);
            }
            _ => {}
        }
    }

    fn add_layer(&mut self, driver: &[u8], container: &[u8], init: bool, bytes: &[u8], file: String) {
        let container = visible(container);
        let layer = visible(bytes.trim_ascii());
        let record = self.container(&container);
        record.record.driver.get_or_insert_with(|| visible(driver));
        let evidence = Evidence { file, line: Some(1), text: layer.clone() };
        if !init && !layer.is_empty() {
            record.record.layer_id = Some(layer.clone());
            record.layers.insert(layer, evidence);
        }
    }

    fn add_docker_state(&mut self, file: &str, bytes: &[u8]) {
        let mut records = runtime_state::docker(bytes);
        // A capture may hold an earlier `inspect` beside the present one: names stay true, states do not.
        if file.contains("before") {
            for record in &mut records {
                record.state = None;
                record.pid = None;
            }
        }
        self.add_containers(records, file);
    }

    fn add_containers(&mut self, records: Vec<runtime_state::ContainerRecord>, file: &str) {
        for new in records {
            let evidence = Evidence {
                file: file.to_owned(),
                line: None,
                text: format!(
                    "{} {}",
                    visible(new.id.as_bytes()),
                    visible(new.name.as_deref().unwrap_or("").as_bytes())
                ),
            };
            let layer = new.layer_id.clone().or_else(|| layer_in(&new));
            let container = self.container(&new.id);
            if let Some(layer) = layer {
                container.layers.entry(layer).or_insert_with(|| evidence.clone());
            }
            container.evidence.push(evidence);
            merge(&mut container.record, new);
        }
    }

    fn add_unit(&mut self, unit: &[u8], bytes: &[u8]) {
        let properties = numbered_lines(bytes).filter_map(|(_, line)| {
            let equals = memchr::memchr(b'=', line)?;
            Some((visible(&line[..equals]), visible(&line[equals + 1..])))
        });
        self.snapshot.units.insert(unit.to_vec(), properties.collect());
    }

    fn add_tool_output(&mut self, bytes: &[u8], file: &str) {
        for row in device_tools::dmsetup_info(bytes) {
            let evidence =
                Evidence { file: file.to_owned(), line: Some(row.line), text: line_text(bytes, row.line) };
            self.snapshot.dm_names.insert(row.name.clone(), (row.device, evidence.clone()));
            let name = [b"dm-", row.device.minor.to_string().as_bytes()].concat();
            let device = self.device(&name);
            device.number.get_or_insert(row.device);
            device.dm_name.get_or_insert(row.name);
            device.open_count = device.open_count.take().or(row.open_count.map(|n| (n, evidence)));
        }
        for row in device_tools::losetup(bytes) {
            let evidence =
                Evidence { file: file.to_owned(), line: Some(row.line), text: line_text(bytes, row.line) };
            let device = self.device(&row.name);
            device.backing_device = Some(row.backing_device);
            device.backing_file.get_or_insert(row.backing_file);
            device.evidence = Some(evidence);
        }
        if let Some(version) = docker_version(bytes) {
            self.snapshot.facts.docker_version.get_or_insert(version);
        }
        self.listed.extend(process_list::parse(bytes).into_iter().map(|row| (file.to_owned(), row)));
        for row in container_list::parse(bytes) {
            let text = line_text(bytes, row.line);
            self.listed_containers
                .push((Evidence { file: file.to_owned(), line: Some(row.line), text }, row.record));
        }
        self.open_files.extend(lsof::parse(bytes).into_iter().map(|row| (file.to_owned(), row)));
        self.add_kernel(bytes);
        self.add_unit_list(bytes);
    }

    /// `uname -a`: `Linux HOST RELEASE #1 SMP …`.
    fn add_kernel(&mut self, bytes: &[u8]) {
        let words: Vec<&[u8]> = words(bytes.get(..512).unwrap_or(bytes)).take(3).collect();
        if let [b"Linux", host, release] = words[..]
            && kernel_release::parse(release).is_some()
        {
            set_if_absent(&mut self.snapshot.facts.host, text_of(host));
            set_if_absent(&mut self.snapshot.facts.kernel, text_of(release));
        }
    }

    /// Open files that only `lsof` tells of, for processes without links of their own.
    fn add_open_files(&mut self) {
        let listed = std::mem::take(&mut self.open_files);
        let known: BTreeSet<Pid> = self
            .snapshot
            .processes
            .iter()
            .filter(|(_, p)| !p.links.is_empty())
            .map(|(pid, _)| *pid)
            .collect();
        for (file, row) in listed.into_iter().filter(|(_, row)| !known.contains(&row.pid)) {
            let process = self.process(row.pid);
            if process.comm.is_empty() {
                process.comm = row.comm;
            }
            // Two listings of one process would show each file twice.
            if process.links_file.is_empty() || process.links_file == file {
                process.links_file = file;
                process.links.push(row.link);
            }
        }
    }

    /// `systemctl show` of many units: blocks of properties between blank lines, each with its `Id=`.
    fn add_unit_list(&mut self, bytes: &[u8]) {
        if memchr::memmem::find(bytes, b"\nId=").is_none() {
            return;
        }
        let mut from = 0;
        while from < bytes.len() {
            let end = memchr::memmem::find(&bytes[from..], b"\n\n").map_or(bytes.len(), |at| from + at + 1);
            let block = &bytes[from..end];
            let id = numbered_lines(block).find_map(|(_, line)| line.strip_prefix(b"Id="));
            if let Some(id) = id.map(<[u8]>::to_vec) {
                self.add_unit(&id, block);
            }
            from = end + 1;
        }
    }

    /// What `ps` listed fills in for processes whose own files are not in the bundle.
    fn add_listed(&mut self) {
        let mut listed = std::mem::take(&mut self.listed);
        // A listed short name is surer than one that the command line suggests.
        listed.sort_by(|(a, x), (b, y)| (x.comm.is_none(), a, x.line).cmp(&(y.comm.is_none(), b, y.line)));
        for (file, row) in listed {
            let Some(process) = self.snapshot.processes.get_mut(&row.pid) else { continue };
            if process.comm.is_empty() {
                process.comm = row.comm.unwrap_or_default();
            }
            if let Some(command) = row.command.filter(|_| process.cmdline.is_empty()) {
                if process.comm.is_empty() {
                    process.comm = name_in_command(&command).to_vec();
                }
                // A kernel thread has no command line; ps shows its name in brackets.
                process.cmdline = if command.starts_with(b"[") { Vec::new() } else { command };
            }
            if process.membership == Membership::default()
                && let Some(membership) = row.membership
            {
                process.membership = Membership { file, ..membership };
            }
        }
    }

    fn intern_table(&mut self, bytes: &[u8], file: &str, form: TableForm) -> TableId {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let same_hash = self.tables_by_hash.entry(hasher.finish()).or_default();
        let tables = &mut self.snapshot.tables;
        if let Some(known) = same_hash.iter().find(|t| tables.get(t.0).is_some_and(|t| t.text == bytes)) {
            return *known;
        }
        let id = TableId(tables.len());
        same_hash.push(id);
        tables.push(MountTable { text: bytes.to_vec(), file: file.to_owned(), form });
        id
    }

    /// Reports the lines that make no sense and notes the namespaces that nsfs mounts keep.
    fn check_table(&mut self, id: TableId) {
        let Some(table) = self.snapshot.tables.get(id.0) else { return };
        let (mut bad, mut pins) = (Vec::new(), Vec::new());
        let is_mountinfo = table.form == TableForm::Mountinfo;
        for (line, text) in numbered_lines(&table.text).filter(|_| is_mountinfo) {
            match mountinfo::parse_line(text) {
                Ok(mount) if mount.fs_type == b"nsfs" || mount.fs_type == b"proc" => {
                    if let Some((kind, inode)) = namespace_link::parse(&mount.root()) {
                        let by = PinnedBy::Bind(id, mount.mount_point().into_owned());
                        let evidence = table.evidence(line, text);
                        pins.push(NamespacePin { kind: kind.to_vec(), inode, by, evidence });
                    }
                }
                Ok(_) => {}
                Err(error) => bad.push((line, error)),
            }
        }
        let file = table.file.clone();
        self.snapshot.pins.extend(pins);
        for (line, error) in bad {
            self.bad_lines += 1;
            if self.bad_lines <= LISTED_BAD_LINES {
                self.warn(
                    "bad-mountinfo-line",
                    Some(file.clone()),
                    Some(line),
                    format!(
                        "Not a line of mountinfo: at column {} there should be {}.",
                        error.column, error.expected
                    ),
                    "This one mount is missing from the report; all other lines were read.",
                );
            }
        }
    }

    fn process(&mut self, pid: Pid) -> &mut Process {
        self.snapshot.processes.entry(pid).or_default()
    }

    fn container(&mut self, id: &str) -> &mut Container {
        let container = self.snapshot.containers.entry(id.to_owned()).or_default();
        container.record.id = id.to_owned();
        container
    }

    fn device(&mut self, name: &[u8]) -> &mut BlockDevice {
        self.snapshot.devices.entry(name.to_vec()).or_default()
    }

    fn warn(&mut self, code: &str, file: Option<String>, line: Option<u32>, message: String, advice: &str) {
        self.snapshot.diagnostics.push(Diagnostic {
            code: code.to_owned(),
            file,
            line,
            message,
            advice: advice.to_owned(),
        });
    }

    /// Numbers the tables by the lowest pid that shows them, so that the order of an archive's members does not
    /// matter, and checks each once.
    fn sort_tables(&mut self) {
        let mut first_file: BTreeMap<TableId, (u32, String)> = BTreeMap::new();
        let mut files: Vec<(&String, TableId)> = self.table_of_file.iter().map(|(f, t)| (f, *t)).collect();
        files.sort();
        for (file, table) in files {
            let pid = file.split('/').nth(1).and_then(|p| p.parse().ok()).unwrap_or(u32::MAX);
            let candidate = (pid, file.clone());
            let first = first_file.entry(table).or_insert_with(|| candidate.clone());
            *first = candidate.min(first.clone());
        }
        let mut order: Vec<((u32, String), TableId)> = first_file.into_iter().map(|(t, f)| (f, t)).collect();
        order.sort();
        let new_id: HashMap<TableId, TableId> =
            (0..).zip(&order).map(|(new, (_, old))| (*old, TableId(new))).collect();
        let mut old: Vec<Option<MountTable>> =
            std::mem::take(&mut self.snapshot.tables).into_iter().map(Some).collect();
        for ((_, file), id) in order {
            if let Some(table) = old.get_mut(id.0).and_then(Option::take) {
                let file = self.tables_read_in.get(&id).cloned().unwrap_or(file);
                self.snapshot.tables.push(MountTable { file, ..table });
            }
        }
        for process in self.snapshot.processes.values_mut() {
            process.table = process.table.and_then(|t| new_id.get(&t).copied());
        }
        for (_, table) in &mut self.pinned_tables {
            *table = new_id.get(table).copied().unwrap_or(*table);
        }
        self.pinned_tables.sort();
        for index in 0..self.snapshot.tables.len() {
            self.check_table(TableId(index));
        }
        self.snapshot.pins.sort();
        self.snapshot.pins.dedup();
    }

    /// A table that was stored under a name without the namespace's inode belongs to the one pinned namespace
    /// that has no table yet: the one whose pin's file name stands in the table's name, or the only one.
    fn name_pinned_tables(&mut self) {
        let nameless: Vec<usize> =
            (0..self.pinned_tables.len()).filter(|i| self.pinned_tables[*i].0.is_none()).collect();
        for index in &nameless {
            let file =
                self.snapshot.table(self.pinned_tables[*index].1).map(|t| t.file.clone()).unwrap_or_default();
            let read = |inode: NamespaceInode| {
                self.pinned_tables.iter().any(|(known, _)| *known == Some(inode))
                    || self
                        .snapshot
                        .processes
                        .values()
                        .any(|p| p.mount_namespace == Some(inode) && p.table.is_some())
            };
            let unread: Vec<&NamespacePin> =
                self.snapshot.pins.iter().filter(|p| p.kind == b"mnt" && !read(p.inode)).collect();
            let by_name: BTreeSet<NamespaceInode> = unread
                .iter()
                .filter(|p| match &p.by {
                    PinnedBy::Bind(_, path) | PinnedBy::BindSeenBy(_, path) => {
                        components(path).next_back().is_some_and(|name| file.contains(&visible(name)))
                    }
                    _ => false,
                })
                .map(|p| p.inode)
                .collect();
            let all: BTreeSet<NamespaceInode> = unread.iter().map(|p| p.inode).collect();
            let only =
                |set: &BTreeSet<NamespaceInode>| if set.len() == 1 { set.first().copied() } else { None };
            self.pinned_tables[*index].0 = only(&by_name).or(only(&all).filter(|_| nameless.len() == 1));
        }
    }

    /// Puts together what needs all members to be known.
    pub fn finish(mut self, end: &End) -> Snapshot {
        if let End::Broken(why) = end {
            self.warn(
                "truncated-bundle",
                None,
                None,
                format!("The archive breaks off ({}); only the part before that was read.", visible(why.as_bytes())),
                "Ask for the file again and compare sizes. \"Nothing found\" holds for the part that could be read only.",
            );
        } else if self.saw_manifest && !self.saw_summary {
            self.warn(
                "no-summary",
                None,
                None,
                "The bundle has no summary at its end: the collector was stopped before it was done.".into(),
                "Run the collector again. \"Nothing found\" holds for the part that was collected only.",
            );
        }
        if self.bad_lines > LISTED_BAD_LINES {
            let message =
                format!("{} more lines are not lines of mountinfo.", self.bad_lines - LISTED_BAD_LINES);
            self.warn("bad-mountinfo-line", None, None, message, "These mounts are missing from the report.");
        }
        self.follow_links();
        self.add_mounts();
        self.add_listed();
        self.add_open_files();
        self.sort_tables();
        self.name_pinned_tables();
        let mut snapshot = self.snapshot;
        snapshot.recorded = self.recorded;
        let facts = &mut snapshot.facts;
        facts.complete =
            *end == End::Complete && (self.saw_summary || !self.saw_manifest) && !facts.is_paste();
        if facts.format.is_empty() {
            facts.format = if self.saw_sosreport { "sosreport" } else { "proc-tree" }.into();
        }
        let shortcomings = super::shortcomings::of(&snapshot);
        snapshot.diagnostics.extend(shortcomings);
        snapshot.log_lines = self.logs.lines_read();
        snapshot.log_links = self.logs.links();
        snapshot.errors = self.logs.finish();
        // A text without an error in it need not be a log: it does not say that nothing is busy.
        if snapshot.facts.is_paste() && snapshot.errors.is_empty() {
            snapshot.log_lines = 0;
        }
        // An error that names nothing can be looked at, but never answers "what is busy?" by itself.
        snapshot.errors.sort_by_key(|e| !e.names_something());
        snapshot.group_namespaces(&self.pinned_tables);
        note_namespace_keepers(&mut snapshot);
        add_container_processes(&mut snapshot);
        add_listed_containers(&mut snapshot, self.listed_containers);
        add_logged_layers(&mut snapshot);
        snapshot.diagnostics.sort();
        snapshot
    }
}

/// The short name that a command line suggests: `/usr/sbin/httpd -k` is httpd, `nginx: worker` nginx.
fn name_in_command(command: &[u8]) -> &[u8] {
    if let Some(thread) = command.strip_prefix(b"[").and_then(|c| c.strip_suffix(b"]")) {
        return thread;
    }
    let word = words(command).next().unwrap_or_default();
    let name = components(word).next_back().unwrap_or(word);
    name.strip_suffix(b":").unwrap_or(name)
}

/// Namespaces without a process get what keeps them.
fn note_namespace_keepers(snapshot: &mut Snapshot) {
    for pin in snapshot.pins.iter().filter(|p| p.kind == b"mnt") {
        let key = super::NamespaceKey::Inode(pin.inode);
        if let Some(namespace) = snapshot.namespaces.get_mut(&key) {
            namespace.kept_by.push(pin.evidence.clone());
        }
    }
}

/// A cgroup names the container even where the runtime has forgotten it.
fn add_container_processes(snapshot: &mut Snapshot) {
    let members: Vec<(String, Pid)> = snapshot
        .processes
        .iter()
        .filter_map(|(pid, p)| Some((p.membership.container.clone()?, *pid)))
        .collect();
    for (id, pid) in members {
        let container = snapshot.containers.entry(id.clone()).or_default();
        container.record.id = id;
        container.pids.insert(pid);
    }
}

/// Listings show short ids: they belong to the one container whose id begins so.
fn add_listed_containers(
    snapshot: &mut Snapshot,
    mut listed: Vec<(Evidence, runtime_state::ContainerRecord)>,
) {
    listed.sort_by(|a, b| a.0.cmp(&b.0));
    for (evidence, mut record) in listed {
        let known: Vec<String> =
            snapshot.containers.keys().filter(|k| k.starts_with(&record.id)).cloned().collect();
        if let [one] = &known[..] {
            record.id.clone_from(one);
        }
        let container = snapshot.containers.entry(record.id.clone()).or_default();
        container.record.id.clone_from(&record.id);
        container.evidence.push(evidence);
        merge(&mut container.record, record);
    }
}

/// The runtime's log links ids that its state has forgotten.
fn add_logged_layers(snapshot: &mut Snapshot) {
    let links: BTreeMap<(String, String), Evidence> = snapshot
        .log_links
        .iter()
        .filter_map(|l| Some(((l.container_id.clone(), l.layer_id.clone()?), l.evidence.clone())))
        .collect();
    for ((id, layer), evidence) in links {
        let known: Vec<String> = snapshot.containers.keys().filter(|k| k.starts_with(&id)).cloned().collect();
        let id = if let [one] = &known[..] { one.clone() } else { id };
        let container = snapshot.containers.entry(id.clone()).or_default();
        container.record.id = id;
        container.layers.entry(layer).or_insert(evidence);
    }
    for link in &snapshot.log_links {
        if let (Some(name), Some(container)) = (&link.name, snapshot.containers.get_mut(&link.container_id)) {
            container.record.name.get_or_insert_with(|| name.clone());
        }
    }
}

/// The layer id that `inspect`'s graph driver data gives: the device's name ends in it, or it is the
/// directory that holds `diff`.
fn layer_in(record: &runtime_state::ContainerRecord) -> Option<String> {
    let from_device = record.device_name.as_deref().and_then(|name| name.rsplit('-').next());
    let from_upper = record
        .upper_dir
        .as_deref()
        .and_then(|path| components(path.as_bytes()).rev().nth(1).and_then(|c| std::str::from_utf8(c).ok()));
    from_device.or(from_upper).map(str::to_owned)
}

fn merge(old: &mut runtime_state::ContainerRecord, new: runtime_state::ContainerRecord) {
    let fields = [
        (&mut old.runtime, new.runtime),
        (&mut old.name, new.name),
        (&mut old.image, new.image),
        (&mut old.state, new.state),
        (&mut old.started_at, new.started_at),
        (&mut old.driver, new.driver),
        (&mut old.layer_id, new.layer_id),
        (&mut old.device_name, new.device_name),
        (&mut old.upper_dir, new.upper_dir),
        (&mut old.sandbox, new.sandbox),
        (&mut old.pod_uid, new.pod_uid),
        (&mut old.pod, new.pod),
        (&mut old.image_id, new.image_id),
    ];
    for (old, new) in fields {
        set_if_absent(old, new);
    }
    old.pid = old.pid.or(new.pid);
}

fn set_if_absent(slot: &mut Option<String>, value: Option<String>) {
    if slot.is_none() {
        *slot = value;
    }
}

fn text_of(bytes: &[u8]) -> Option<String> {
    let text = bytes.trim_ascii();
    (!text.is_empty()).then(|| visible(text))
}

fn line_text(bytes: &[u8], line: u32) -> String {
    numbered_lines(bytes).find(|(n, _)| *n == line).map(|(_, l)| visible(l)).unwrap_or_default()
}

fn device_number_of(text: &[u8]) -> Option<DeviceNumber> {
    crate::parse::device_number(text).ok().filter(|(rest, _)| rest.is_empty()).map(|(_, n)| n)
}

/// `Server Version: 17.05.0-ce` of `docker info`.
fn docker_version(bytes: &[u8]) -> Option<String> {
    numbered_lines(bytes)
        .take(40)
        .find_map(|(_, line)| line.trim_ascii_start().strip_prefix(b"Server Version:").and_then(text_of))
}

/// The last `msg="Docker daemon" … version=17.05.0-ce` that dockerd wrote at its start.
fn docker_version_in_log(bytes: &[u8]) -> Option<String> {
    let at = memchr::memmem::rfind(bytes, b"Docker daemon\"")?;
    let line = bytes[at..].split(|&b| b == b'\n').next()?;
    let version = &line[memchr::memmem::find(line, b" version=")? + 9..];
    text_of(version.split(|b| b.is_ascii_whitespace() || *b == b'"').next()?)
}

/// The kernel's first line in a journal: `kernel: Linux version 6.1.0-50-amd64 (…`.
fn kernel_in_log(bytes: &[u8]) -> Option<String> {
    let at = memchr::memmem::rfind(bytes, b"kernel: Linux version ")? + 22;
    text_of(bytes[at..].split(u8::is_ascii_whitespace).next()?)
}
