//! Synthetic hosts: made by the calls that a real host would have seen, written as a real collector would.
//!
//! ```
//! use ebusy_tests::synth::{Host, Propagation, Run};
//!
//! let mut host = Host::new("web1", "3.10.0-514.el7.x86_64");
//! host.docker_overlay2("17.03.1-ce");
//! let web = host.run(&Run::new("web", "nginx:1.10"));
//! let leaked = host.mounts.copy_with(host.ns, Propagation::Private);
//! host.spawn_in(leaked, "sleep", &["sleep", "1000"]);
//! host.stop(&web);
//! let bundle = host.bundle();
//! assert!(bundle.starts_with(&[0x1f, 0x8b]));
//! ```

mod blocks;
mod docker;
mod ids;
mod mounts;
mod process;
mod systemd;
mod time;
mod write;

pub use blocks::Block;
pub use docker::{Container, Docker, Driver, Run, Volume};
pub use ids::{hex64, suffix};
pub use mounts::{Fs, Mount, Mounts, Ns, Propagation};
pub use process::{Link, Process};
pub use systemd::{Sandbox, Service};
pub use time::rfc3339;
pub use write::{Content, Entry, gzip, tar};

use std::collections::{BTreeMap, BTreeSet};

/// Inode numbers of the initial namespaces (include/linux/proc_ns.h); the mount namespace has no fixed one.
const INITIAL_NS: [(&str, u64); 5] = [
    ("ipc", 4_026_531_839),
    ("net", 4_026_531_956),
    ("pid", 4_026_531_836),
    ("user", 4_026_531_837),
    ("uts", 4_026_531_838),
];
const HOST_MNT_NS: u64 = 4_026_531_840;
const FIRST_MNT_NS: u64 = 4_026_532_180;

/// A host that can be written as a bundle.
#[derive(Debug, Clone)]
pub struct Host {
    /// Host name.
    pub name: String,
    /// Kernel release.
    pub kernel: String,
    /// Content of `/proc/sys/fs/may_detach_mounts`; `None` where the kernel has no such file.
    pub may_detach_mounts: Option<u8>,
    /// Seconds since 1970.
    pub boot_time: u64,
    /// How often it was restarted; each boot has an id of its own.
    pub boots: u32,
    /// Seconds since boot: the time at which the next thing happens.
    pub now: u64,
    /// True for the one hierarchy of cgroup v2.
    pub cgroup_v2: bool,
    /// Uid that the collector runs as; not 0: it could not read other users' links and tables.
    pub collector_uid: u32,
    /// All mount namespaces.
    pub mounts: Mounts,
    /// The host's own mount namespace, that of pid 1.
    pub ns: Ns,
    /// By pid.
    pub processes: BTreeMap<u32, Process>,
    /// Lines of the runtime's log.
    pub log: Vec<String>,
    /// Block devices by name (`dm-1`, `loop0`).
    pub blocks: BTreeMap<String, Block>,
    /// Docker, once it runs.
    pub docker: Option<Docker>,
    /// `systemctl show` of units with a namespace of their own.
    pub units: BTreeMap<String, String>,
    /// Namespaces without a process, with the lines of `kept-by`.
    pub kept: BTreeMap<Ns, Vec<String>>,
    /// Processes whose table, namespaces and links the collector was refused, though it was root: by a security module.
    pub refused: BTreeSet<u32>,
    /// Further files of the host, by path without the leading slash.
    pub files: BTreeMap<String, Vec<u8>>,
    next_pid: u32,
    next_inode: u64,
    next_minor: u32,
}

