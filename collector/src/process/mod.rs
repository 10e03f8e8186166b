//! One process: its mount table, identity, namespaces and open references.

mod identity;
mod links;
mod maps;
pub(crate) mod mount_table;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use self::identity::Stat;
use self::mount_table::{Table, TableFacts, TableKey};
use crate::bundle::{Entry, Secrets};
use crate::context::{Context, Fact};
use crate::host_files::Dir;
use crate::summary::Skip;
use crate::watchdog::Batch;

/// Longest command line taken; longer ones are cut and counted.
const CMDLINE_MAX: usize = 128 * 1024;
/// Longest of the other small files.
const SMALL_MAX: usize = 64 * 1024;
/// Most threads looked at in one process.
const THREADS_MAX: usize = 4096;
const NAMESPACES: [&str; 7] = ["mnt", "net", "pid", "user", "ipc", "uts", "cgroup"];

/// A process to read.
#[derive(Clone, Debug)]
pub(crate) struct ProcessJob {
    pub(crate) pid: u32,
    /// Reading all of it hung: ask only what needs neither its memory nor its files.
    pub(crate) gentle: bool,
}

/// Reads processes one after another and remembers which mount tables it has seen.
pub(crate) struct ProcessReader {
    context: Arc<Context>,
    known: HashMap<TableKey, Known>,
    descriptors_left: usize,
}

/// A table that some process before had.
struct Known {
    path: Vec<u8>,
    facts: Arc<TableFacts>,
}

/// Why a process is not in the bundle.
struct Vanished(io::Error);

impl ProcessReader {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self { context, known: HashMap::new(), descriptors_left: links::DESCRIPTORS_MAX }
    }

    pub(crate) fn read(&mut self, job: &ProcessJob) -> Batch<Fact> {
        let mut batch = Batch::new();
        match self.read_into(job, &mut batch) {
            Ok(()) => batch,
            // Half a process would look like one without open files: all or nothing.
            Err(Vanished(error)) => {
                let skip = Skip::new("proc/PID", format!("proc/{}", job.pid).as_bytes(), &error);
                Batch { skips: vec![skip], ..Batch::new() }
            }
        }
    }

    fn read_into(&mut self, job: &ProcessJob, batch: &mut Batch<Fact>) -> Result<(), Vanished> {
        let proc = &self.context.proc;
        let name = job.pid.to_string();
        let dir = proc.dir.sub(name.as_bytes()).map_err(Vanished)?;
        let mut process = Process { pid: job.pid, dir: &dir, live: proc.live, batch };

        let stat = process.stat()?;
        let namespace = process.mount_namespace();
        let (facts, key) = match mount_table::read(&process, namespace, &self.known_tables()) {
            Ok(Table::Read { data, key, facts }) => {
                process.batch.entries.push(Entry::Table { path: process.path("mountinfo"), data });
                facts.report(job.pid, &mut process.batch.facts);
                (Arc::new(facts), key)
            }
            Ok(Table::Same { same_as, facts }) => {
                process.batch.entries.push(Entry::SameTable { path: process.path("mountinfo"), same_as });
                (facts, None)
            }
            Err(error) => {
                process.not_read("mountinfo", error)?;
                (Arc::default(), None)
            }
        };
        let command = process.command(job.gentle)?;
        process.small("comm")?;
        if let Some(text) = &stat.text {
            process.batch.entries.push(Entry::plain(process.path("stat"), text.clone()));
        }
        process.small("status")?;
        let cgroup = process.small("cgroup")?;
        process.namespace_links();
        if !stat.zombie {
            let wanted = links::Wanted {
                gentle: job.gentle,
                kernel_thread: stat.kernel_thread,
                descriptors: self.context.options.descriptors,
            };
            links::read(&mut process, wanted, &facts, &mut self.descriptors_left)?;
        }

        if stat.threads > 1 {
            process.thread_namespaces(namespace);
        }
        identity::report(namespace, &command, &cgroup, &mut batch.facts);
        // Only now: a table of a process that vanished is not in the bundle, and nothing may link to it.
        if let Some(key) = key {
            let path = format!("proc/{}/mountinfo", job.pid).into_bytes();
            self.known.insert(key, Known { path, facts });
        }
        Ok(())
    }

    fn known_tables(&self) -> impl Fn(&TableKey) -> Option<(Vec<u8>, Arc<TableFacts>)> + '_ {
        |key| self.known.get(key).map(|known| (known.path.clone(), Arc::clone(&known.facts)))
    }
}

