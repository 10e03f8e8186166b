//! Processes of a synthetic host.

use super::mounts::Ns;

/// A process.
#[derive(Debug, Clone)]
pub struct Process {
    /// Pid on the host.
    pub pid: u32,
    /// Parent's pid.
    pub parent: u32,
    /// Short name, at most 15 bytes.
    pub comm: String,
    /// Arguments; empty for a kernel thread.
    pub args: Vec<String>,
    /// State letter of proc(5). A zombie (`Z`) has neither table nor links.
    pub state: char,
    /// Threads. A zombie with more than one is a process whose first thread has ended before the others.
    pub threads: u32,
    /// Mount namespace.
    pub ns: Ns,
    /// The one before, where its link was read while it still was there, and its table only afterwards.
    pub came_from: Option<Ns>,
    /// Inodes of the other namespaces, by name; where a name lacks, the host's is meant.
    pub other_ns: Vec<(String, u64)>,
    /// Path in the cgroup hierarchies, e.g. `/system.slice/httpd.service`.
    pub cgroup: String,
    /// Seconds after boot at which it was started.
    pub started: f64,
    /// Root directory as the host's pid 1 would name it within `ns`; `/` for most.
    pub root: String,
    /// `root`, `cwd`, `exe`, `fd/N` and `map/…`.
    pub links: Vec<Link>,
}

/// A link below `/proc/PID`, with what is behind it.
#[derive(Debug, Clone)]
pub struct Link {
    /// `cwd`, `fd/7`, …
    pub name: String,
    /// What readlink gives.
    pub target: String,
    /// Device number of the file system.
    pub device: (u32, u32),
    /// Inode number.
    pub inode: u64,
    /// Mount id; `None` for mappings.
    pub mount: Option<u32>,
    /// `reg`, `dir`, `blk`, …
    pub kind: &'static str,
    /// Device number of a device node.
    pub node: Option<(u32, u32)>,
}

impl Process {
    /// False for one that has ended and that nobody has waited for.
    pub fn is_alive(&self) -> bool {
        self.state != 'Z' || self.threads > 1
    }

    /// True for a thread of the kernel.
    pub fn is_kernel_thread(&self) -> bool {
        self.args.is_empty() && self.parent <= 2 && self.pid > 1
    }

    /// `/proc/PID/stat`.
    pub fn stat(&self, clock_ticks: u64) -> String {
        let ticks = (self.started * clock_ticks as f64) as u64;
        let Self { pid, parent, comm, state, threads, .. } = self;
        format!(
            "{pid} ({comm}) {state} {parent} {pid} {pid} 0 -1 4194560 342 0 0 0 3 5 0 0 20 0 {threads} 0 {ticks} 6733824 1133 \
             18446744073709551615 1 1 0 0 0 0 0 16781312 134235883 1 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
        )
    }

    /// `/proc/PID/status`, its most telling lines.
    pub fn status(&self) -> String {
        let Self { pid, parent, comm, state, threads, .. } = self;
        let word = match state {
            'R' => "running",
            'D' => "disk sleep",
            'Z' => "zombie",
            _ => "sleeping",
        };
        format!(
            "Name:\t{comm}\nState:\t{state} ({word})\nTgid:\t{pid}\nNgid:\t0\nPid:\t{pid}\nPPid:\t{parent}\nTracerPid:\t0\n\
             Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nFDSize:\t64\nThreads:\t{threads}\nCapEff:\t0000001fffffffff\nSeccomp:\t0\n"
        )
    }
}