impl Host {
    /// A host just booted with systemd: pid 1, kernel threads, and the table of such a host, all shared.
    pub fn new(name: &str, kernel: &str) -> Self {
        let mut mounts = Mounts::default();
        let ns = mounts.new_namespace(&Fs::new(
            (253, 0),
            "xfs",
            "/dev/mapper/vg0-root",
            "rw,attr2,inode64,noquota",
        ));
        mounts.make(ns, "/", true, Propagation::Shared);
        let mut host = Self {
            name: name.into(),
            kernel: kernel.into(),
            may_detach_mounts: None,
            boot_time: 1_491_981_200,
            boots: 0,
            now: 1,
            cgroup_v2: false,
            collector_uid: 0,
            mounts,
            ns,
            processes: BTreeMap::new(),
            log: Vec::new(),
            blocks: BTreeMap::new(),
            docker: None,
            units: BTreeMap::new(),
            kept: BTreeMap::new(),
            refused: BTreeSet::new(),
            files: BTreeMap::new(),
            next_pid: 3,
            next_inode: 4_026_532_400,
            next_minor: 40,
        };
        host.mount_system();
        host.block_device("dm-0", Block::device_mapper((253, 0), "vg0-root", "LVM-synthetic-root"));
        host.add_process(
            1,
            0,
            "systemd",
            &["/usr/lib/systemd/systemd", "--switched-root", "--system"],
            ns,
            "/",
        );
        host.add_process(2, 0, "kthreadd", &[], ns, "/");
        host
    }

    /// The virtual file systems of a systemd host with cgroup v1.
    fn mount_system(&mut self) {
        let nosuid = "rw,nosuid,nodev,noexec,relatime";
        let virtual_fs = [
            ("/sys", 17, "sysfs", "sysfs", "rw", nosuid),
            ("/proc", 3, "proc", "proc", "rw", nosuid),
            ("/dev", 5, "devtmpfs", "devtmpfs", "rw,size=3993004k,nr_inodes=998251,mode=755", "rw,nosuid"),
            ("/sys/kernel/security", 16, "securityfs", "securityfs", "rw", nosuid),
            ("/dev/shm", 18, "tmpfs", "tmpfs", "rw", "rw,nosuid,nodev"),
            (
                "/dev/pts",
                12,
                "devpts",
                "devpts",
                "rw,gid=5,mode=620,ptmxmode=000",
                "rw,nosuid,noexec,relatime",
            ),
            ("/run", 19, "tmpfs", "tmpfs", "rw,mode=755", "rw,nosuid,nodev"),
            ("/sys/fs/cgroup", 20, "tmpfs", "tmpfs", "ro,mode=755", "ro,nosuid,nodev,noexec"),
            ("/sys/fs/cgroup/systemd", 21, "cgroup", "cgroup", "rw,xattr,name=systemd", nosuid),
            ("/sys/fs/pstore", 22, "pstore", "pstore", "rw", nosuid),
            ("/sys/fs/cgroup/memory", 23, "cgroup", "cgroup", "rw,memory", nosuid),
            ("/sys/fs/cgroup/devices", 24, "cgroup", "cgroup", "rw,devices", nosuid),
            ("/sys/fs/cgroup/cpu,cpuacct", 25, "cgroup", "cgroup", "rw,cpuacct,cpu", nosuid),
            ("/sys/fs/cgroup/pids", 26, "cgroup", "cgroup", "rw,pids", nosuid),
            ("/sys/fs/cgroup/freezer", 27, "cgroup", "cgroup", "rw,freezer", nosuid),
            ("/sys/kernel/config", 35, "configfs", "configfs", "rw", "rw,relatime"),
            ("/dev/mqueue", 14, "mqueue", "mqueue", "rw", "rw,relatime"),
            ("/dev/hugepages", 36, "hugetlbfs", "hugetlbfs", "rw", "rw,relatime"),
            ("/sys/kernel/debug", 6, "debugfs", "debugfs", "rw", "rw,relatime"),
        ];
        for (at, minor, fs_type, source, super_options, options) in virtual_fs {
            let fs = Fs::new((0, minor), fs_type, source, super_options).options(options);
            self.mounts.mount(self.ns, at, &fs);
        }
        let boot = Fs::new((8, 1), "xfs", "/dev/sda1", "rw,attr2,inode64,noquota");
        self.mounts.mount(self.ns, "/boot", &boot);
    }

