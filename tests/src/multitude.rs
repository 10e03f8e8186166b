//! Hosts that have very many things of one kind, as a hostile bundle or a leak of months may show them: what the time of
//! an answer must grow with no faster than their number.

use crate::synth::Entry;
use std::fmt::Write as _;

/// Of what there are many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Many {
    /// Mount namespaces, each of a process with a copy of the container's mount.
    Copies,
    /// Mount namespaces with a copy that a umount would take along, and a process in it.
    CopiesInUse,
    /// Mount namespaces that only a bind keeps, with a copy.
    Pinned,
    /// Mount namespaces with a mount of a device.
    DeviceMounts,
    /// Devices, each stacked on the one before.
    DeviceChain,
    /// Devices on top of one, each mounted and open in a mount namespace of its own.
    DevicesOnOne,
    /// Mounts inside of the container's mount, and as many namespaces that have one of them.
    MountsInside,
    /// Copies in one mount namespace.
    CopiesInOne,
    /// Mounts over the container's mount.
    MountsOver,
    /// Containers in a listing of short ids.
    ListedContainers,
    /// Loop devices with files on a device, each at a mount of its own.
    LoopFiles,
    /// Swap files on a device, each at a mount of its own.
    SwapFiles,
}

impl Many {
    /// All kinds.
    pub const ALL: [Self; 12] = [
        Self::Copies,
        Self::CopiesInUse,
        Self::Pinned,
        Self::DeviceMounts,
        Self::DeviceChain,
        Self::DevicesOnOne,
        Self::MountsInside,
        Self::CopiesInOne,
        Self::MountsOver,
        Self::ListedContainers,
        Self::LoopFiles,
        Self::SwapFiles,
    ];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Copies => "mount namespaces with a copy",
            Self::CopiesInUse => "mount namespaces with a copy in use",
            Self::Pinned => "mount namespaces without a process",
            Self::DeviceMounts => "mount namespaces with a device",
            Self::DeviceChain => "devices, each on the one before",
            Self::DevicesOnOne => "devices on one, in namespaces of their own",
            Self::MountsInside => "mounts inside, and namespaces with one of them",
            Self::CopiesInOne => "copies in one namespace",
            Self::LoopFiles => "loop devices with files on one device",
            Self::SwapFiles => "swap files on one device",
            Self::MountsOver => "mounts over one",
            Self::ListedContainers => "containers in a listing of short ids",
        }
    }

    /// What is asked for.
    pub fn query(self) -> &'static str {
        match self {
            Self::DeviceMounts | Self::LoopFiles | Self::SwapFiles => DEVICE,
            Self::DeviceChain | Self::DevicesOnOne => "/data",
            Self::CopiesInUse | Self::MountsOver => MERGED,
            _ => CONTAINER,
        }
    }

    /// The files of a host with so many.
    pub fn entries(self, count: u32) -> Vec<Entry> {
        let mut host = Throng::default();
        self.fill(&mut host, count);
        host.finish()
    }

    fn fill(self, host: &mut Throng, count: u32) {
        let all = 0..count;
        let overlay = |id: u32, on: u32, tags: &str| {
            format!("{id} {on} 0:100 / {MERGED} rw {tags} - overlay overlay rw,upperdir={LAYER}/diff\n")
        };
        let root = |id: u32, tags: &str| format!("{id} 1 8:1 / / rw {tags} - ext4 /dev/sda1 rw\n");
        let id = |number: u32| 1_000_000 + 4 * number;
        match self {
            Self::Copies => all.for_each(|n| {
                host.namespace(n, &[root(id(n), ""), overlay(id(n) + 1, id(n), "master:2")].concat());
            }),
            Self::CopiesInUse => {
                host.own = overlay(21, 20, "shared:2");
                host.error(&format!("umount: {MERGED}: target is busy"));
                all.for_each(|n| {
                    let table = [root(id(n), "master:1"), overlay(id(n) + 1, id(n), "master:2")].concat();
                    let pid = host.namespace(n, &table);
                    let link = format!("cwd dev=0:100 ino={n} mnt={} type=dir\n", id(n) + 1);
                    host.files.push(Entry::file(format!("proc/{pid}/links"), link));
                });
            }
            Self::Pinned => all.for_each(|n| {
                let (inode, place) = (inode(n), format!("/run/ns/{n}"));
                let _ = writeln!(host.own, "{} 20 0:4 mnt:[{inode}] {place} rw - nsfs nsfs rw", 1_000 + n);
                let table = [root(id(n), ""), overlay(id(n) + 1, id(n), "master:2")].concat();
                host.files.push(Entry::file(format!("ns/mnt-{inode}/mountinfo"), table));
                host.files.push(Entry::file(format!("ns/mnt-{inode}/kept-by"), format!("bind 1 {place}\n")));
            }),
            Self::DeviceMounts => all.for_each(|n| {
                let mount = format!("{} {} {DEVICE} / /data rw - ext4 /dev/sdb rw\n", id(n) + 1, id(n));
                host.namespace(n, &[root(id(n), ""), mount].concat());
            }),
            Self::DeviceChain => {
                host.own = "21 20 253:0 / /data rw - ext4 /dev/dm-0 rw\n".to_owned();
                (0..=count).for_each(|n| host.device(n, (n < count).then_some(n + 1)));
            }
            Self::DevicesOnOne => {
                host.own = "21 20 253:0 / /data rw - ext4 /dev/dm-0 rw\n".to_owned();
                host.device(0, None);
                (1..=count).for_each(|n| {
                    host.device(n, None);
                    host.files.push(Entry::link(format!("sys/block/dm-0/holders/dm-{n}"), "../../x"));
                    let mount = format!("{} {} 253:{n} / /s rw - ext4 /dev/dm-{n} rw\n", id(n) + 1, id(n));
                    let pid = host.namespace(n, &[root(id(n), ""), mount].concat());
                    let link = format!("fd/3 dev=0:5 ino=4 mnt=3 type=blk rdev=253:{n}\n");
                    host.files.push(Entry::file(format!("proc/{pid}/links"), link));
                });
            }
            Self::MountsInside => {
                host.own = overlay(21, 20, "shared:2");
                let inside = |id: u32, on: u32, n: u32| {
                    format!("{id} {on} 0:{} / {MERGED}/m{n} rw shared:{} - tmpfs t rw\n", 1_000 + n, 10 + n)
                };
                all.for_each(|n| {
                    host.own += &inside(100 + n, 21, n);
                    let table = [
                        root(id(n), "shared:1"),
                        overlay(id(n) + 1, id(n), "shared:2"),
                        inside(id(n) + 2, id(n) + 1, n),
                    ];
                    host.namespace(n, &table.concat());
                });
            }
            Self::CopiesInOne => {
                let copies =
                    all.map(|n| format!("{} 1000000 0:100 / /copy/{n} rw - overlay overlay rw\n", id(n) + 1));
                let table = root(1_000_000, "") + &copies.collect::<String>();
                host.namespace(0, &table);
            }
            Self::MountsOver => {
                host.own = overlay(21, 20, "");
                let mut on = 21;
                all.for_each(|n| {
                    let _ = writeln!(host.own, "{} {on} 0:{} / {MERGED} rw - tmpfs t rw", 100 + n, 1_000 + n);
                    on = 100 + n;
                });
            }
            Self::LoopFiles => all.for_each(|n| {
                host.mount_of_device(n);
                let dir = format!("sys/block/loop{n}");
                for (name, text) in [
                    ("dev", format!("7:{n}\n")),
                    ("loop/backing_file", format!("/data/{n}/image\n")),
                    ("loop/status", format!("dev={DEVICE} ino={n}\n")),
                ] {
                    host.files.push(Entry::file(format!("{dir}/{name}"), text));
                }
            }),
            Self::SwapFiles => {
                let mut swaps = "Filename\tType\tSize\tUsed\tPriority\n".to_owned();
                all.for_each(|n| {
                    host.mount_of_device(n);
                    let _ = writeln!(swaps, "/data/{n}/swap file 1048572 0 -2");
                });
                host.files.push(Entry::file("proc/swaps", swaps));
            }
            Self::ListedContainers => {
                let mut listing =
                    "CONTAINER ID   IMAGE     COMMAND   CREATED       STATUS         PORTS     NAMES\n"
                        .to_owned();
                all.for_each(|n| {
                    // Their first twelve digits tell them apart.
                    let container = format!("{:012x}{n:052x}", u64::from(n) * 7_919);
                    let state = format!("var/lib/docker/image/overlay2/layerdb/mounts/{container}/mount-id");
                    host.files.push(Entry::file(state, format!("{:064x}", u64::from(n) + 7)));
                    let _ = writeln!(
                        listing,
                        "{}   httpd     \"httpd\"   2 hours ago   Up 2 hours               shop{n}",
                        &container[..12]
                    );
                });
                host.files.push(Entry::file("sos_commands/docker/docker_ps_-a", listing));
            }
        }
    }
}

