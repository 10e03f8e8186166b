//! One process: its mount table, identity, namespaces and open references.

mod identity;
mod links;
mod maps;
pub(crate) mod mount_table;

use std::collections::HashMap;
use std::io;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, OnceLock};

use self::identity::Stat;
use self::mount_table::{Table, TableFacts, TableKey};
use crate::bundle::{Kind, Secrets};
use crate::context::{Context, Fact};
use crate::host_files::{Buffer, Dir};
use crate::summary::Skip;
use crate::sys::Behind;
use crate::watchdog::Batch;

/// Longest command line taken; longer ones are cut and counted.
const CMDLINE_MAX: usize = 128 * 1024;
/// Longest of the other small files.
const SMALL_MAX: usize = 64 * 1024;
/// Most threads looked at in one process.
const THREADS_MAX: usize = 4096;
const NAMESPACES: [&str; 7] = ["ns/mnt", "ns/net", "ns/pid", "ns/user", "ns/ipc", "ns/uts", "ns/cgroup"];

/// A process to read.
#[derive(Clone, Debug)]
pub(crate) struct ProcessJob {
    pub(crate) pid: u32,
    /// Reading all of it hung: ask only what needs neither its memory nor its files.
    pub(crate) gentle: bool,
}

/// Reads processes one after another. Several readers work at the same time.
pub(crate) struct ProcessReader {
    context: Arc<Context>,
    known: Arc<Known>,
    /// The texts of the namespace links of the first process that was read in each mount namespace.
    namespaces: HashMap<Vec<u8>, Vec<Vec<u8>>>,
    buffer: Buffer,
}

/// What all readers know.
#[derive(Debug)]
pub(crate) struct Known {
    tables: Mutex<HashMap<TableKey, KnownTable>>,
    descriptors_left: AtomicUsize,
    /// Id of the first process's mount at `/dev`.
    devices: OnceLock<Option<u64>>,
}

impl Default for Known {
    fn default() -> Self {
        let descriptors_left = AtomicUsize::new(links::DESCRIPTORS_MAX);
        Self { tables: Mutex::default(), descriptors_left, devices: OnceLock::new() }
    }
}

/// A table that a process has.
#[derive(Clone, Debug)]
struct KnownTable {
    pid: u32,
    facts: Arc<TableFacts>,
}

impl Known {
    /// A process before this one, so that its entry is earlier in the bundle, that has this table.
    fn table(&self, key: &TableKey, pid: u32) -> Option<KnownTable> {
        self.tables.lock().ok()?.get(key).filter(|known| known.pid < pid).cloned()
    }

    fn add_table(&self, key: TableKey, table: KnownTable) {
        if let Ok(mut tables) = self.tables.lock()
            && tables.get(&key).is_none_or(|known| known.pid > table.pid)
        {
            tables.insert(key, table);
        }
    }
}

/// Why a process is not in the bundle.
struct Vanished(io::Error);

impl ProcessReader {
    pub(crate) fn new(context: Arc<Context>, known: Arc<Known>) -> Self {
        Self { context, known, namespaces: HashMap::new(), buffer: Buffer::default() }
    }

    /// Adds a process to the batch.
    pub(crate) fn read(&mut self, job: &ProcessJob, batch: &mut Batch<Fact>) {
        let before = (batch.entries.mark(), batch.skips.len(), batch.facts.len());
        if let Err(Vanished(error)) = self.read_into(job, batch) {
            // Half a process would look like one without open files: all or nothing.
            batch.entries.back_to(before.0);
            batch.skips.truncate(before.1);
            batch.facts.truncate(before.2);
            batch.skips.push(Skip::new("proc/PID", format!("proc/{}", job.pid).as_bytes(), &error));
        }
    }