/// A process being read.
struct Process<'a> {
    pid: u32,
    /// `/proc/PID`. It stays with this process: when the pid is used again, it answers ESRCH.
    dir: &'a Dir,
    live: bool,
    batch: &'a mut Batch<Fact>,
}

impl Process<'_> {
    fn path(&self, name: &str) -> Vec<u8> {
        format!("proc/{}/{name}", self.pid).into_bytes()
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
        match self.dir.read_record(b"stat", SMALL_MAX) {
            Ok(content) => Ok(Stat::parse(content.bytes)),
            Err(error) => self.not_read("stat", error).map(|()| Stat::default()),
        }
    }

    /// Copies a small file and returns its text, empty when it could not be read.
    fn small(&mut self, name: &str) -> Result<Vec<u8>, Vanished> {
        match self.dir.read_record(name.as_bytes(), SMALL_MAX) {
            Ok(content) => {
                self.batch.entries.push(Entry::plain(self.path(name), content.bytes.clone()));
                Ok(content.bytes)
            }
            // Kernels without cgroups lack this file for every process.
            Err(error) if name == "cgroup" && error.raw_os_error() == Some(libc::ENOENT) => Ok(Vec::new()),
            Err(error) => self.not_read(name, error).map(|()| Vec::new()),
        }
    }

    /// The command line as it is, for this host's eyes only; what goes into the bundle loses its secrets.
    fn command(&mut self, gentle: bool) -> Result<Vec<u8>, Vanished> {
        if gentle {
            // It is read from the process's memory, which may be what hung.
            return Ok(Vec::new());
        }
        match self.dir.read_record(b"cmdline", CMDLINE_MAX) {
            Ok(content) => {
                let path = self.path("cmdline");
                if content.truncated {
                    let why = format!("longer than {CMDLINE_MAX} bytes; the start was kept");
                    self.batch.skips.push(Skip::because("proc/PID/cmdline", &path, "cut", why));
                }
                let data = content.bytes.clone();
                self.batch.entries.push(Entry::File { path, data, secrets: Secrets::Arguments });
                Ok(content.bytes)
            }
            Err(error) => self.not_read("cmdline", error).map(|()| Vec::new()),
        }
    }

    /// The inode number of the mount namespace, `None` when it may not be seen.
    fn mount_namespace(&self) -> Option<u64> {
        mount_table::inode_of(&self.dir.link(b"ns/mnt").ok()?, "mnt")
    }

    /// A thread may have left its process's mount namespace, or outlived the process's first thread (which then is a
    /// zombie without any): nothing else shows where it is.
    fn thread_namespaces(&mut self, own: Option<u64>) {
        let threads = self.dir.list(b"task").unwrap_or_default();
        if threads.len() > THREADS_MAX {
            let why = format!("only the first {THREADS_MAX} threads of a process are looked at");
            self.batch.skips.push(Skip::because("proc/PID/task", &self.path("task"), "cap", why));
        }
        for thread in threads.iter().take(THREADS_MAX) {
            let link = [b"task/", thread.as_slice(), b"/ns/mnt"].concat();
            let inode = self.dir.link(&link).ok().and_then(|text| mount_table::inode_of(&text, "mnt"));
            let thread = std::str::from_utf8(thread).ok().and_then(|text| text.parse().ok());
            if let (Some(inode), Some(thread)) = (inode, thread)
                && own != Some(inode)
            {
                self.batch.facts.push(Fact::ThreadNamespace { pid: self.pid, thread, inode });
            }
        }
    }

    fn namespace_links(&mut self) {
        for name in NAMESPACES {
            let link = format!("ns/{name}");
            match self.dir.link(link.as_bytes()) {
                Ok(target) => self.batch.entries.push(Entry::symlink(self.path(&link), target)),
                // Older kernels have fewer kinds of namespaces, and a zombie has none.
                Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {}
                Err(error) => self.count("ns/*", &link, &error),
            }
        }
    }
}
