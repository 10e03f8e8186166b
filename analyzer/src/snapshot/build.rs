//! Takes the members of a bundle one by one and puts the host together.

mod tables;
mod together;
mod tools;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::entry_path::{EntryPath, Role};
use super::membership::{Memberships, ProcessMembership};
use super::{
    BlockDevice, Container, DeviceNumber, MountTable, NamespaceInode, NamespacePin, Pid, PinnedBy, Process,
    Snapshot, TableForm, TableId,
};
use crate::archive::{Content, End, Want};
use crate::bytes::{components, visible};
use crate::errors::LogScanner;
use crate::evidence::{Diagnostic, Evidence};
use crate::json;
use crate::order;
use crate::parse::{
    container_list, device_tools, device_trees, fuser, kernel_release, links, lsof, mountinfo,
    namespace_link, numbered_lines, process_files, process_list, runtime_state, systemctl_status,
    whole_number, words,
};

/// Diagnostics of one kind that are listed one by one; the rest is only counted.
const LISTED_BAD_LINES: usize = 20;

/// A snapshot in the making.
#[derive(Debug, Default)]
pub struct Builder {
    snapshot: Snapshot,
    logs: LogScanner,
    recorded: super::Recorded,
    tables: tables::Tables,
    memberships: Memberships,
    /// Where each table's text came from, for hard links.
    table_of_file: BTreeMap<tables::TableFile, TableId>,
    pinned_tables: Vec<(Option<NamespaceInode>, TableId)>,
    links: Vec<TableLink>,
    /// Rows of `ps` listings with their file.
    listed: Vec<(String, process_list::Row)>,
    bad_lines: usize,
    /// `/proc/PID/mounts` with the paths that they are known by.
    mounts: Vec<(Pid, TableId, String)>,
    saw_summary: bool,
    saw_manifest: bool,
    saw_sosreport: bool,
    saw_must_gather: bool,
    /// Whether a limit left processes out.
    left_out: bool,
    /// Where it was read, for texts that were put together from lines of other files.
    read_in: Option<String>,
    tables_read_in: HashMap<TableId, String>,
    /// Mount tables of whoever made the capture, with their file.
    own_tables: Vec<(String, Vec<u8>)>,
    /// Rows of `docker ps` and the like.
    listed_containers: Vec<(Evidence, runtime_state::ContainerRecord)>,
    /// Rows of `lsof` listings with their file.
    open_files: Vec<(String, lsof::OpenFile)>,
}