    /// A tmpfs with a device number that nothing else has.
    pub fn tmpfs(&mut self, source: &str, super_options: &str) -> Fs {
        self.next_minor += 1;
        Fs::new((0, self.next_minor), "tmpfs", source, super_options)
    }

    /// Lets time go by.
    pub fn wait(&mut self, seconds: u64) {
        self.now += seconds;
    }

    /// Time now, seconds since 1970.
    pub fn time(&self) -> u64 {
        self.boot_time + self.now
    }

    /// A process in the host's namespace and cgroup root. Returns its pid.
    pub fn spawn(&mut self, comm: &str, args: &[&str]) -> u32 {
        self.spawn_in(self.ns, comm, args)
    }

    /// A process of root's login session in another mount namespace.
    pub fn spawn_in(&mut self, ns: Ns, comm: &str, args: &[&str]) -> u32 {
        self.spawn_as(1, ns, comm, args, "/user.slice/user-0.slice/session-1.scope")
    }

    /// A process with parent and cgroup.
    pub fn spawn_as(&mut self, parent: u32, ns: Ns, comm: &str, args: &[&str], cgroup: &str) -> u32 {
        let pid = self.next_pid;
        // A few pids are always used up by something short-lived.
        self.next_pid += 1 + pid % 3;
        self.add_process(pid, parent, comm, args, ns, cgroup);
        pid
    }

    /// Threads of the kernel.
    pub fn kernel_threads(&mut self, names: &[&str]) {
        for name in names {
            self.spawn_as(2, self.ns, name, &[], "/");
        }
    }