    fn read_into(&mut self, job: &ProcessJob, batch: &mut Batch<Fact>) -> Result<(), Vanished> {
        let proc = &self.context.proc;
        let name = job.pid.to_string();
        let dir = proc.dir.sub(name.as_bytes()).map_err(Vanished)?;
        let prefix = format!("proc/{name}/").into_bytes();
        let buffer = &mut self.buffer;
        let mut process = Process {
            pid: job.pid,
            prefix,
            dir: &dir,
            live: proc.live,
            batch,
            buffer,
            seen: Seen::default(),
            moves: false,
        };

        let stat = process.stat()?;
        // Its first thread has ended and shows nothing any more; what the others have is the process's.
        let thread = if stat.zombie && stat.threads > 1 { living_thread(&dir) } else { None };
        process.dir = thread.as_ref().unwrap_or(&dir);
        let known = |key: &TableKey| self.known.table(key, job.pid);
        let (namespace, table) = mount_table::read(&mut process, &known);
        let in_chroot = process.seen.root.as_ref().is_some_and(|(text, _)| text != b"/");
        let (facts, key) = match table {
            Ok(Table::Read { key, facts }) => {
                facts.report(job.pid, &mut process.batch.facts);
                (Arc::new(facts), key)
            }
            Ok(Table::Same(known)) => {
                let same_as = format!("proc/{}/mountinfo", known.pid);
                process.add(Kind::SameTable, "mountinfo", same_as.as_bytes());
                (known.facts, None)
            }
            Err(error) => {
                process.not_read("mountinfo", error)?;
                (Arc::default(), None)
            }
        };
        let command = process.command(job.gentle)?;
        process.small("status")?;
        process.small("cgroup")?;
        let cgroup = identity::unit_of(process.buffer.bytes());
        process.namespace_links(&mut self.namespaces);
        let devices = *self.known.devices.get_or_init(|| facts.devices_mount);
        if !stat.zombie || thread.is_some() {
            let wanted = links::Wanted {
                gentle: job.gentle,
                kernel_thread: stat.kernel_thread,
                descriptors: self.context.options.descriptors,
                devices,
            };
            links::read(&mut process, wanted, &facts, &self.known.descriptors_left)?;
        }

        process.dir = &dir;
        if stat.threads > 1 {
            process.thread_namespaces(namespace);
        }
        if let Some(inode) = namespace.filter(|_| in_chroot) {
            process.batch.facts.push(Fact::Chroot { pid: job.pid, inode });
        }
        identity::report(namespace, &command, cgroup, &mut batch.facts);
        // Only now: a table of a process that vanished is not in the bundle, and nothing may link to it.
        if let Some(key) = key {
            self.known.add_table(key, KnownTable { pid: job.pid, facts });
        }
        Ok(())
    }
}

/// The directory of the first thread that still runs.
fn living_thread(process: &Dir) -> Option<Dir> {
    let threads = process.listable(b"task").and_then(|dir| dir.numbers()).unwrap_or_default();
    let threads = threads.into_iter().take(THREADS_MAX);
    let runs = |thread: &Dir| thread.link(b"ns/mnt").is_ok();
    threads.filter_map(|thread| process.sub(format!("task/{thread}").as_bytes()).ok()).find(runs)
}

/// A process being read.
struct Process<'a> {
    pid: u32,
    /// `proc/PID/`
    prefix: Vec<u8>,
    /// `/proc/PID`, or that of a thread. It stays with this process: when the pid is used again, it answers ESRCH.
    dir: &'a Dir,
    live: bool,
    batch: &'a mut Batch<Fact>,
    /// What was read last.
    buffer: &'a mut Buffer,
    seen: Seen,
    /// It changed its mount namespace each time that it was read: which one its table is of is not known.
    moves: bool,
}

/// What the mount table's reading has asked last, to be copied.
#[derive(Default)]
struct Seen {
    /// The text of `ns/mnt`.
    mount_namespace: Option<Vec<u8>>,
    root: Option<(Vec<u8>, Behind)>,
}

/// Where in a batch the entries of this name are: like with like.
fn rank(name: &str) -> u8 {
    const ORDER: [&str; 12] = [
        "mountinfo",
        "cmdline",
        "comm",
        "stat",
        "status",
        "cgroup",
        "ns/mnt",
        "root",
        "cwd",
        "exe",
        "links",
        "fd/",
    ];
    let at = ORDER.iter().position(|start| name.starts_with(start)).unwrap_or(ORDER.len());
    // `stat` is also how `status` starts.
    at as u8 + u8::from(name == "status")
}