const CONTAINER: &str = "c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff";
const LAYER: &str =
    "/var/lib/docker/overlay2/beadbeadbeadbeadbeadbeadbeadbeadbeadbeadbeadbeadbeadbeadbeadbead";
const MERGED: &str =
    "/var/lib/docker/overlay2/beadbeadbeadbeadbeadbeadbeadbeadbeadbeadbeadbeadbeadbeadbeadbead/merged";
const DEVICE: &str = "8:16";

fn inode(number: u32) -> u32 {
    4_026_600_000 + number
}

/// A host in the making.
#[derive(Default)]
struct Throng {
    files: Vec<Entry>,
    /// Mounts of the daemon's namespace beside its root.
    own: String,
    errors: String,
}

impl Throng {
    /// A mount namespace of one process, whose pid this is.
    fn namespace(&mut self, number: u32, table: &str) -> u32 {
        let pid = 1_000 + number;
        self.process(pid, inode(number), "svc", table);
        pid
    }

    fn process(&mut self, pid: u32, namespace: u32, comm: &str, table: &str) {
        let mut file = |name: &str, text: &str| {
            self.files.push(Entry::file(format!("proc/{pid}/{name}"), text));
        };
        file("mountinfo", table);
        file("comm", &format!("{comm}\n"));
        file("cmdline", &format!("{comm}\0"));
        file("status", &format!("Name:\t{comm}\nState:\tS (sleeping)\nPid:\t{pid}\nPPid:\t1\n"));
        file("cgroup", "0::/\n");
        self.files.push(Entry::link(format!("proc/{pid}/ns/mnt"), format!("mnt:[{namespace}]")));
    }