/// A mount table stored as a hard link to another member.
#[derive(Debug)]
struct TableLink {
    file: tables::TableFile,
    source: tables::TableFile,
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
                    | b"mounts"
                    | b"self/mounts"
                    | b"self/mountinfo"
                    | b"sys/kernel/osrelease"
                    | b"sys/kernel/hostname"
                    | b"sys/fs/may_detach_mounts"
                    | b"sys/kernel/random/boot_id"
            ),
            _ => true,
        };
        if wanted { Want::Bytes } else { Want::Nothing }
    }

    /// Processes taken so far.
    pub(super) fn processes(&self) -> usize {
        self.snapshot.processes.len()
    }

    /// Whether that one is among them.
    pub(super) fn has_process(&self, pid: Pid) -> bool {
        self.snapshot.processes.contains_key(&pid)
    }

    /// Notes that processes above this number were left out.
    pub(super) fn note_left_out(&mut self, left_out: u64, limit: u64) {
        self.warn(
            "too-many-processes",
            None,
            None,
            format!(
                "{left_out} files of further processes were left out: {}.",
                crate::archive::met("processes", limit)
            ),
            "A holder may be among them. Raise the limit.",
        );
        self.left_out = true;
    }

    /// Whether anything of a host was in what was taken.
    pub(super) fn has_host(&self) -> bool {
        !self.snapshot.processes.is_empty()
            || !self.tables.is_empty()
            || !self.own_tables.is_empty()
            || !self.mounts.is_empty()
    }

    /// Takes one member by its path on the host.
    pub(crate) fn add(&mut self, path: &EntryPath<'_>, content: &Content<'_>) {
        self.add_as(path, path.role(), content);
    }

    /// Takes one member that is known to be this.
    pub(super) fn add_as(&mut self, path: &EntryPath<'_>, role: Role<'_>, content: &Content<'_>) {
        self.recorded.add(path, &role, content);
        self.saw_sosreport |= path.inside().first() == Some(&&b"sos_commands"[..]);
        self.saw_must_gather |=
            matches!(path.inside().first(), Some(&(b"host_service_logs" | b"cluster-scoped-resources")));
        match content {
            Content::File(bytes) => self.add_file(path, role, bytes),
            Content::Symlink(target) => self.add_symlink(path, role, target),
            Content::HardLink(target) => self.add_hard_link(path, &role, target),
            Content::TooLarge(size, limit) => self.warn(
                "file-too-large",
                Some(path.shown()),
                None,
                format!(
                    "This file has {size} bytes and was left out: {}.",
                    crate::archive::met("member", *limit)
                ),
                "What it says is missing from the report. Take it out of the archive or look at it by hand.",
            ),
            Content::CutLines(lines, limit) => self.warn(
                "line-too-long",
                None,
                None,
                format!(
                    "Of {lines} long lines only the beginning was read: {}.",
                    crate::archive::met("line", *limit)
                ),
                "What follows there is missing from the report. Raise the limit, or break the lines.",
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

    fn add_file(&mut self, path: &EntryPath<'_>, role: Role<'_>, bytes: &[u8]) {
        if let Role::OfProcess(pid, name) = &role {
            return self.add_process_file(*pid, name, bytes, path);
        }
        let file = self.file_of(path);
        match role {
            Role::Manifest => self.add_manifest(bytes, &file),
            Role::Summary => self.add_summary(bytes),
            Role::OfProc(name) => self.add_proc_file(&name, bytes, &file),
            Role::PinnedTable(inode) => self.add_pinned_table(inode, bytes, path),
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
            Role::OfProcess(..) | Role::Loose | Role::Other => {}
        }
    }

    /// What evidence calls a member.
    fn file_of(&self, path: &EntryPath<'_>) -> String {
        self.read_in.clone().unwrap_or_else(|| path.shown())
    }

    fn add_symlink(&mut self, path: &EntryPath<'_>, role: Role<'_>, target: &[u8]) {
        match role {
            Role::OfProcess(pid, name) => {
                if let Some((kind, inode)) = namespace_link::parse(target) {
                    if *name == *b"ns/mnt" {
                        self.process(pid).mount_namespace = Some(inode);
                    } else if name.starts_with(b"fd/") {
                        let evidence = Evidence { file: path.shown(), line: None, text: visible(target) };
                        let by = PinnedBy::Descriptor(pid, name.into_owned());
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
                process.link_texts.insert(name.into_owned(), target.to_vec());
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

    fn add_manifest(&mut self, bytes: &[u8], file: &str) {
        let Ok(manifest) = json::value(bytes) else {
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
        facts.security_label = string("security_label");
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
        let Ok(summary) = json::value(bytes) else { return };
        for skipped in summary.get("skipped").and_then(Value::as_array).into_iter().flatten() {
            let text = |key: &str| skipped.get(key).and_then(Value::as_str).unwrap_or_default();
            let count = skipped.get("count").and_then(Value::as_u64).unwrap_or(1);
            // A process that ended meanwhile or a zombie hides nothing.
            if matches!(text("error"), "ENOENT" | "ESRCH" | "EINVAL") {
                continue;
            }
            let is_of_process = text("path")
                .strip_prefix("proc/")
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            if is_of_process && matches!(text("error"), "EACCES" | "EPERM" | "timeout") {
                let example =
                    format!("{}: {}", visible(text("path").as_bytes()), visible(text("error").as_bytes()));
                let unread = self.snapshot.facts.unread.get_or_insert((0, example));
                unread.0 = unread.0.saturating_add(count);
            }
            self.warn(
                "not-collected",
                Some(visible(text("path").as_bytes())),
                None,
                format!(
                    "Not collected ({}, {count} times): {}.",
                    visible(text("error").as_bytes()),
                    visible(text("why").trim_end_matches('.').as_bytes())
                ),
                "What is missing could hold the target. Run the collector again as root, on the host itself.",
            );
        }
    }

    fn add_process_file(&mut self, pid: Pid, name: &[u8], bytes: &[u8], path: &EntryPath<'_>) {
        match name {
            // A process that is ending shows an empty table: that is no table.
            b"mountinfo" | b"mounts" if bytes.is_empty() => {}
            b"mountinfo" => {
                let table = self.add_table_of(path, bytes);
                self.process(pid).table = Some(table);
            }
            b"mounts" => {
                let table = self.tables.keep(bytes, TableForm::Mounts);
                self.mounts.push((pid, table, format!("proc/{}/mounts", pid.0)));
            }
            b"cmdline" => self.process(pid).cmdline = bytes.to_vec(),
            b"comm" => self.process(pid).comm = bytes.strip_suffix(b"\n").unwrap_or(bytes).to_vec(),
            b"stat" => {
                if let Some(stat) = process_files::stat(bytes) {
                    let process = self.process(pid);
                    process.start_ticks = stat.start_ticks;
                    process.parent = Some(Pid(stat.parent));
                    process.threads = process.threads.max(stat.threads);
                    process.state = process.state.or(stat.state);
                    if process.comm.is_empty() {
                        process.comm = stat.comm.to_vec();
                    }
                }
            }
            b"status" => {
                let status = process_files::status(bytes);
                let process = self.process(pid);
                process.state = status.state.or(process.state);
                process.threads = process.threads.max(status.threads);
                if process.comm.is_empty() {
                    process.comm = status.name.unwrap_or_default().to_vec();
                }
            }
            b"cgroup" => {
                let other_name =
                    if path.is_plain() { self.read_in.clone() } else { Some(self.file_of(path)) };
                self.process(pid).membership = self.memberships.read(pid, other_name, bytes);
            }
            b"links" => {
                let file = self.file_of(path);
                let process = self.process(pid);
                process.links = links::listing(bytes);
                process.links_file = file;
            }
            _ if name.ends_with(b"-stat") => {
                let file = self.file_of(path);
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
            b"sys/kernel/random/boot_id" => set_if_absent(&mut facts.boot_id, text_of(bytes)),
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
            b"mounts" | b"self/mounts" | b"self/mountinfo" if !bytes.is_empty() => {
                self.own_tables.push((file.to_owned(), bytes.to_vec()));
            }
            _ => {}
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
        self.follow_links();
        self.add_mounts();
        self.add_listed();
        self.add_open_files();
        self.sort_tables();
        self.count_bad_lines();
        self.name_pinned_tables();
        self.resolve_backing_nodes();
        let mut snapshot = self.snapshot;
        snapshot.recorded = self.recorded;
        order::sort(&mut snapshot.swaps);
        snapshot.swaps.dedup_by(|a, b| a.0 == b.0);
        let facts = &mut snapshot.facts;
        // Its hosts' own archives may lie in it; without one there are the cluster's logs only.
        if self.saw_must_gather && snapshot.tables.is_empty() {
            facts.format = "must-gather".into();
        }
        facts.complete = !self.left_out
            && *end == End::Complete
            && (self.saw_summary || !self.saw_manifest)
            && !facts.is_paste();
        if facts.format.is_empty() {
            facts.format = if self.saw_sosreport { "sosreport" } else { "proc-tree" }.into();
        }
        let shortcomings = super::shortcomings::of(&snapshot);
        snapshot.diagnostics.extend(shortcomings);
        snapshot.log_lines = self.logs.lines_read();
        snapshot.log_links = self.logs.links();
        snapshot.diagnostics.extend(super::shortcomings::forgotten_errors(self.logs.forgotten()));
        snapshot.errors = self.logs.finish();
        // A text without an error in it need not be a log: it does not say that nothing is busy.
        if snapshot.facts.is_paste() && snapshot.errors.is_empty() {
            snapshot.log_lines = 0;
        }
        snapshot.group_namespaces(&self.pinned_tables);
        together::note_namespace_keepers(&mut snapshot);
        together::add_container_processes(&mut snapshot);
        together::add_listed_containers(&mut snapshot, self.listed_containers);
        together::add_logged_layers(&mut snapshot);
        together::group_errors(&mut snapshot);
        order::sort(&mut snapshot.diagnostics);
        snapshot.daemon = snapshot.find_daemon();
        snapshot
    }
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