impl Process<'_> {
    fn path(&self, name: &str) -> Vec<u8> {
        [&self.prefix, name.as_bytes()].concat()
    }

    fn add(&mut self, kind: Kind, name: &str, data: &[u8]) {
        self.batch.entries.add(kind, rank(name), &[&self.prefix, name.as_bytes()], data);
    }

    /// Adds what is in the buffer.
    fn add_buffer(&mut self, kind: Kind, name: &str) {
        let path = [self.prefix.as_slice(), name.as_bytes()];
        self.batch.entries.add(kind, rank(name), &path, self.buffer.bytes());
    }

    /// The text of a link, in the buffer.
    fn link(&mut self, name: &str) -> io::Result<&[u8]> {
        self.dir.link_into(name.as_bytes(), self.buffer)?;
        Ok(self.buffer.bytes())
    }

    /// Counts what could not be read; on a live host a missing file means that the process has ended.
    fn not_read(&mut self, name: &str, error: io::Error) -> Result<(), Vanished> {
        if self.live && matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH)) {
            return Err(Vanished(error));
        }
        self.count(name, name, &error);
        Ok(())
    }

    fn count(&mut self, kind: &str, name: &str, error: &io::Error) {
        let path = self.path(name);
        self.batch.skips.push(Skip::new(&format!("proc/PID/{kind}"), &path, error));
    }

    fn stat(&mut self) -> Result<Stat, Vanished> {
        match self.dir.read_record(b"stat", SMALL_MAX, self.buffer) {
            Ok(()) => {
                let text = self.buffer.bytes();
                let stat = Stat::parse(text);
                let plain = identity::without_addresses(text);
                // `comm` says what stands in `stat`, unless that is escaped.
                let has_name = self.live && identity::has_plain_name(text);
                self.add(Kind::File(Secrets::None), "stat", &plain);
                if !has_name {
                    self.small("comm")?;
                }
                Ok(stat)
            }
            Err(error) => self.not_read("stat", error).map(|()| Stat::default()),
        }
    }

    /// Copies a small file; its text stays in the buffer, which is empty when it could not be read.
    fn small(&mut self, name: &str) -> Result<(), Vanished> {
        match self.dir.read_record(name.as_bytes(), SMALL_MAX, self.buffer) {
            Ok(()) => {
                self.add_buffer(Kind::File(Secrets::None), name);
                Ok(())
            }
            // Kernels without cgroups lack this file for every process.
            Err(error) if name == "cgroup" && error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
            Err(error) => self.not_read(name, error),
        }
    }

    /// The command line as it is, for this host's eyes only; what goes into the bundle loses its secrets.
    fn command(&mut self, gentle: bool) -> Result<Vec<u8>, Vanished> {
        if gentle {
            // It is read from the process's memory, which may be what hung.
            return Ok(Vec::new());
        }
        match self.dir.read_record(b"cmdline", CMDLINE_MAX, self.buffer) {
            Ok(()) => {
                if self.buffer.truncated {
                    let why = format!("longer than {CMDLINE_MAX} bytes; the start was kept");
                    let path = self.path("cmdline");
                    self.batch.skips.push(Skip::because("proc/PID/cmdline", &path, "cut", why));
                }
                self.add_buffer(Kind::File(Secrets::Arguments), "cmdline");
                Ok(self.buffer.bytes().to_vec())
            }
            Err(error) => self.not_read("cmdline", error).map(|()| Vec::new()),
        }
    }

    /// The inode number of the mount namespace, `None` when it may not be seen.
    fn mount_namespace(&mut self) -> Option<u64> {
        let text = self.link("ns/mnt").ok().map(<[u8]>::to_vec);
        let inode = text.as_deref().and_then(|text| mount_table::inode_of(text, "mnt"));
        self.seen.mount_namespace = text;
        inode
    }

    /// A thread may have left its process's mount namespace: nothing else shows where it is.
    fn thread_namespaces(&mut self, own: Option<u64>) {
        let threads = self.dir.listable(b"task").and_then(|dir| dir.numbers()).unwrap_or_default();
        if threads.len() > THREADS_MAX {
            let why = format!("only the first {THREADS_MAX} threads of a process are looked at");
            self.batch.skips.push(Skip::because("proc/PID/task", &self.path("task"), "cap", why));
        }
        for thread in threads.into_iter().take(THREADS_MAX) {
            let text = self.link(&format!("task/{thread}/ns/mnt")).ok();
            if let Some(inode) = text.and_then(|text| mount_table::inode_of(text, "mnt"))
                && own != Some(inode)
            {
                self.batch.facts.push(Fact::ThreadNamespace { pid: self.pid, thread, inode });
            }
        }
    }

    /// Copies the namespace links: all of the first process in a mount namespace, and of the others `ns/mnt` and
    /// those that are not the same.
    fn namespace_links(&mut self, first: &mut HashMap<Vec<u8>, Vec<Vec<u8>>>) {
        let mut own = Vec::new();
        for (kind, name) in NAMESPACES.into_iter().enumerate() {
            if kind == 0 && self.moves {
                let why = "the process changed its mount namespace each time that it was read".to_owned();
                self.batch.skips.push(Skip::because("proc/PID/ns/*", &self.path(name), "moved", why));
                continue;
            }
            if kind == 0
                && let Some(text) = self.seen.mount_namespace.take()
            {
                self.add(Kind::Symlink, name, &text);
                own = text;
                continue;
            }
            match self.dir.link_into(name.as_bytes(), self.buffer) {
                Ok(()) => {}
                // Older kernels have fewer kinds of namespaces, and a zombie has none.
                Err(error) if error.raw_os_error() == Some(libc::ENOENT) => continue,
                Err(error) => {
                    self.count("ns/*", name, &error);
                    continue;
                }
            }
            let text = self.buffer.bytes();
            if !first.contains_key(&own) {
                first.insert(own.clone(), vec![]);
            }
            let Some(others) = first.get_mut(&own) else { continue };
            let is_known = self.live && !own.is_empty() && others.iter().any(|other| other == text);
            if !is_known {
                // The first of its kind; a later one that differs stays a difference.
                let start = text.iter().position(|&b| b == b'[').unwrap_or(text.len());
                if !others.iter().any(|other| other.starts_with(&text[..start])) {
                    others.push(text.to_vec());
                }
                self.add_buffer(Kind::Symlink, name);
            }
        }
    }
}