    /// A mount of the device in the daemon's namespace.
    fn mount_of_device(&mut self, number: u32) {
        let _ = writeln!(self.own, "{} 20 {DEVICE} / /data/{number} rw - ext4 /dev/sdb rw", 100 + number);
    }

    /// A device, and the one that is on it.
    fn device(&mut self, minor: u32, holder: Option<u32>) {
        let dir = format!("sys/block/dm-{minor}");
        self.files.push(Entry::file(format!("{dir}/dev"), format!("253:{minor}\n")));
        self.files.push(Entry::file(format!("{dir}/dm/name"), format!("vg-{minor}\n")));
        if let Some(holder) = holder {
            self.files.push(Entry::link(format!("{dir}/holders/dm-{holder}"), "../../x"));
        }
    }

    fn error(&mut self, message: &str) {
        let _ = writeln!(
            self.errors,
            "Jan  2 03:04:05 h dockerd[2]: time=\"2026-01-02T03:04:05Z\" level=error msg=\"{message}\""
        );
    }

    fn finish(mut self) -> Vec<Entry> {
        const HOST: u32 = 4_026_531_841;
        let table = format!("20 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n{}", self.own);
        self.process(1, HOST, "systemd", &table);
        self.process(2, HOST, "dockerd", &table);
        let layer = LAYER.rsplit('/').next().expect("a path has a last part");
        let state = format!("var/lib/docker/image/overlay2/layerdb/mounts/{CONTAINER}/mount-id");
        self.files.push(Entry::file(state, layer));
        self.files.push(Entry::file("sys/block/sdb/dev", "8:16\n"));
        if self.errors.is_empty() {
            self.error(&format!(
                "Handler for DELETE /v1.40/containers/{CONTAINER} returned error: container {CONTAINER}: driver \\\"overlay2\\\" failed to remove root filesystem: unlinkat {MERGED}: device or resource busy"
            ));
        }
        self.files.push(Entry::file("logs/journal.log", self.errors));
        self.files
    }
}
