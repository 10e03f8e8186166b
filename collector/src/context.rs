//! What every step is given, and what one step tells the next.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use crate::host_files::Dir;

/// The host under collection. Shared, unchanging.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) options: Options,
    pub(crate) proc: Proc,
    /// The host's root directory.
    pub(crate) root: Dir,
    pub(crate) started: SystemTime,
    pub(crate) deadline: Instant,
}

/// `/proc`, or a copy.
#[derive(Debug)]
pub(crate) struct Proc {
    pub(crate) dir: Dir,
    /// A procfs, whose links lead somewhere. `false`: a recorded copy.
    pub(crate) live: bool,
}

/// What is taken out of the bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Redact {
    /// Passwords, tokens and keys.
    Secrets,
    /// Also names of hosts and users, and addresses.
    Strict,
}

/// What the user asked for.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// `-`: standard output. `None`: a name made of host and time, here.
    pub(crate) output: Option<PathBuf>,
    /// The output is a page with the bundle inside.
    pub(crate) html: bool,
    pub(crate) proc: Option<PathBuf>,
    pub(crate) root: PathBuf,
    pub(crate) logs: Vec<PathBuf>,
    /// Logs are taken from this long ago.
    pub(crate) since: Duration,
    pub(crate) descriptors: bool,
    /// For the whole collection.
    pub(crate) timeout: Duration,
    /// Write nothing and say what would be taken.
    pub(crate) dry_run: bool,
    pub(crate) redact: Redact,
    /// Nothing on the terminal but errors.
    pub(crate) quiet: bool,
    /// The options as they were typed, for the manifest.
    pub(crate) given: Vec<String>,
}

impl Context {
    /// Whether the host's own programs can be asked: it is this one, running, and seen from its root.
    pub(crate) fn is_this_host(&self) -> bool {
        self.options.root == std::path::Path::new("/") && self.options.proc.is_none()
    }

    /// Seconds since 1970 from which on logs are wanted.
    pub(crate) fn logs_from(&self) -> u64 {
        let now = self.started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        now.saturating_sub(self.options.since).as_secs()
    }

    /// Time for an outside command: never more than half of what is left.
    pub(crate) fn time_for_command(&self, most: Duration) -> Duration {
        most.min(self.deadline.saturating_duration_since(Instant::now()) / 2)
    }
}

/// Which runtime a directory belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Runtime {
    /// docker's data root.
    Docker,
    /// docker's `daemon.json`.
    DockerConfig,
    /// containerd's state directory, by default `/run/containerd`.
    ContainerdState,
    /// containerd's root directory, by default `/var/lib/containerd`.
    ContainerdRoot,
    /// containerd's `config.toml`.
    ContainerdConfig,
    /// containers/storage (podman, CRI-O): the graph root.
    Storage,
    /// The directory of one running container of LXC, LXD or Incus.
    Lxc,
}

/// What a step learned that a later one needs.
#[derive(Clone, Debug)]
pub(crate) enum Fact {
    /// A process was read. They come in the order of their ids.
    Process { namespace: Option<u64>, unit: Option<String> },
    /// A process is in a chroot: its table shows a part of its mount namespace.
    Chroot { pid: u32, inode: u64 },
    /// A mount namespace is bound to a file at `path`, as `pid` sees it.
    Bound { pid: u32, path: Vec<u8>, inode: u64 },
    /// A process keeps a mount namespace open.
    OpenNamespace { pid: u32, fd: u32, inode: u64 },
    /// A thread has another mount namespace than its process.
    ThreadNamespace { pid: u32, thread: u32, inode: u64 },
    /// A mount namespace is bound to a file at `path` inside one that no process is in.
    BoundInside { outer: u64, path: Vec<u8>, inode: u64 },
    /// A runtime keeps its state here.
    Directory { runtime: Runtime, path: Vec<u8> },
    /// A namespace's table was read.
    NamespaceRead { inode: u64 },
}