    fn add_process(&mut self, pid: u32, parent: u32, comm: &str, args: &[&str], ns: Ns, cgroup: &str) {
        let process = Process {
            pid,
            parent,
            comm: comm.chars().take(15).collect(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            state: 'S',
            threads: 1,
            ns,
            came_from: None,
            other_ns: Vec::new(),
            cgroup: cgroup.into(),
            started: self.now as f64 + f64::from(pid % 100) / 100.0,
            root: "/".into(),
            links: Vec::new(),
        };
        self.processes.insert(pid, process);
        if self.processes[&pid].is_kernel_thread() {
            return;
        }
        self.link(pid, "root", "/", "dir");
        self.link(pid, "cwd", "/", "dir");
        if let Some(exe) = args.first().filter(|arg| arg.starts_with('/')) {
            self.link(pid, "exe", exe, "reg");
        }
    }

    /// The next pid will be at least `pid`.
    pub fn skip_to_pid(&mut self, pid: u32) {
        self.next_pid = self.next_pid.max(pid);
    }

    /// The process behind a pid, to be changed.
    pub fn process(&mut self, pid: u32) -> &mut Process {
        self.processes.get_mut(&pid).expect("a pid that was returned by spawn")
    }

    /// A process gets a pid that was another's before.
    pub fn reuse_pid(&mut self, pid: u32, comm: &str, args: &[&str]) {
        self.add_process(pid, 1, comm, args, self.ns, "/user.slice/user-0.slice/session-1.scope");
    }

    /// Ends a process.
    pub fn kill(&mut self, pid: u32) {
        self.processes.remove(&pid);
    }

    /// `chroot DIR` of a process.
    pub fn chroot(&mut self, pid: u32, root: &str) {
        self.process(pid).root = root.into();
        self.link(pid, "root", root, "dir");
        let on = self.root_mount(&self.processes[&pid]);
        self.mounts.refer(on);
    }

    /// The mount that a process's root directory is on: as it was when the process went there, whatever covers it now.
    pub fn root_mount(&self, process: &Process) -> u32 {
        let link = process.links.iter().find(|link| link.name == "root");
        link.and_then(|link| link.mount).unwrap_or_else(|| self.mounts.covering(process.ns, &process.root).id)
    }

    /// `/proc/PID/mountinfo`.
    pub fn table_of(&self, process: &Process) -> String {
        self.mounts.mountinfo_from(process.ns, &process.root, self.root_mount(process))
    }

    /// Gives a process an open file, directory or mapping: `name` is `cwd`, `fd/7`, `map/7f1c00000000`,
    /// `path` is as seen in its mount namespace, `kind` is `reg`, `dir`, …
    pub fn link(&mut self, pid: u32, name: &str, path: &str, kind: &'static str) {
        let mount = self.mounts.covering(self.processes[&pid].ns, path);
        let link = Link {
            name: name.into(),
            target: path.into(),
            device: mount.fs.device,
            inode: inode(path),
            mount: (!name.starts_with("map/")).then_some(mount.id),
            kind,
            node: None,
        };
        self.set_link(pid, link);
    }

    /// Like [`Self::link`], with every value as given: what is left after a lazy umount.
    pub fn set_link(&mut self, pid: u32, link: Link) {
        let links = &mut self.process(pid).links;
        links.retain(|other| other.name != link.name);
        links.push(link);
    }

    /// A process that has a file open on a file system that a lazy umount took out of every table.
    pub fn open_unmounted(&mut self, pid: u32, device: (u32, u32)) {
        let link = Link {
            name: "fd/3".into(),
            target: "/rootfs/var/log/x".into(),
            device,
            inode: 77,
            mount: Some(999_999),
            kind: "reg",
            node: None,
        };
        self.set_link(pid, link);
    }

    /// A process that has a block device open.
    pub fn open_device(&mut self, pid: u32, name: &str, path: &str, node: (u32, u32)) {
        self.link(pid, name, path, "blk");
        if let Some(link) = self.process(pid).links.last_mut() {
            link.node = Some(node);
        }
    }

    /// Inode of a mount namespace.
    pub fn inode_of(&self, ns: Ns) -> u64 {
        if ns == self.ns { HOST_MNT_NS } else { FIRST_MNT_NS + ns.0 as u64 }
    }

    /// The mount namespaces that are alive, in the order in which they were made.
    pub fn namespaces(&self) -> BTreeSet<Ns> {
        self.processes.values().map(|process| process.ns).chain(self.kept.keys().copied()).collect()
    }

    /// Whether all processes that are in a namespace, as their links tell, are in a chroot: the collector goes in
    /// itself then.
    pub fn collector_goes_into(&self, ns: Ns) -> bool {
        let linked = |p: &&Process| p.is_alive() && p.came_from.unwrap_or(p.ns) == ns;
        let mut linked = self.processes.values().filter(linked).peekable();
        let stayed = self.processes.values().any(|p| p.is_alive() && p.ns == ns && p.came_from.is_none());
        self.collector_uid == 0 && stayed && linked.peek().is_some() && linked.all(|p| p.root != "/")
    }

    /// Number of a further namespace of any kind.
    pub fn new_inode(&mut self) -> u64 {
        self.next_inode += 1;
        self.next_inode
    }

    /// Keeps a namespace without a process: `kept_by` is a line such as `bind 1 /run/ns/x` or `fd 12 9`.
    pub fn keep(&mut self, ns: Ns, kept_by: &str) {
        self.kept.entry(ns).or_default().push(kept_by.into());
    }

    /// A line of a process's log as `journalctl -o short-iso` prints it.
    pub fn log_line(&mut self, comm: &str, pid: u32, message: &str) {
        let time = rfc3339(self.time()).replace('Z', "+0000");
        self.log.push(format!("{time} {} {comm}[{pid}]: {message}", self.name));
    }
}

/// Some inode number that only depends on the path.
fn inode(path: &str) -> u64 {
    match path {
        "/" => 64,
        path => u64::from_str_radix(&hex64(path)[..6], 16).unwrap_or(65) + 100,
    }
}
